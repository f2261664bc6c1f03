package elasticache_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	apiec2 "storefront/lab/api/ec2"
	api "storefront/lab/api/elasticache"
	apikms "storefront/lab/api/kms"
	"storefront/lab/ec2"
	lab "storefront/lab/elasticache"
	"storefront/lab/kms"
	"storefront/lab/redis"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

const token = "correct-horse-battery-staple"

// engine stands for a Redis that knows no command "nosuch".
type engine struct{}

func (engine) CheckRules(_ context.Context, rules []string) error {
	if slices.Contains(rules, "+nosuch") {
		return redis.ErrRules
	}
	return nil
}

// fixture is a control plane with a VPC of two subnets and a subnet group of them.
type fixture struct {
	*testing.T
	*elasticache.Client
	service *lab.Service
	store   *state.Store
	path    string
	now     time.Time
	ec2     *sdkec2.Client
	kms     *sdkkms.Client
	vpc     string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, path: filepath.Join(t.TempDir(), "state"), now: time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)} // a Wednesday
	var err error
	f.store, err = state.Open(f.path)
	f.must(err)
	t.Cleanup(func() { _ = f.store.Close() })
	now, r := func() time.Time { return f.now }, region.Default()
	keys := kms.New(f.store, r, now)
	network := ec2.New(ec2.Config{Store: f.store, Region: r, Now: now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	f.service = lab.New(lab.Config{Store: f.store, Region: r, Now: now, Engine: engine{}, Network: network, Keys: keys})
	config := wiretest.New(t, api.New(f.service), apiec2.New(network), apikms.New(keys)).Config()
	f.Client, f.ec2, f.kms = elasticache.NewFromConfig(config), sdkec2.NewFromConfig(config), sdkkms.NewFromConfig(config)
	vpc, err := f.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})
	f.must(err)
	f.vpc = *vpc.Vpc.VpcId
	var subnets []string
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		out, err := f.ec2.CreateSubnet(t.Context(), &sdkec2.CreateSubnetInput{VpcId: &f.vpc, CidrBlock: new("10.0." + string(rune('0'+i)) + ".0/24"), AvailabilityZone: &zone})
		f.must(err)
		subnets = append(subnets, *out.Subnet.SubnetId)
	}
	_, err = f.CreateCacheSubnetGroup(t.Context(), &elasticache.CreateCacheSubnetGroupInput{CacheSubnetGroupName: new("Data"), CacheSubnetGroupDescription: new("d"), SubnetIds: subnets})
	f.must(err)
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// refused wants an error of AWS's with a code.
func (f *fixture) refused(err error, code string) {
	f.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		f.Errorf("got %v, want %s", err, code)
	}
}

// settle does what the data plane does: everything that is declared becomes true at once.
func (f *fixture) settle() {
	f.Helper()
	f.must(f.store.Update(func(tx *state.Tx) error {
		list, err := f.service.Groups(tx)
		for _, g := range list {
			if g.Target != "" {
				err = errors.Join(err, f.service.Promoted(tx, g.ID, g.Target))
			}
			for _, n := range g.Nodes {
				if n.Deleting() {
					err = errors.Join(err, f.service.NodeGone(tx, n.ID))
				} else {
					err = errors.Join(err, f.service.NodeSettled(tx, n.ID, n.Status, false))
				}
			}
			for _, v := range g.Snapshots {
				err = errors.Join(err, f.service.SnapshotTaken(tx, v.ID, v.Node, 3<<20))
			}
			if g.Exists {
				err = errors.Join(err, f.service.GroupSettled(tx, g.ID, g.Status))
			} else {
				err = errors.Join(err, f.service.GroupGone(tx, g.ID))
			}
		}
		if f.service.SnapshotsDue(tx) {
			err = errors.Join(err, f.service.ApplySnapshots(tx))
		}
		copies, drop := f.service.Snapshots(tx)
		for id := range copies {
			err = errors.Join(err, f.service.SnapshotCopied(tx, id))
		}
		for _, id := range drop {
			err = errors.Join(err, f.service.SnapshotGone(tx, id))
		}
		return err
	}))
}

// request is a valid request for a group.
func request() *elasticache.CreateReplicationGroupInput {
	return &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: new("shop"), ReplicationGroupDescription: new("d"), Engine: new("redis"), EngineVersion: new("7.1"), CacheNodeType: new("cache.t4g.micro"),
		NumCacheClusters: new(int32(2)), AutomaticFailoverEnabled: new(true), MultiAZEnabled: new(true), CacheSubnetGroupName: new("data"),
		TransitEncryptionEnabled: new(true), AtRestEncryptionEnabled: new(true), AuthToken: new(token),
	}
}

// newGroup makes a group that is available.
func newGroup(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	_, err := f.CreateReplicationGroup(t.Context(), request())
	f.must(err)
	f.settle()
	return f
}

func (f *fixture) group() *types.ReplicationGroup {
	f.Helper()
	out, err := f.DescribeReplicationGroups(f.Context(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: new("shop")})
	f.must(err)
	return &out.ReplicationGroups[0]
}

// declared is what the data plane is told.
func (f *fixture) declared() (g lab.Group) {
	f.Helper()
	f.must(f.store.View(func(tx *state.Tx) error {
		list, err := f.service.Groups(tx)
		if len(list) > 0 {
			g = list[0]
		}
		return err
	}))
	return g
}

// defaultRules are those of the user that clients are who say nothing.
func (f *fixture) defaultRules() string {
	f.Helper()
	users := f.declared().Users
	i := slices.IndexFunc(users, func(u redis.User) bool { return u.Name == "default" })
	if i < 0 {
		return ""
	}
	return strings.Join(users[i].Rules, " ")
}
