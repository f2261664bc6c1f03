package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// reaches tries a TCP connection from inside an instance. Packets that a group drops run into the deadline.
func (d *deployment) reaches(t *testing.T, instance, host string, port int) bool {
	t.Helper()
	_, status, err := d.exec(t.Context(), instance, "", fmt.Sprintf("timeout 3 bash -c '</dev/tcp/%s/%d'", host, port))
	if err != nil {
		t.Fatal(err)
	}
	return status == 0
}

// databaseIsPrivate starts an instance in a public subnet, with a group that lets everything out, and tries to reach the database.
func databaseIsPrivate(t *testing.T, d *deployment) {
	if !d.reaches(t, d.awaitFleet(t)[0], d.out.DatabaseWriter, d.out.DatabasePort) {
		t.Fatal("the fleet itself cannot reach the database: the test would prove nothing")
	}
	api := ec2.NewFromConfig(d.aws)
	group, err := api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: new("stranger"), Description: new("An instance without business here"), VpcId: &d.out.VpcID})
	if err != nil {
		t.Fatal(err)
	}
	subnets := d.out.Subnets["public"]
	subnet := subnets[slices.Sorted(maps.Keys(subnets))[0]]
	image := imageOf(t, d)
	run, err := api.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: &image, InstanceType: types.InstanceTypeT3Micro, MinCount: new(int32(1)), MaxCount: new(int32(1)),
		SubnetId: &subnet, SecurityGroupIds: []string{*group.GroupId}})
	if err != nil {
		t.Fatal(err)
	}
	id := *run.Instances[0].InstanceId
	t.Cleanup(func() { d.remove(t, id, *group.GroupId) })
	waiter := ec2.NewInstanceRunningWaiter(api, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Second })
	if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	for name, host := range map[string]string{"Writer": d.out.DatabaseWriter, "Reader": d.out.DatabaseReader} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d.reaches(t, id, host, d.out.DatabasePort) {
				t.Errorf("an instance in the public subnet reaches %s", host)
			}
		})
	}
}

// remove takes away what a test made outside Pulumi.
func (d *deployment) remove(t *testing.T, instance, group string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	api := ec2.NewFromConfig(d.aws)
	if _, err := api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instance}}); err != nil {
		t.Error(err)
	}
	waiter := ec2.NewInstanceTerminatedWaiter(api, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second })
	if err := waiter.Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{instance}}, time.Minute); err != nil {
		t.Error(err)
	}
	if _, err := api.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &group}); err != nil {
		t.Error(err)
	}
}

func imageOf(t *testing.T, d *deployment) string {
	t.Helper()
	out, err := ec2.NewFromConfig(d.aws).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: d.awaitFleet(t)[:1]})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Reservations[0].Instances[0].ImageId
}

// needsRoute takes the ways to S3 away from the private subnets and gives them back with `up`.
func needsRoute(t *testing.T, d *deployment) {
	instance := d.awaitFleet(t)[0]
	download := fmt.Sprintf("timeout 8 aws s3 cp s3://%s/$(cat /dev/stdin) /tmp/artifact", d.out.ArtifactBucket)
	key := artifactKey(t, d)
	try := func() (string, bool) {
		out, status, err := d.exec(t.Context(), instance, key, download)
		if err != nil {
			t.Fatal(err)
		}
		return out, status == 0
	}
	if out, ok := try(); !ok {
		t.Fatalf("with an endpoint and NAT: %s", out)
	}
	closeRoutes(t, d)
	eventually(t, "wait until S3 is out of reach", 30*time.Second, func() error {
		if _, ok := try(); ok {
			return fmt.Errorf("S3 still answers without endpoint and NAT")
		}
		return nil
	})
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config), optup.Refresh()); err != nil {
		t.Fatalf("repairing: %v", err)
	}
	eventually(t, "wait until S3 is in reach again", 30*time.Second, func() error {
		if out, ok := try(); !ok {
			return fmt.Errorf("after the repair: %s", out)
		}
		return nil
	})
	d.awaitFleet(t)
}

// closeRoutes removes, outside Pulumi, the default routes of the private subnets and the S3 endpoint from their route tables.
func closeRoutes(t *testing.T, d *deployment) {
	t.Helper()
	api := ec2.NewFromConfig(d.aws)
	private := slices.Collect(maps.Values(d.out.Subnets["private"]))
	tables, err := api.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: new("association.subnet-id"), Values: private}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, table := range tables.RouteTables {
		ids = append(ids, *table.RouteTableId)
		for _, r := range table.Routes {
			if r.NatGatewayId != nil {
				if _, err := api.DeleteRoute(t.Context(), &ec2.DeleteRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: r.DestinationCidrBlock}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	endpoints, err := api.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{{Name: new("vpc-id"), Values: []string{d.out.VpcID}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints.VpcEndpoints {
		if e.VpcEndpointType == types.VpcEndpointTypeGateway {
			if _, err := api.ModifyVpcEndpoint(t.Context(), &ec2.ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId, RemoveRouteTableIds: ids}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
