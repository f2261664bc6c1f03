package autoscaling_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	elbapi "storefront/lab/api/elbv2"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/autoscaling"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

const (
	targetGroup = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/shop/0123456789abcdef"
	otherGroup  = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/other/0123456789abcdef"
	roleARN     = "arn:aws:iam::000000000000:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)

// fakeEC2 runs instances at once, unless told otherwise.
type fakeEC2 struct {
	t         *testing.T
	clock     *clock
	instances map[string]*ec2api.Instance
	tags      map[string]map[string]string
	versions  int64 // of the launch template
	booting   bool  // instances stay pending
	calls     []string

	run  func(*ec2api.RunInstancesInput) error // called before an instance is made
	lost func() error                          // called after it
}

func (f *fakeEC2) called(ctx context.Context, call string) {
	if c := wire.Caller(ctx); c.Service != "autoscaling.amazonaws.com" {
		f.t.Errorf("%s was called by %+v, want Auto Scaling itself", call, c)
	}
	f.calls = append(f.calls, call)
}

func (f *fakeEC2) RunInstances(ctx context.Context, in *ec2api.RunInstancesInput) (*ec2api.RunInstancesOutput, error) {
	f.called(ctx, "RunInstances")
	for _, i := range f.instances {
		if *i.ClientToken == *in.ClientToken {
			return &ec2api.RunInstancesOutput{Instances: []ec2api.Instance{*i}}, nil
		}
	}
	if f.run != nil {
		if err := f.run(in); err != nil {
			return nil, err
		}
	}
	id := fmt.Sprintf("i-%017x", len(f.instances)+1)
	state := "running"
	if f.booting {
		state = "pending"
	}
	i := &ec2api.Instance{InstanceId: &id, ClientToken: in.ClientToken, SubnetId: in.SubnetId, InstanceType: in.InstanceType, State: &ec2api.InstanceState{Name: &state}}
	if i.InstanceType == nil {
		i.InstanceType = new("t3.nano")
	}
	if in.InstanceMarketOptions != nil {
		i.InstanceLifecycle = in.InstanceMarketOptions.MarketType
	}
	f.tags[id] = map[string]string{"version": *in.LaunchTemplate.Version}
	for _, t := range in.TagSpecifications[0].Tags {
		f.tags[id][*t.Key] = *t.Value
	}
	f.instances[id] = i
	if f.lost != nil {
		if err := f.lost(); err != nil {
			return nil, err
		}
	}
	return &ec2api.RunInstancesOutput{Instances: []ec2api.Instance{*i}}, nil
}

func (f *fakeEC2) TerminateInstances(ctx context.Context, in *ec2api.TerminateInstancesInput) (*ec2api.TerminateInstancesOutput, error) {
	f.called(ctx, "TerminateInstances "+in.InstanceIds[0])
	f.set(in.InstanceIds[0], "terminated")
	return &ec2api.TerminateInstancesOutput{}, nil
}

func (f *fakeEC2) set(id, state string) { f.instances[id].State = &ec2api.InstanceState{Name: &state} }

func (f *fakeEC2) DescribeInstances(context.Context, *ec2api.DescribeInstancesInput) (*ec2api.DescribeInstancesOutput, error) {
	out := &ec2api.DescribeInstancesOutput{}
	for _, i := range f.instances {
		out.Reservations = append(out.Reservations, ec2api.Reservation{Instances: []ec2api.Instance{*i}})
	}
	return out, nil
}

func (f *fakeEC2) DescribeSubnets(_ context.Context, in *ec2api.DescribeSubnetsInput) (*ec2api.DescribeSubnetsOutput, error) {
	out := &ec2api.DescribeSubnetsOutput{}
	for _, id := range in.SubnetIds {
		zone, ok := map[string]string{"subnet-a": "us-east-1a", "subnet-a2": "us-east-1a", "subnet-b": "us-east-1b", "subnet-c": "us-east-1c"}[id]
		if !ok {
			return nil, wire.Errorf(400, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
		out.Subnets = append(out.Subnets, ec2api.Subnet{SubnetId: &id, AvailabilityZone: &zone, VpcId: new("vpc-1")})
	}
	return out, nil
}

func (f *fakeEC2) DescribeLaunchTemplateVersions(_ context.Context, in *ec2api.DescribeLaunchTemplateVersionsInput) (*ec2api.DescribeLaunchTemplateVersionsOutput, error) {
	if aws.ToString(in.LaunchTemplateId) != "lt-1" && aws.ToString(in.LaunchTemplateName) != "shop" {
		return nil, wire.Errorf(400, "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", aws.ToString(in.LaunchTemplateId))
	}
	number := f.versions
	if v := in.Versions[0]; !strings.HasPrefix(v, "$") {
		fmt.Sscan(v, &number)
		if number > f.versions {
			return nil, wire.Errorf(400, "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %s for the launch template with ID lt-1.", v)
		}
	}
	return &ec2api.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []ec2api.LaunchTemplateVersion{
		{LaunchTemplateId: new("lt-1"), LaunchTemplateName: new("shop"), VersionNumber: &number}}}, nil
}

// fakeELB has two target groups; targets are healthy at once and gone at once, unless told otherwise.
type fakeELB struct {
	targets map[string]map[string]string
	fresh   string // state of new targets
	slow    bool   // targets drain until finish
}

func (f *fakeELB) group(arn *string) (map[string]string, error) {
	if g, ok := f.targets[*arn]; ok {
		return g, nil
	}
	return nil, wire.Errorf(400, "TargetGroupNotFound", "One or more target groups not found")
}

func (f *fakeELB) DescribeTargetGroups(_ context.Context, in *elbapi.DescribeTargetGroupsInput) (*elbapi.DescribeTargetGroupsOutput, error) {
	for _, arn := range in.TargetGroupArns {
		if _, err := f.group(&arn); err != nil {
			return nil, err
		}
	}
	return &elbapi.DescribeTargetGroupsOutput{}, nil
}

func (f *fakeELB) DescribeTargetHealth(_ context.Context, in *elbapi.DescribeTargetHealthInput) (*elbapi.DescribeTargetHealthOutput, error) {
	g, err := f.group(in.TargetGroupArn)
	out := &elbapi.DescribeTargetHealthOutput{}
	for id, state := range g {
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions,
			elbapi.TargetHealthDescription{Target: &elbapi.TargetDescription{Id: &id}, TargetHealth: &elbapi.TargetHealth{State: &state}})
	}
	return out, err
}

func (f *fakeELB) RegisterTargets(_ context.Context, in *elbapi.RegisterTargetsInput) (*elbapi.RegisterTargetsOutput, error) {
	g, err := f.group(in.TargetGroupArn)
	if err == nil {
		g[*in.Targets[0].Id] = f.fresh
	}
	return &elbapi.RegisterTargetsOutput{}, err
}

func (f *fakeELB) DeregisterTargets(_ context.Context, in *elbapi.DeregisterTargetsInput) (*elbapi.DeregisterTargetsOutput, error) {
	g, err := f.group(in.TargetGroupArn)
	if err == nil {
		g[*in.Targets[0].Id] = "draining"
		if !f.slow {
			delete(g, *in.Targets[0].Id)
		}
	}
	return &elbapi.DeregisterTargetsOutput{}, err
}

// finish ends the draining of all targets.
func (f *fakeELB) finish() {
	for _, g := range f.targets {
		maps.DeleteFunc(g, func(_, state string) bool { return state == "draining" })
	}
}

type fakeIAM struct{ created int }

func (f *fakeIAM) CreateServiceLinkedRole(_ context.Context, in *iamapi.CreateServiceLinkedRoleInput) (*iamapi.CreateServiceLinkedRoleOutput, error) {
	if *in.AWSServiceName != "autoscaling.amazonaws.com" {
		return nil, fmt.Errorf("a role for %s", *in.AWSServiceName)
	}
	if f.created++; f.created > 1 {
		return nil, wire.Errorf(400, "InvalidInput", "Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a different suffix.")
	}
	return &iamapi.CreateServiceLinkedRoleOutput{}, nil
}

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// harness is the service between fakes, with a client of AWS's SDK in front.
type harness struct {
	*testing.T
	ec2   *fakeEC2
	elb   *fakeELB
	iam   *fakeIAM
	clock *clock
	spot  map[string]autoscaling.SpotSignals

	store   *state.Store
	metrics *metrics.Store
	service *autoscaling.Service
	client  *client.Client
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c := &clock{time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
	h := &harness{
		T: t, clock: c, store: store, iam: &fakeIAM{}, spot: map[string]autoscaling.SpotSignals{}, metrics: metrics.New(c.now, time.Hour),
		ec2: &fakeEC2{t: t, clock: c, instances: map[string]*ec2api.Instance{}, tags: map[string]map[string]string{}, versions: 2},
		elb: &fakeELB{targets: map[string]map[string]string{targetGroup: {}, otherGroup: {}}, fresh: "healthy"},
	}
	h.start()
	return h
}

// start makes the service anew on the same state, as after a crash.
func (h *harness) start() {
	h.service = autoscaling.New(autoscaling.Config{
		Store: h.store, Region: region.Default(), Now: h.clock.now, EC2: h.ec2, LoadBalancing: h.elb, IAM: h.iam, Metrics: h.metrics,
		Spot: func(_ *state.Tx, id string) autoscaling.SpotSignals { return h.spot[id] },
	})
	h.client = client.NewFromConfig(wiretest.New(h.T, api.New(h.service)).Config())
}

// turn reconciles once, and wants it to succeed.
func (h *harness) turn() {
	h.Helper()
	if err := h.service.Reconcile(h.Context()); err != nil {
		h.Fatal(err)
	}
}

// settle reconciles as often as anything needs that waits for nothing.
func (h *harness) settle() {
	h.Helper()
	for range 8 {
		h.turn()
	}
}

// after lets time pass and settles.
func (h *harness) after(d time.Duration) {
	h.Helper()
	h.clock.t = h.clock.t.Add(d)
	h.settle()
}

// input is the group of the component compute, as the provider makes it.
func input() *client.CreateAutoScalingGroupInput {
	return &client.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("shop"), MinSize: aws.Int32(2), MaxSize: aws.Int32(4), VPCZoneIdentifier: aws.String("subnet-a,subnet-b"),
		TargetGroupARNs: []string{targetGroup}, HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int32(120), DefaultInstanceWarmup: aws.Int32(60),
		CapacityRebalance: aws.Bool(true), NewInstancesProtectedFromScaleIn: aws.Bool(false), MixedInstancesPolicy: mixed("1"),
		Tags: []types.Tag{
			{Key: aws.String("Name"), Value: aws.String("shop"), PropagateAtLaunch: aws.Bool(false), ResourceId: aws.String("shop"), ResourceType: aws.String("auto-scaling-group")},
			{Key: aws.String("Team"), Value: aws.String("web"), PropagateAtLaunch: aws.Bool(true), ResourceId: aws.String("shop"), ResourceType: aws.String("auto-scaling-group")},
		},
	}
}

func mixed(version string) *types.MixedInstancesPolicy {
	return &types.MixedInstancesPolicy{
		InstancesDistribution: &types.InstancesDistribution{OnDemandAllocationStrategy: aws.String("prioritized"), OnDemandBaseCapacity: aws.Int32(0),
			OnDemandPercentageAboveBaseCapacity: aws.Int32(0), SpotAllocationStrategy: aws.String("price-capacity-optimized"), SpotMaxPrice: aws.String("")},
		LaunchTemplate: &types.LaunchTemplate{
			LaunchTemplateSpecification: &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1"), Version: &version},
			Overrides:                   []types.LaunchTemplateOverrides{{InstanceType: aws.String("t3.small")}, {InstanceType: aws.String("t3a.small")}},
		},
	}
}

// create makes the group of input, changed by the given functions, and settles.
func (h *harness) create(change ...func(*client.CreateAutoScalingGroupInput)) {
	h.Helper()
	in := input()
	for _, f := range change {
		f(in)
	}
	must(h, h.client.CreateAutoScalingGroup, in)
	h.settle()
}

// must makes a call that succeeds.
func must[I, O any](h *harness, call func(context.Context, *I, ...func(*client.Options)) (*O, error), in *I) *O {
	h.Helper()
	out, err := call(h.Context(), in)
	if err != nil {
		h.Fatal(err)
	}
	return out
}

// refused makes a call that fails with the code and a message that contains the text.
func refused[I, O any](h *harness, call func(context.Context, *I, ...func(*client.Options)) (*O, error), in *I, code, text string) {
	h.Helper()
	_, err := call(h.Context(), in)
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		h.Errorf("got error %v, want %s: %s", err, code, text)
	}
}

