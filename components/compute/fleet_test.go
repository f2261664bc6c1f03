package compute_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/compute"
	"storefront/components/internal/componenttest"
	"storefront/internal/golden"
)

const (
	template = "aws:ec2/launchTemplate:LaunchTemplate"
	group    = "aws:autoscaling/group:Group"
)

func args() *compute.Args {
	return &compute.Args{
		GroupName: "storefront-test-product", Region: "us-east-1", AccountID: pulumi.String(componenttest.Account),
		VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		Service: compute.Service{Name: "shop", Binary: "shopd", Arguments: []string{"product"}},
		Files: map[string]compute.SourceFile{
			"shopd":  {URL: pulumi.String("s3://artifacts/shopd-1"), SHA256: strings.Repeat("1a", 32)},
			"ca.pem": {URL: pulumi.String("s3://artifacts/ca.pem-2"), SHA256: strings.Repeat("2b", 32)},
		},
		Environment: pulumi.StringMap{
			"SHOP_LISTEN": pulumi.String(":8080"), "SHOP_DB_SECRET_ARN": pulumi.String("arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1-AbCdEf"),
		},
		Grants:  map[string]pulumi.StringInput{"artifacts": pulumi.String(`{"Version":"2012-10-17","Statement":[]}`)},
		ImageID: pulumi.String("ami-0123456789abcdef0"), InstanceTypes: []string{"t3.small", "t3a.small"}, Min: 2, Max: 4,
		Ingress:         map[string]compute.Peer{"loadbalancer": {Port: 8080, SecurityGroupID: pulumi.String("sg-lb")}},
		Egress:          map[string]compute.Peer{"database": {Port: 5432, SecurityGroupID: pulumi.String("sg-db")}, "aws": {Port: 443, CIDR: "0.0.0.0/0"}},
		TargetGroupARNs: pulumi.ToStringArray([]string{"arn:tg"}),
		Scaling:         compute.Scaling{CPU: 50, Requests: 1000, RequestLabel: pulumi.String("app/a/1/targetgroup/t/2")},
		Tags:            map[string]string{"Project": "storefront"},
	}
}

func run(t *testing.T, a *compute.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := compute.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

func TestFleet(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		template: 1, group: 1, "aws:autoscaling/lifecycleHook:LifecycleHook": 1, "aws:autoscaling/policy:Policy": 2,
		"aws:iam/role:Role": 1, "aws:iam/rolePolicy:RolePolicy": 2, "aws:iam/instanceProfile:InstanceProfile": 1,
		"aws:ec2/securityGroup:SecurityGroup": 1, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 1,
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 2,
	}
	r.CheckCounts(t, want)
}

func TestTemplate(t *testing.T) {
	lt := run(t, args()).One(t, template, "shop")
	lt.CheckInputs(t, map[string]any{
		"imageId": "ami-0123456789abcdef0", "keyName": nil, "securityGroupNames": nil, "vpcSecurityGroupIds": nil,
		"metadataOptions.httpTokens": "required", "metadataOptions.httpPutResponseHopLimit": 1.0, "metadataOptions.httpEndpoint": "enabled",
		"blockDeviceMappings[0].deviceName": "/dev/xvda", "blockDeviceMappings[0].ebs.encrypted": "true", "blockDeviceMappings[0].ebs.volumeType": "gp3",
		"blockDeviceMappings[0].ebs.kmsKeyId":           nil,
		"networkInterfaces[0].associatePublicIpAddress": "false", "networkInterfaces[0].securityGroups[0]": "sg-shop",
		"tagSpecifications[0].tags.Project": "storefront", "tagSpecifications[0].tags.Name": "shop",
	})
	if !slices.Equal(lt.Options.IgnoreChanges, []string{"imageId"}) {
		t.Errorf("ignored changes: %v, want imageId: a new AMI is no reason to replace the fleet", lt.Options.IgnoreChanges)
	}
	a := args()
	a.PinImage, a.KeyARN = true, pulumi.String("arn:key")
	run(t, a).One(t, template, "shop").CheckInputs(t, map[string]any{"blockDeviceMappings[0].ebs.kmsKeyId": "arn:key"})
	if got := run(t, a).One(t, template, "shop").Options.IgnoreChanges; len(got) != 0 {
		t.Errorf("with a pinned image, changes of %v are ignored", got)
	}
}

