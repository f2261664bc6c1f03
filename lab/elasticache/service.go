// Package elasticache is the control plane of Amazon ElastiCache for Redis OSS: it checks requests, keeps what is wanted and answers as AWS does.
// Package dataplane reads what should run with Groups, runs it with package redis, and reports back with the methods of report.go.
//
// Served are replication groups of one shard (cluster mode disabled) with their nodes, users and groups of them. Valkey, Memcached, cluster mode, global
// datastores, data tiering, serverless caches, snapshots in buckets, migration, IAM authentication and optional TLS are refused. Notification topics and
// minor version upgrades are kept and shown, and have no effect.
package elasticache

import (
	"context"
	"time"

	api "storefront/lab/api/elasticache"
	"storefront/lab/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Engine is what the machine can run. redis.Engine implements it.
type Engine interface {
	// CheckRules tells what is wrong with the rules of an access control list.
	CheckRules(ctx context.Context, rules []string) error
}

// Network is the part of EC2 that caches need. ec2.Service implements it.
type Network interface {
	Subnet(tx *state.Tx, id string) (ec2.Subnet, error)
	SecurityGroup(tx *state.Tx, id string) (ec2.SecurityGroup, error)
	DefaultSecurityGroup(tx *state.Tx, vpc string) (ec2.SecurityGroup, error)
	CreateManagedInterface(tx *state.Tx, m ec2.ManagedInterface) (ec2.Interface, error)
	DeleteManagedInterface(tx *state.Tx, id string) error
	SetManagedInterfaceGroups(tx *state.Tx, id string, securityGroups []string) error
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
	Keys    Keys
}

// Service answers the ElastiCache API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

func (s *Service) arn(kind, name string) string { return s.Region.ARN("elasticache", kind+":"+name) }

// fault is an error of the client; ElastiCache answers nearly all of them with status 400.
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
	return invalidValue("%s is not supported in this region.", what)
}

// orExists is err, or AWS's error for a name that is taken.
func orExists(err error, code, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fault(code, format, args...)
}
