package elbv2_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	api "storefront/lab/api/elbv2"
	"storefront/lab/ec2"
	"storefront/lab/elbv2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// vpcs is one VPC with four subnets, a on two of them, and what was made in it.
type vpcs struct{ interfaces map[string]ec2.Interface }

func (v *vpcs) VPC(_ *state.Tx, id string) (ec2.VPC, error) {
	if id != "vpc-1" && id != "vpc-2" {
		return ec2.VPC{}, wire.Errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
	}
	return ec2.VPC{ID: id, CIDRs: []ec2.VPCBlock{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}}, nil
}

func (v *vpcs) Subnet(_ *state.Tx, id string) (ec2.Subnet, error) {
	zones := map[string]string{"subnet-a": "us-east-1a", "subnet-a2": "us-east-1a", "subnet-b": "us-east-1b", "subnet-c": "us-east-1c", "subnet-other": "us-east-1b"}
	zone, ok := zones[id]
	if !ok {
		return ec2.Subnet{}, wire.Errorf(400, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
	}
	vpc := "vpc-1"
	if id == "subnet-other" {
		vpc = "vpc-2"
	}
	return ec2.Subnet{ID: id, VPC: vpc, Zone: region.Zone{Name: zone}}, nil
}

func (v *vpcs) SecurityGroup(_ *state.Tx, id string) (ec2.SecurityGroup, error) {
	if id != "sg-1" && id != "sg-2" {
		return ec2.SecurityGroup{}, wire.Errorf(400, "InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return ec2.SecurityGroup{ID: id, VPC: "vpc-1"}, nil
}

func (v *vpcs) DefaultSecurityGroup(*state.Tx, string) (ec2.SecurityGroup, error) {
	return ec2.SecurityGroup{ID: "sg-default", VPC: "vpc-1"}, nil
}

func (v *vpcs) CreateManagedInterface(_ *state.Tx, m ec2.ManagedInterface) (ec2.Interface, error) {
	n := byte(len(v.interfaces) + 10)
	i := ec2.Interface{ID: fmt.Sprintf("eni-%d", n), Subnet: m.Subnet, Address: netip.AddrFrom4([4]byte{10, 0, 0, n}), SecurityGroups: m.SecurityGroups}
	if m.Public {
		i.Public.Address = netip.AddrFrom4([4]byte{198, 18, 0, n})
	}
	v.interfaces[i.ID] = i
	return i, nil
}

func (v *vpcs) DeleteManagedInterface(_ *state.Tx, id string) error {
	delete(v.interfaces, id)
	return nil
}

func (v *vpcs) SetManagedInterfaceGroups(_ *state.Tx, id string, groups []string) error {
	i := v.interfaces[id]
	i.SecurityGroups = groups
	v.interfaces[id] = i
	return nil
}

func (v *vpcs) Interface(_ *state.Tx, id string) (ec2.Interface, error) {
	return v.interfaces[id], nil
}

func (v *vpcs) Instance(_ *state.Tx, id string) (ec2.Instance, error) {
	instances := map[string]ec2.Instance{
		"i-1":       {VPC: "vpc-1", Zone: region.Zone{Name: "us-east-1a"}, State: ec2.Running},
		"i-2":       {VPC: "vpc-1", Zone: region.Zone{Name: "us-east-1c"}, State: ec2.Running},
		"i-stopped": {VPC: "vpc-1", Zone: region.Zone{Name: "us-east-1a"}, State: ec2.Stopped},
		"i-other":   {VPC: "vpc-2", Zone: region.Zone{Name: "us-east-1a"}, State: ec2.Running},
	}
	i, ok := instances[id]
	if !ok {
		return i, wire.Errorf(400, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
	}
	return i, nil
}

const (
	certificateARN = "arn:aws:acm:us-east-1:000000000000:certificate/known" // what begins like it is known, too
	pendingARN     = "arn:aws:acm:us-east-1:000000000000:certificate/pending"
)

// fixture is a served Elastic Load Balancing with an SDK client on it.
type fixture struct {
	*sdk.Client
	service *elbv2.Service
	store   *state.Store
	vpcs    *vpcs
	logs    map[string]string // bucket/key of what was put into log buckets
	health  map[string]elbv2.Health
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &fixture{store: store, vpcs: &vpcs{map[string]ec2.Interface{}}, logs: map[string]string{}, health: map[string]elbv2.Health{}}
	f.service = elbv2.New(elbv2.Config{
		Store: store, Region: region.Default(), VPCs: f.vpcs, Now: time.Now,
		Certificate: func(_ *state.Tx, arn string) (*tls.Certificate, bool, error) {
			if arn == pendingARN {
				return nil, true, nil
			}
			return new(tls.Certificate), strings.HasPrefix(arn, certificateARN), nil
		},
		Health: func(_, id string, _ int) (elbv2.Health, bool) {
			h, ok := f.health[id]
			return h, ok
		},
		PutLog: func(_ context.Context, bucket, key string, body []byte) error {
			if bucket == "denied" {
				return errors.New("AccessDenied")
			}
			f.logs[bucket+"/"+key] = string(body)
			return nil
		},
	})
	f.Client = sdk.NewFromConfig(wiretest.New(t, api.New(f.service)).Config())
	return f
}

func (f *fixture) loadBalancer(t *testing.T, name string) types.LoadBalancer {
	t.Helper()
	out, err := f.CreateLoadBalancer(t.Context(), &sdk.CreateLoadBalancerInput{Name: &name, Subnets: []string{"subnet-a", "subnet-b"}, SecurityGroups: []string{"sg-1"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.LoadBalancers[0]
}

func (f *fixture) targetGroup(t *testing.T, name string) types.TargetGroup {
	t.Helper()
	out, err := f.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{Name: &name, Protocol: types.ProtocolEnumHttp, Port: new(int32(8080)), VpcId: new("vpc-1")})
	if err != nil {
		t.Fatal(err)
	}
	return out.TargetGroups[0]
}

func forwardTo(arn *string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: arn}}
}

func (f *fixture) listener(t *testing.T, lb types.LoadBalancer, port int32, actions []types.Action) types.Listener {
	t.Helper()
	out, err := f.CreateListener(t.Context(), &sdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: &port, Protocol: types.ProtocolEnumHttp, DefaultActions: actions})
	if err != nil {
		t.Fatal(err)
	}
	return out.Listeners[0]
}

// wantError checks the code of an error, and that its message holds a text.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		t.Errorf("got %s: %s, want %s: ...%s...", e.ErrorCode(), e.ErrorMessage(), code, text)
	}
}
