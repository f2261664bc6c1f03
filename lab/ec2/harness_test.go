package ec2_test

import (
	"errors"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	api "storefront/lab/api/ec2"
	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// fixture is the service behind a wire server, with a clock that tests move.
type fixture struct {
	*sdk.Client
	t       *testing.T
	store   *state.Store
	service *ec2.Service
	now     time.Time
}

func start(t *testing.T) *fixture {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &fixture{t: t, store: store, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	f.service = ec2.New(ec2.Config{
		Store: store, Region: region.Default(), Now: func() time.Time { return f.now },
		Profile: func(_ *state.Tx, name string) (ec2.Profile, bool) {
			return ec2.Profile{ARN: "arn:aws:iam::000000000000:instance-profile/web", ID: "AIPATEST"}, name == "web"
		},
		Endpoints: []network.Service{{Name: "s3", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.10")}}},
	})
	f.Client = sdk.NewFromConfig(wiretest.New(t, api.New(f.service)).Config())
	return f
}

// must returns a function that fails the test for an error and passes the answer on.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused checks that a call failed with an error code of AWS's.
func refused[T any](t *testing.T, code string) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		var e smithy.APIError
		if !errors.As(err, &e) || e.ErrorCode() != code {
			t.Errorf("got error %v, want code %s", err, code)
		}
	}
}

func (f *fixture) vpc(cidr string) string {
	f.t.Helper()
	return *must[*sdk.CreateVpcOutput](f.t)(f.CreateVpc(f.t.Context(), &sdk.CreateVpcInput{CidrBlock: &cidr})).Vpc.VpcId
}

func (f *fixture) subnet(vpc, cidr, zone string) string {
	f.t.Helper()
	return *must[*sdk.CreateSubnetOutput](f.t)(f.CreateSubnet(f.t.Context(), &sdk.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: &zone})).Subnet.SubnetId
}

func (f *fixture) group(vpc, name string) string {
	f.t.Helper()
	return *must[*sdk.CreateSecurityGroupOutput](f.t)(f.CreateSecurityGroup(f.t.Context(), &sdk.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: &name, Description: new("for " + name),
	})).GroupId
}

// gateway creates an internet gateway and attaches it.
func (f *fixture) gateway(vpc string) string {
	f.t.Helper()
	id := must[*sdk.CreateInternetGatewayOutput](f.t)(f.CreateInternetGateway(f.t.Context(), &sdk.CreateInternetGatewayInput{})).InternetGateway.InternetGatewayId
	must[*sdk.AttachInternetGatewayOutput](f.t)(f.AttachInternetGateway(f.t.Context(), &sdk.AttachInternetGatewayInput{InternetGatewayId: id, VpcId: &vpc}))
	return *id
}

func (f *fixture) table(vpc string) string {
	f.t.Helper()
	return *must[*sdk.CreateRouteTableOutput](f.t)(f.CreateRouteTable(f.t.Context(), &sdk.CreateRouteTableInput{VpcId: &vpc})).RouteTable.RouteTableId
}

// set records an instance's state as the data plane does.
func (f *fixture) set(id string, states ...ec2.InstanceState) {
	f.t.Helper()
	for _, s := range states {
		if err := f.store.Update(func(tx *state.Tx) error { return f.service.SetInstanceState(tx, id, s, ec2.Reason{}) }); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) topology() network.Topology {
	f.t.Helper()
	var out network.Topology
	if err := f.store.View(func(tx *state.Tx) (err error) { out, err = f.service.Topology(tx); return err }); err != nil {
		f.t.Fatal(err)
	}
	if err := out.Validate(); err != nil {
		f.t.Error(err)
	}
	return out
}

func filter(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: &name, Values: values}}
}

func tags(kind types.ResourceType, key, value string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{{Key: &key, Value: &value}}}}
}