func (h *harness) group() types.AutoScalingGroup {
	h.Helper()
	out := must(h, h.client.DescribeAutoScalingGroups, &client.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"shop"}})
	if len(out.AutoScalingGroups) != 1 {
		h.Fatalf("%d groups, want one", len(out.AutoScalingGroups))
	}
	return out.AutoScalingGroups[0]
}

// ids returns the IDs of the group's instances in a state, in the order of their launch.
func (h *harness) ids(states ...types.LifecycleState) []string {
	h.Helper()
	var ids []string
	for _, i := range h.group().Instances {
		if len(states) == 0 || slices.Contains(states, i.LifecycleState) {
			ids = append(ids, *i.InstanceId)
		}
	}
	return ids
}

func (h *harness) inService() []string { h.Helper(); return h.ids(types.LifecycleStateInService) }

// wantInService checks which instances are in service.
func (h *harness) wantInService(want ...string) {
	h.Helper()
	if got := h.inService(); !slices.Equal(got, want) {
		h.Errorf("in service: %v, want %v", got, want)
	}
}

// activities returns the group's activities, oldest first.
func (h *harness) activities() []types.Activity {
	h.Helper()
	out := must(h, h.client.DescribeScalingActivities, &client.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("shop")})
	slices.Reverse(out.Activities)
	return out.Activities
}

// wantCause checks that an activity's cause contains the text.
func (h *harness) wantCause(text string) {
	h.Helper()
	var causes []string
	for _, a := range h.activities() {
		if strings.Contains(*a.Cause, text) {
			return
		}
		causes = append(causes, *a.Cause)
	}
	h.Errorf("no activity was caused by %q:\n%s", text, strings.Join(causes, "\n"))
}

func (h *harness) setDesired(n int32) {
	h.Helper()
	must(h, h.client.SetDesiredCapacity, &client.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("shop"), DesiredCapacity: &n})
	h.settle()
}

func id(n int) string { return fmt.Sprintf("i-%017x", n) }
