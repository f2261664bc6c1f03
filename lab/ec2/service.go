// Package ec2 is the control plane of Amazon EC2 and Amazon VPC: it checks requests and keeps the declared state. The data plane reads that
// state with Topology and Machines and writes back what became true with SetInstanceState.
package ec2

import (
	"context"
	"net/netip"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// retention is how long terminated instances and deleted NAT gateways stay describable.
const retention = time.Hour

// Profile is an IAM instance profile.
type Profile struct {
	ARN string
	ID  string // "AIPA..."
}

// Config is what a Service is built from. All fields are required but Endpoints and VolumeKey.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time

	// Profile finds an instance profile by its name or ARN, in the transaction of the caller.
	Profile func(tx *state.Tx, nameOrARN string) (Profile, bool)

	// VolumeKey returns the ARN of the KMS key of a volume, named in any form that KMS knows, when the caller lets EC2 use it. A *wire.Error is KMS's, and keeps the
	// instance from starting. Nil asks for nothing.
	VolumeKey func(ctx context.Context, tx *state.Tx, key, volume string) (arn string, err error)

	// Endpoints are the AWS services on the internet side: those that gateway endpoints and prefix lists lead to.
	Endpoints []network.Service
}

// Service answers the EC2 API.
type Service struct {
	Config
	zones []region.Zone
}

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{Config: c, zones: c.Region.Zones()} }

// read runs f in a read-only transaction and returns what it filled in.
func read[O any](s *Service, dryRun *bool, f func(tx *state.Tx, out *O) error) (*O, error) {
	out := new(O)
	err := s.Store.View(func(tx *state.Tx) error { return f(tx, out) })
	if err == nil && wire.Value(dryRun) {
		err = errDryRun()
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// change runs f in a read-write transaction and returns what it filled in. A dry run that would have succeeded changes nothing.
func change[O any](s *Service, dryRun *bool, f func(tx *state.Tx, out *O) error) (*O, error) {
	out := new(O)
	err := s.Store.Update(func(tx *state.Tx) error {
		if err := f(tx, out); err != nil {
			return err
		}
		if wire.Value(dryRun) {
			return errDryRun()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fault is an error of the client; EC2 answers nearly all of them with status 400.
func fault(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func errDryRun() error {
	return wire.Errorf(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

func missing(parameter string) error {
	return fault("MissingParameter", "The request must contain the parameter %s", parameter)
}

func invalid(parameter, value string) error {
	return fault("InvalidParameterValue", "Value (%s) for parameter %s is invalid.", value, parameter)
}

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error {
	return fault("UnsupportedOperation", "%s is not supported in this region.", what)
}

// address is the text of a, or nil for the zero address.
func address(a netip.Addr) *string {
	if !a.IsValid() {
		return nil
	}
	return new(a.String())
}

// isService reports whether the caller is an AWS service, which may set tags that begin with "aws:".
func isService(ctx context.Context) bool { return wire.Caller(ctx).Service != "" }