func TestGroup(t *testing.T) {
	g := run(t, args()).One(t, group, "shop")
	g.CheckInputs(t, map[string]any{
		"name": "storefront-test-product", "minSize": 2.0, "maxSize": 4.0, "desiredCapacity": nil, "availabilityZones": nil,
		"healthCheckType": "ELB", "healthCheckGracePeriod": 120.0, "capacityRebalance": true, "targetGroupArns[0]": "arn:tg", "minElbCapacity": 2.0,
		"mixedInstancesPolicy.instancesDistribution.spotAllocationStrategy":                "price-capacity-optimized",
		"mixedInstancesPolicy.instancesDistribution.onDemandBaseCapacity":                  0.0,
		"mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity":   0.0,
		"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version":          "7",
		"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateId": "lt-shop",
		"mixedInstancesPolicy.launchTemplate.overrides[0].instanceType":                    "t3.small",
		"mixedInstancesPolicy.launchTemplate.overrides[1].instanceType":                    "t3a.small",
		"instanceRefresh.strategy": "Rolling", "instanceRefresh.preferences.autoRollback": true,
		"instanceRefresh.preferences.minHealthyPercentage": 100.0,
	})
	for _, before := range []string{"shop-artifacts", "shop-instance", "shop-from-loadbalancer", "shop-to-aws", "shop-to-database"} {
		if !slices.Contains(g.DependsOn, before) {
			t.Errorf("instances may boot before %s: %v", before, g.DependsOn)
		}
	}
}

func TestOnDemandFleetHasNothingToRebalance(t *testing.T) {
	a := args()
	a.OnDemandPercentage = 100
	if got := run(t, a).One(t, group, "shop").Input("capacityRebalance"); got != false {
		t.Errorf("capacity rebalance is %v", got)
	}
}

func TestDrainHookAndScaling(t *testing.T) {
	r := run(t, args())
	r.One(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "shop-drain").CheckInputs(t, map[string]any{
		"name": "storefront-test-product-drain", "lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeatTimeout": 60.0, "defaultResult": "CONTINUE",
	})
	const metric = "targetTrackingConfiguration.predefinedMetricSpecification."
	r.One(t, "aws:autoscaling/policy:Policy", "shop-cpu").CheckInputs(t, map[string]any{
		"targetTrackingConfiguration.targetValue": 50.0, metric + "predefinedMetricType": "ASGAverageCPUUtilization", metric + "resourceLabel": nil,
	})
	r.One(t, "aws:autoscaling/policy:Policy", "shop-requests").CheckInputs(t, map[string]any{
		"targetTrackingConfiguration.targetValue": 1000.0, metric + "predefinedMetricType": "ALBRequestCountPerTarget", metric + "resourceLabel": "app/a/1/targetgroup/t/2",
	})
	a := args()
	a.Scaling = compute.Scaling{}
	if got := run(t, a).All("aws:autoscaling/policy:Policy"); len(got) != 0 {
		t.Errorf("policies that nobody asked for: %v", got)
	}
}

