package dataplane_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/dataplane"
	"storefront/lab/network"
	"storefront/lab/state"
)

// revision is how often the network was applied.
func (r *testRegion) revision() (n int) {
	r.Helper()
	if err := r.store.View(func(tx *state.Tx) (err error) {
		n, _, err = state.NewTable[int](dataplane.Applied).Get(tx, "revision")
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return n
}

// lookup asks the resolver of a VPC from inside the VPC.
func (r *testRegion) lookup(vpc, name string) ([]string, error) {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, protocol, _ string) (net.Conn, error) {
		return r.net.Dial(ctx, network.InVPC(vpc), protocol, "10.0.0.2:53")
	}}
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	return resolver.LookupHost(ctx, name)
}

// VPCs come and go with what EC2 declares, each with a resolver of its own, and every change is told to who watches for it.
func TestNetworkFollowsDeclarations(t *testing.T) {
	r := newTestRegion(t, time.Now)
	r.connect()
	resolves := func(vpc string) bool {
		got, err := r.lookup(vpc, "ip-10-0-0-7."+domain)
		return err == nil && slices.Equal(got, []string{"10.0.0.7"})
	}
	eventually(t, "the VPC has a resolver", func() bool { return resolves(r.vpc) })
	before := r.revision()
	second := r.newVPC()
	eventually(t, "the second VPC has a resolver", func() bool { return resolves(second) })
	eventually(t, "the change was told", func() bool { return r.revision() > before })

	must(r.ec2.DeleteVpc(t.Context(), &ec2api.DeleteVpcInput{VpcId: &second}))(t)
	eventually(t, "the VPC is gone", func() bool {
		_, err := r.net.Path(network.InVPC(second))
		return errors.Is(err, network.ErrNoSuchPlace)
	})
	before = r.revision()
	third := r.newVPC()
	eventually(t, "the third VPC has a resolver", func() bool { return resolves(third) && r.revision() > before })
	if !resolves(r.vpc) {
		t.Error("the first VPC's resolver ended with the second's")
	}
}
