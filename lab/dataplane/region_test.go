package dataplane_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/authority"
	"storefront/lab/autoscaling"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/iam"
	"storefront/lab/imds"
	"storefront/lab/network"
	"storefront/lab/network/networktest"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/sts"
)

// domain is that of private host names.
const domain = "ec2.internal"

// testRegion is a region with one VPC and a subnet in it. Its network is empty until connect.
type testRegion struct {
	*testing.T
	dir       string
	now       func() time.Time
	store     *state.Store
	ec2       *ec2.Service
	iam       *iam.Service
	sts       *sts.Service
	endpoints dataplane.Endpoints
	metadata  *dataplane.Metadata
	spot      *dataplane.Spot
	names     *dataplane.Names
	authority *authority.Authority
	net       *network.Network
	vpc       string
	subnet    string
	log       *slog.Logger
}

func newTestRegion(t *testing.T, now func() time.Time) *testRegion {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r, here := &testRegion{T: t, dir: dir, now: now, store: store, log: slog.New(slog.NewTextHandler(t.Output(), nil))}, region.Default()
	if r.authority, err = authority.Open(dir); err != nil {
		t.Fatal(err)
	}
	r.iam = iam.New(store, here, now)
	r.sts = sts.New(store, here, r.iam, now)
	r.endpoints = dataplane.NewEndpoints(here, []string{"sts", "iam", "s3"})
	r.ec2 = ec2.New(ec2.Config{Store: store, Region: here, Now: now, Endpoints: r.endpoints.Services(), Profile: func(tx *state.Tx, nameOrARN string) (ec2.Profile, bool) {
		p, ok := r.iam.Profile(tx, nameOrARN)
		return ec2.Profile{ARN: p.ARN, ID: p.ID}, ok
	}})
	r.spot = &dataplane.Spot{Store: store, EC2: r.ec2, Now: now, Log: r.log}
	r.metadata = &dataplane.Metadata{Store: store, Region: here, EC2: r.ec2, IAM: r.iam, STS: r.sts, Domain: domain, Now: now, Notice: r.spot.Notice, Lifecycle: autoscaling.LifecycleState}
	known := func(known, address string) func(*state.Tx, string) ([]netip.Addr, bool) {
		return func(_ *state.Tx, name string) ([]netip.Addr, bool) {
			return []netip.Addr{netip.MustParseAddr(address)}, name == known
		}
	}
	r.names = &dataplane.Names{Store: store, Region: here, EC2: r.ec2, Endpoints: r.endpoints, Domain: domain,
		Balancer: known("web-1.us-east-1.elb.amazonaws.com", "198.18.0.9"), Database: known("shop.cluster-1.us-east-1.rds.amazonaws.com", "10.0.0.9"), Cache: known("master.shop.abc123.use1.cache.amazonaws.com", "10.0.0.11"),
		Search: known("vpc-orders-1.us-east-1.es.amazonaws.com", "10.0.0.10")}
	r.vpc = r.newVPC()
	r.subnet = r.newSubnet(r.vpc, "10.0.0.0/24")
	return r
}

func (r *testRegion) newVPC() string {
	r.Helper()
	id := must(r.ec2.CreateVpc(r.Context(), &ec2api.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}))(r.T).Vpc.VpcId
	must(r.ec2.ModifyVpcAttribute(r.Context(), &ec2api.ModifyVpcAttributeInput{VpcId: id, EnableDnsHostnames: &ec2api.AttributeBooleanValue{Value: new(true)}}))(r.T)
	return *id
}

func (r *testRegion) newSubnet(vpc, cidr string) string {
	r.Helper()
	return *must(r.ec2.CreateSubnet(r.Context(), &ec2api.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: new("us-east-1a")}))(r.T).Subnet.SubnetId
}

// connect opens the network and keeps it at what EC2 declares.
func (r *testRegion) connect() {
	r.Helper()
	r.net = networktest.Open(r.T)
	r.background(&dataplane.Network{Store: r.store, EC2: r.ec2, Net: r.net, Names: r.names, Log: r.log})
}