func TestRole(t *testing.T) {
	r := run(t, args())
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	r.One(t, "aws:iam/role:Role", "shop").CheckInputs(t, map[string]any{"assumeRolePolicy": trust, "managedPolicyArns": nil, "inlinePolicies": nil})
	const own = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"autoscaling:CompleteLifecycleAction",` +
		`"Resource":"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/storefront-test-product"},` +
		`{"Effect":"Allow","Action":["ssm:UpdateInstanceInformation","ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel",` +
		`"ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":"*"},` +
		`{"Effect":"Allow","Action":"elasticloadbalancing:DeregisterTargets","Resource":"arn:tg"}]}`
	r.One(t, "aws:iam/rolePolicy:RolePolicy", "shop-instance").CheckInputs(t, map[string]any{"policy": own, "role": "shop"})
}

// A role that is there before the fleet gets the fleet's grants, and no second one is made.
func TestRoleBeforeTheFleet(t *testing.T) {
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		role, err := compute.NewRole(ctx, "early", pulumi.Provider(p))
		if err != nil {
			return err
		}
		a := args()
		a.Role = role
		_, err = compute.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
	roles := r.All("aws:iam/role:Role")
	if len(roles) != 1 || roles[0].Name != "early" {
		t.Fatalf("roles: %v", roles)
	}
	if want := "storefront:compute:Role$aws:iam/role:Role::early"; roles[0].URN != want {
		t.Errorf("the role's URN is %s, want %s", roles[0].URN, want)
	}
	for _, name := range []string{"shop-instance", "shop-artifacts"} {
		r.One(t, "aws:iam/rolePolicy:RolePolicy", name).CheckInputs(t, map[string]any{"role": "early"})
	}
	r.One(t, "aws:iam/instanceProfile:InstanceProfile", "shop").CheckInputs(t, map[string]any{"role": "early"})
}

func TestBacklog(t *testing.T) {
	a := args()
	a.Scaling = compute.Scaling{Backlog: 100, BacklogQueue: pulumi.String("orders")}
	r := run(t, a)
	const metrics = "targetTrackingConfiguration.customizedMetricSpecification.metrics"
	r.One(t, "aws:autoscaling/policy:Policy", "shop-backlog").CheckInputs(t, map[string]any{
		"targetTrackingConfiguration.targetValue": 100.0, "targetTrackingConfiguration.predefinedMetricSpecification": nil,
		metrics + "[0].id": "m1", metrics + "[0].returnData": false, metrics + "[0].metricStat.stat": "Average",
		metrics + "[0].metricStat.metric.namespace":           "AWS/SQS",
		metrics + "[0].metricStat.metric.metricName":          "ApproximateNumberOfMessagesVisible",
		metrics + "[0].metricStat.metric.dimensions[0].name":  "QueueName",
		metrics + "[0].metricStat.metric.dimensions[0].value": "orders",
		metrics + "[1].metricStat.metric.namespace":           "AWS/AutoScaling",
		metrics + "[1].metricStat.metric.metricName":          "GroupInServiceInstances",
		metrics + "[1].metricStat.metric.dimensions[0].value": "storefront-test-product",
		metrics + "[2].expression":                            "m1 / m2",
		metrics + "[2].returnData":                            true,
	})
	found := false
	for i := range 5 {
		found = found || r.One(t, group, "shop").Input(fmt.Sprintf("enabledMetrics[%d]", i)) == "GroupInServiceInstances"
	}
	if !found {
		t.Error("the group does not publish how many instances are in service: there is nothing to divide by")
	}
}

func TestSecurityGroup(t *testing.T) {
	r := run(t, args())
	r.One(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "shop-from-loadbalancer").CheckInputs(t, map[string]any{
		"fromPort": 8080.0, "toPort": 8080.0, "ipProtocol": "tcp", "referencedSecurityGroupId": "sg-lb", "cidrIpv4": nil,
	})
	r.One(t, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "shop-to-aws").CheckInputs(t, map[string]any{
		"fromPort": 443.0, "toPort": 443.0, "ipProtocol": "tcp", "referencedSecurityGroupId": nil, "cidrIpv4": "0.0.0.0/0",
	})
}

func script(t *testing.T, a *compute.Args) string {
	t.Helper()
	encoded := run(t, a).One(t, template, "shop").Input("userData").(string)
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestUserData(t *testing.T) {
	got := script(t, args())
	golden.Compare(t, "testdata/userdata.sh", got)
	check := exec.Command("bash", "-n")
	check.Stdin = strings.NewReader(got)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v\n%s", err, out)
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*compute.Args)
		want   error
	}{
		"types":    {func(a *compute.Args) { a.InstanceTypes = nil }, compute.ErrArgs},
		"sizes":    {func(a *compute.Args) { a.Min = 5 }, compute.ErrArgs},
		"spot":     {func(a *compute.Args) { a.OnDemandPercentage = 101 }, compute.ErrArgs},
		"drain":    {func(a *compute.Args) { a.DrainSeconds = 5 }, compute.ErrArgs},
		"label":    {func(a *compute.Args) { a.Scaling.RequestLabel = nil }, compute.ErrArgs},
		"queue":    {func(a *compute.Args) { a.Scaling = compute.Scaling{Backlog: 1} }, compute.ErrArgs},
		"negative": {func(a *compute.Args) { a.Scaling.CPU = -1 }, compute.ErrArgs},
		"peer":     {func(a *compute.Args) { a.Egress["x"] = compute.Peer{Port: 1} }, compute.ErrArgs},
		"secret": {func(a *compute.Args) {
			a.Environment["PASSWORD"] = pulumi.ToSecret(pulumi.String("x")).(pulumi.StringOutput)
		}, compute.ErrSecret},
		"variable": {func(a *compute.Args) { a.Environment["lower"] = pulumi.String("x") }, compute.ErrUserData},
		"command":  {func(a *compute.Args) { a.Environment["A"] = pulumi.String("$(reboot)") }, compute.ErrUserData},
		"newline":  {func(a *compute.Args) { a.Environment["A"] = pulumi.String("x\nB=y") }, compute.ErrUserData},
		"program":  {func(a *compute.Args) { a.Service.Binary = "other" }, compute.ErrUserData},
		"argument": {func(a *compute.Args) { a.Service.Arguments = []string{"a b"} }, compute.ErrUserData},
		"too long": {func(a *compute.Args) { a.Environment["A"] = pulumi.String(strings.Repeat("x", 16<<10)) }, compute.ErrUserData},
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			tt.change(a)
			_, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := compute.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
			if !errors.Is(err, tt.want) && !strings.Contains(fmt.Sprint(err), tt.want.Error()) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
