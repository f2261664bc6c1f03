// Package rds is the control plane of Amazon RDS for Aurora PostgreSQL: it checks requests, keeps what is wanted and answers as AWS does.
// Package dataplane reads what should run with Clusters, runs it with package postgres, and reports back with the methods of report.go.
//
// Served are Aurora PostgreSQL clusters of the major version that the machine's PostgreSQL has. Other engines, point-in-time restore, global
// databases and everything else that is not served is refused. IAM database authentication, monitoring, Performance Insights, log exports,
// backup windows and certificates of RDS are kept and shown, and have no effect on the servers.
package rds

import (
	"time"

	api "storefront/lab/api/rds"
	"storefront/lab/ec2"
	"storefront/lab/postgres"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Engine is what the machine can run. postgres.Engine implements it.
type Engine interface {
	Version() postgres.Version
	Parameters() []postgres.Parameter
	CheckParameter(name, value string) error
}

// Network is the part of EC2 that databases need. ec2.Service implements it.
type Network interface {
	Subnet(tx *state.Tx, id string) (ec2.Subnet, error)
	SecurityGroup(tx *state.Tx, id string) (ec2.SecurityGroup, error)
	DefaultSecurityGroup(tx *state.Tx, vpc string) (ec2.SecurityGroup, error)
	CreateManagedInterface(tx *state.Tx, m ec2.ManagedInterface) (ec2.Interface, error)
	DeleteManagedInterface(tx *state.Tx, id string) error
	SetManagedInterfaceGroups(tx *state.Tx, id string, securityGroups []string) error
}

// Secrets keeps managed master passwords. secretsmanager.Service implements it.
type Secrets interface {
	CreateOwned(tx *state.Tx, service, name, kmsKey, value string) (arn string, err error)
	ReplaceOwned(tx *state.Tx, arn, value string) error
	DeleteOwned(tx *state.Tx, arn string) error
}

// Keys encrypts under the customer's keys. kms.Service implements it.
type Keys interface {
	Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error)
}

// Config is what a Service is built from. All fields are required.
type Config struct {
	Store   *state.Store
	Region  region.Region
	Now     func() time.Time
	Engine  Engine
	Network Network
	Secrets Secrets
	Keys    Keys
}

// Service answers the RDS API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

// fault is an error of the client; RDS answers nearly all of them with status 400.
func fault(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func missing(code, format string, args ...any) error { return wire.Errorf(404, code, format, args...) }

func invalidValue(format string, args ...any) error {
	return fault("InvalidParameterValue", format, args...)
}

func invalidCombination(format string, args ...any) error {
	return fault("InvalidParameterCombination", format, args...)
}

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error {
	return fault("UnsupportedOperation", "%s is not supported in this region.", what)
}
