// Package elasticsearch is the control plane of Amazon OpenSearch Service, the former Amazon Elasticsearch Service: it checks requests, keeps what is
// wanted and answers as AWS does. Both APIs of the service, that of 2021 (Service) and that of 2015 (Legacy), lead to the same domains. Package dataplane
// reads what should run with Domains, runs it with package search, and reports back with the methods of report.go.
//
// Served are domains in a VPC with data nodes and dedicated masters, at rest without a warm or cold tier. Domains with a public endpoint, Amazon Cognito,
// SAML, custom endpoints and everything else that is not served is refused. Auto-Tune, snapshots, volumes, instance types and the groups that logs go to are
// kept and shown, and have no effect on the nodes: slow logs and audit logs stay empty, as they do on AWS until somebody turns them on in the engine.
package elasticsearch

import (
	"time"

	api "storefront/lab/api/opensearch"
	"storefront/lab/ec2"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Network is the part of EC2 that domains need. ec2.Service implements it.
type Network interface {
	Subnet(tx *state.Tx, id string) (ec2.Subnet, error)
	SecurityGroup(tx *state.Tx, id string) (ec2.SecurityGroup, error)
	DefaultSecurityGroup(tx *state.Tx, vpc string) (ec2.SecurityGroup, error)
	CreateManagedInterface(tx *state.Tx, m ec2.ManagedInterface) (ec2.Interface, error)
	DeleteManagedInterface(tx *state.Tx, id string) error
	SetManagedInterfaceGroups(tx *state.Tx, id string, securityGroups []string) error
}

// Roles finds IAM roles. iam.Service implements it.
type Roles interface {
	Role(tx *state.Tx, name string) (iam.Role, error)
}

// Keys encrypts under the customer's keys. kms.Service implements it.
type Keys interface {
	Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error)
}

// Logs knows the log groups that domains may publish to. logs.Service implements it.
type Logs interface {
	// Group tells whether there is a log group, by the ARN of the group or of its streams.
	Group(tx *state.Tx, arn string) (bool, error)
	// ResourcePolicies returns the documents that let services write to log groups.
	ResourcePolicies(tx *state.Tx) []string
}

// Config is what a Service is built from. All fields are required.
type Config struct {
	Store   *state.Store
	Region  region.Region
	Now     func() time.Time
	Network Network
	Roles   Roles
	Keys    Keys
	Logs    Logs
}

// Service answers the API of 2021, OpenSearch.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

// invalid is the error that the service answers to nearly all that is wrong.
func invalid(format string, args ...any) error {
	return wire.Errorf(400, "ValidationException", format, args...)
}

// conflict is an error of the codes that the service answers with status 409.
func conflict(code, format string, args ...any) error { return wire.Errorf(409, code, format, args...) }

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error { return invalid("%s is not supported in this region.", what) }
