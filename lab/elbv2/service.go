// Package elbv2 is the lab's Elastic Load Balancing v2: application load balancers, their listeners and rules, target groups and targets.
//
// It is the control plane: it checks requests and keeps the declared state. Package dataplane reads that state through the exported methods
// that take a transaction, runs the load balancers (package balancer), and writes back what became true. Network and Gateway Load Balancers,
// Lambda and ALB targets, HTTP/2 and gRPC target groups, authentication actions and mutual TLS are refused.
package elbv2

import (
	"context"
	"crypto/tls"
	"time"

	api "storefront/lab/api/elbv2"
	"storefront/lab/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// VPCs is what the service needs from EC2; *ec2.Service is one.
type VPCs interface {
	VPC(tx *state.Tx, id string) (ec2.VPC, error)
	Subnet(tx *state.Tx, id string) (ec2.Subnet, error)
	SecurityGroup(tx *state.Tx, id string) (ec2.SecurityGroup, error)
	DefaultSecurityGroup(tx *state.Tx, vpc string) (ec2.SecurityGroup, error)
	CreateManagedInterface(tx *state.Tx, m ec2.ManagedInterface) (ec2.Interface, error)
	DeleteManagedInterface(tx *state.Tx, id string) error
	SetManagedInterfaceGroups(tx *state.Tx, id string, securityGroups []string) error
	Interface(tx *state.Tx, id string) (ec2.Interface, error)
	Instance(tx *state.Tx, id string) (ec2.Instance, error)
}

// Health is the state of a target as the data plane sees it.
type Health struct{ State, Reason, Description string }

// Config is what a Service is built from. Store, Region, Now and VPCs are required.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time
	VPCs   VPCs

	// Certificate finds the certificate of an ARN: nil while it is not issued; ok is false when there is none. nil knows none.
	Certificate func(tx *state.Tx, arn string) (c *tls.Certificate, ok bool, err error)

	// Health asks the data plane for the state of a target; ok is false while it does not run. nil is a data plane that never runs.
	Health func(groupARN, target string, port int) (health Health, ok bool)

	// PutLog writes an object into a log bucket as the log delivery service, with the rights that the bucket's policy gives it; nil is always denied.
	PutLog func(ctx context.Context, bucket, key string, body []byte) error
}

// Service answers the Elastic Load Balancing v2 API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

// fault is an error of the client; Elastic Load Balancing answers all of them with status 400.
func fault(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func invalid(format string, args ...any) error { return fault("ValidationError", format, args...) }

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error {
	return fault("InvalidConfigurationRequest", "%s is not supported in this region.", what)
}