// newDataRegion is a region with a network, subnets in two zones, and a client's network interface in the first: for what runs in several zones.
func newDataRegion(t *testing.T) (r *testRegion, subnets []string, client string) {
	t.Helper()
	r = newTestRegion(t, time.Now)
	r.connect()
	other := must(r.ec2.CreateSubnet(t.Context(), &ec2api.CreateSubnetInput{VpcId: &r.vpc, CidrBlock: new("10.0.1.0/24"), AvailabilityZone: new("us-east-1b")}))(t)
	r.update(func(tx *state.Tx) error {
		eni, err := r.ec2.CreateManagedInterface(tx, ec2.ManagedInterface{Subnet: r.subnet, Description: "client", RequesterID: "test"})
		client = eni.ID
		return err
	})
	return r, []string{r.subnet, *other.Subnet.SubnetId}, client
}

func (r *testRegion) update(f func(*state.Tx) error) {
	r.Helper()
	if err := r.store.Update(f); err != nil {
		r.Fatal(err)
	}
}

// eventually polls until holds, for what servers do in their own time.
func (r *testRegion) eventually(what string, holds func() bool) {
	r.Helper()
	deadline := time.After(40 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			r.Fatalf("it did not become true within 40 s that %s", what)
		case <-tick.C:
		}
	}
}

// background runs a reconciler until the test ends or stop is called.
func (r *testRegion) background(reconciler interface{ Run(context.Context) error }) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := reconciler.Run(ctx); err != nil {
			r.Errorf("%T: %v", reconciler, err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	r.Cleanup(stop)
	return stop
}

// launch launches an instance and returns its ID.
func (r *testRegion) launch(in ec2api.RunInstancesInput) string {
	r.Helper()
	in.ImageId, in.InstanceType, in.SubnetId, in.MinCount, in.MaxCount = new(region.AmazonLinux2023), new("t3.micro"), &r.subnet, new(int64(1)), new(int64(1))
	return *must(r.ec2.RunInstances(r.Context(), &in))(r.T).Instances[0].InstanceId
}

func (r *testRegion) launchSpot() string {
	r.Helper()
	return r.launch(ec2api.RunInstancesInput{InstanceMarketOptions: &ec2api.InstanceMarketOptionsRequest{MarketType: new("spot")}})
}

func (r *testRegion) instance(id string) (v ec2.Instance) {
	r.Helper()
	if err := r.store.View(func(tx *state.Tx) (err error) { v, err = r.ec2.Instance(tx, id); return err }); err != nil {
		r.Fatal(err)
	}
	return v
}

// become waits until an instance is in a state.
func (r *testRegion) become(id string, want ec2.InstanceState) {
	r.Helper()
	eventually(r.T, id+" is "+string(want), func() bool { return r.instance(id).State == want })
}

// set records the state of an instance that has no machine in the test.
func (r *testRegion) set(id string, to ec2.InstanceState) {
	r.Helper()
	if err := r.store.Update(func(tx *state.Tx) error { return r.ec2.SetInstanceState(tx, id, to, ec2.Reason{}) }); err != nil {
		r.Fatal(err)
	}
}

// profile makes an instance profile with a role of the same name that a service may assume.
func (r *testRegion) profile(name, service string) *ec2api.IamInstanceProfileSpecification {
	r.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
	must(r.iam.CreateRole(r.Context(), &iamapi.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))(r.T)
	must(r.iam.CreateInstanceProfile(r.Context(), &iamapi.CreateInstanceProfileInput{InstanceProfileName: &name}))(r.T)
	must(r.iam.AddRoleToInstanceProfile(r.Context(), &iamapi.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}))(r.T)
	return &ec2api.IamInstanceProfileSpecification{Name: &name}
}

// shows returns what the metadata service is told of an instance.
func (r *testRegion) shows(id string) imds.Metadata {
	r.Helper()
	return must(r.metadata.Metadata(id))(r.T)
}

func encoded(script string) *string { return new(base64.StdEncoding.EncodeToString([]byte(script))) }

// run runs a shell command in a machine and returns what it printed.
func run(t *testing.T, instances *dataplane.Instances, id, command string) string {
	t.Helper()
	m := must(instances.Machine(id))(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out bytes.Buffer
	if _, err := m.Exec(ctx, []string{"/bin/bash", "-c", "exec 2>&1\n" + command}, nil, &out, nil); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(out.String())
}
