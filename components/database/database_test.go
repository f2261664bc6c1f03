package database_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/database"
	"storefront/components/internal/componenttest"
)

const (
	instance = "aws:rds/clusterInstance:ClusterInstance"
	key      = "arn:aws:kms:us-east-1:123456789012:key/k"
	topic    = "arn:aws:sns:us-east-1:123456789012:alarms"
	alarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

func args() *database.Args {
	return &database.Args{
		Identifier: "shop-test", VpcID: pulumi.String("vpc-1"), SubnetGroup: pulumi.String("data"), KeyARN: pulumi.String(key),
		Version: "16.6", Name: "shop",
		Writer:  database.Instance{Class: "db.r6g.large", Zone: "us-east-1a"},
		Readers: map[string]database.Instance{"1": {Class: "db.r6g.large", Zone: "us-east-1b"}},
	}
}

func run(t *testing.T, a *database.Args, then ...func(*pulumi.Context, *database.Database) error) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		d, err := database.New(ctx, "shop", a, pulumi.Provider(p))
		for _, f := range then {
			if err == nil {
				err = f(ctx, d)
			}
		}
		return err
	})
}

func TestDatabase(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		"aws:rds/cluster:Cluster": 1, instance: 2, "aws:rds/clusterParameterGroup:ClusterParameterGroup": 1,
		"aws:ec2/securityGroup:SecurityGroup": 1, "aws:cloudwatch/logGroup:LogGroup": 1,
	}
	r.CheckCounts(t, want)
	c := r.One(t, "aws:rds/cluster:Cluster", "shop")
	for name, want := range map[string]any{
		"engine": "aurora-postgresql", "engineVersion": "16.6", "storageEncrypted": true, "kmsKeyId": key,
		"manageMasterUserPassword": true, "masterUserSecretKmsKeyId": key, "masterPassword": nil, "masterUsername": "storefront",
		"iamDatabaseAuthenticationEnabled": true, "availabilityZones": nil, "port": 5432.0, "backupRetentionPeriod": 7.0,
		"copyTagsToSnapshot": true, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "shop-test-final",
		"enabledCloudwatchLogsExports[0]": "postgresql", "vpcSecurityGroupIds[0]": "sg-shop",
	} {
		if got := c.Input(name); got != want {
			t.Errorf("cluster %s: got %v, want %v", name, got, want)
		}
	}
	if !slices.Contains(c.DependsOn, "shop-logs") {
		t.Errorf("the cluster does not wait for its log group: %v", c.DependsOn)
	}
	logs := r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-logs")
	if logs.Input("name") != "/aws/rds/cluster/shop-test/postgresql" || logs.Input("retentionInDays") != 30.0 || logs.Input("kmsKeyId") != key {
		t.Errorf("log group: %v", logs.Inputs)
	}
}

func TestTLSIsForced(t *testing.T) {
	for version, family := range map[string]string{"15.10": "aurora-postgresql15", "16.6": "aurora-postgresql16"} {
		a := args()
		a.Version = version
		g := run(t, a).One(t, "aws:rds/clusterParameterGroup:ClusterParameterGroup", "shop")
		if g.Input("family") != family {
			t.Errorf("%s: family %v, want %s", version, g.Input("family"), family)
		}
		values := map[any]any{}
		for _, p := range g.Input("parameters").([]any) {
			m := p.(map[string]any)
			values[m["name"]] = m["value"]
		}
		want := map[any]any{"rds.force_ssl": "1", "log_lock_waits": "1", "log_statement": "ddl", "log_min_duration_statement": "1000"}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("parameters (-want +got):\n%s", diff)
		}
	}
}

func TestInstances(t *testing.T) {
	r := run(t, args())
	w, reader := r.One(t, instance, "shop-writer"), r.One(t, instance, "shop-reader-1")
	if w.Input("promotionTier") != 0.0 || reader.Input("promotionTier") != 1.0 {
		t.Errorf("promotion tiers: writer %v, reader %v", w.Input("promotionTier"), reader.Input("promotionTier"))
	}
	if !slices.Contains(reader.DependsOn, "shop-writer") {
		t.Errorf("the reader does not wait for the writer: %v", reader.DependsOn)
	}
	for _, i := range []componenttest.Resource{w, reader} {
		if i.Input("publiclyAccessible") != false || i.Input("autoMinorVersionUpgrade") != false || i.Input("performanceInsightsEnabled") != false ||
			i.Input("monitoringRoleArn") != nil || !slices.Equal(i.Options.IgnoreChanges, []string{"availabilityZone"}) {
			t.Errorf("%s: %v, %+v", i.Name, i.Inputs, i.Options)
		}
	}
}

// Only a version without a minor one may be raised by AWS: another one would be proposed to go back.
func TestMinorVersions(t *testing.T) {
	for version, follows := range map[string]bool{"16": true, "16.6": false} {
		a := args()
		a.Version = version
		r := run(t, a)
		if got := r.One(t, instance, "shop-writer").Input("autoMinorVersionUpgrade"); got != follows {
			t.Errorf("version %s: upgrades by itself: %v, want %v", version, got, follows)
		}
	}
}

// One reader more changes none of the others.
func TestAddingAReaderMovesNothing(t *testing.T) {
	before := run(t, args())
	a := args()
	a.Readers["0"] = database.Instance{Class: "db.r6g.xlarge"}
	after := run(t, a)
	for _, old := range before.All(instance) {
		now := after.One(t, instance, old.Name)
		if fmt.Sprint(old.Inputs) != fmt.Sprint(now.Inputs) || old.URN != now.URN {
			t.Errorf("%s changed from %v to %v", old.Name, old.Inputs, now.Inputs)
		}
	}
	if got := len(after.All(instance)); got != 3 {
		t.Errorf("%d instances, want 3", got)
	}
}

func TestMonitoringAndScaling(t *testing.T) {
	a := args()
	a.PerformanceInsights, a.MonitoringSeconds = true, 60
	a.Scaling = &database.Scaling{Min: 1, Max: 4, TargetCPU: 60}
	r := run(t, a)
	i := r.One(t, instance, "shop-writer")
	if i.Input("performanceInsightsEnabled") != true || i.Input("performanceInsightsKmsKeyId") != key || i.Input("monitoringInterval") != 60.0 ||
		i.Input("monitoringRoleArn") != "arn:aws:iam::123456789012:role/shop-monitoring" {
		t.Errorf("instance: %v", i.Inputs)
	}
	const write = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:PutRetentionPolicy"],` +
		`"Resource":"arn:*:logs:*:*:log-group:RDS*"},{"Effect":"Allow","Action":["logs:CreateLogStream","logs:DescribeLogStreams",` +
		`"logs:GetLogEvents","logs:PutLogEvents"],"Resource":"arn:*:logs:*:*:log-group:RDS*:log-stream:*"}]}`
	if got := r.One(t, "aws:iam/rolePolicy:RolePolicy", "shop-monitoring").Input("policy"); got != write {
		t.Errorf("monitoring policy:\ngot  %v\nwant %s", got, write)
	}
	target := r.One(t, "aws:appautoscaling/target:Target", "shop-readers")
	if target.Input("resourceId") != "cluster:shop-test" || target.Input("minCapacity") != 1.0 || target.Input("maxCapacity") != 4.0 ||
		target.Input("scalableDimension") != "rds:cluster:ReadReplicaCount" {
		t.Errorf("target: %v", target.Inputs)
	}
	for _, named := range []string{"shop-writer", "shop-reader-1"} { // or the service would make readers of its own to keep the minimum
		if !slices.Contains(target.DependsOn, named) {
			t.Errorf("the scaling does not wait for %s: %v", named, target.DependsOn)
		}
	}
	if p := r.One(t, "aws:appautoscaling/policy:Policy", "shop-readers"); p.Input("targetTrackingScalingPolicyConfiguration.targetValue") != 60.0 {
		t.Errorf("policy: %v", p.Inputs)
	}
}

func TestAlarms(t *testing.T) {
	a := args()
	a.AlarmActions = []pulumi.StringInput{pulumi.String(topic)}
	r := run(t, a)
	for name, want := range map[string]map[string]any{
		"shop-database-writer-cpu": {"metricName": "CPUUtilization", "dimensions.Role": "WRITER", "threshold": 80.0},
		"shop-database-lag":        {"metricName": "AuroraReplicaLag", "dimensions.Role": "READER", "threshold": 1000.0},
		"shop-database-writer-memory": {
			"metricName": "FreeableMemory", "comparisonOperator": "LessThanOrEqualToThreshold", "statistic": "Minimum",
			"alarmActions[0]": topic, "okActions[0]": topic, "namespace": "AWS/RDS", "dimensions.DBClusterIdentifier": "shop-test",
		},
	} {
		for path, want := range want {
			if got := r.One(t, alarm, name).Input(path); got != want {
				t.Errorf("%s %s: got %v, want %v", name, path, got, want)
			}
		}
	}
	a.Readers = nil
	if got := len(run(t, a).All(alarm)); got != 2 {
		t.Errorf("%d alarms without a reader, want 2", got)
	}
	if got := run(t, args()).All(alarm); len(got) != 0 {
		t.Errorf("alarms that tell nobody: %v", got)
	}
}

// Each kind of data may have a key of its own, and who reads the password may use that of the password alone.
func TestAccess(t *testing.T) {
	const secretKey, logKey = key + "-secrets", key + "-logs"
	a := args()
	a.SecretKeyARN, a.LogKeyARN = pulumi.String(secretKey), pulumi.String(logKey)
	r := run(t, a, func(ctx *pulumi.Context, d *database.Database) error {
		d.GrantSecretRead().ApplyT(func(got string) error {
			const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue",` +
				`"Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-shop-test-AbCdEf"},` +
				`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + secretKey + `","Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}}}]}`
			if got != want {
				t.Errorf("grant:\ngot  %s\nwant %s", got, want)
			}
			return nil
		})
		return d.AllowFrom(ctx, "product", pulumi.String("sg-servers"))
	})
	r.One(t, "aws:rds/cluster:Cluster", "shop").CheckInputs(t, map[string]any{"kmsKeyId": key, "masterUserSecretKmsKeyId": secretKey})
	r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-logs").CheckInputs(t, map[string]any{"kmsKeyId": logKey})
	rules := r.All("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
	if len(rules) != 1 || rules[0].Input("referencedSecurityGroupId") != "sg-servers" || rules[0].Input("fromPort") != 5432.0 ||
		rules[0].Input("toPort") != 5432.0 || rules[0].Input("cidrIpv4") != nil {
		t.Errorf("rules: %v", rules)
	}
	if out := r.All("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"); len(out) != 0 {
		t.Errorf("the database may reach out: %v", out)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*database.Args){
		"version":    func(a *database.Args) { a.Version = "16." },
		"identifier": func(a *database.Args) { a.Identifier = "Shop_Test" },
		"admin":      func(a *database.Args) { a.AdminName = "admin" },
		"port":       func(a *database.Args) { a.Port = 80 },
		"backups":    func(a *database.Args) { a.BackupDays = 36 },
		"monitoring": func(a *database.Args) { a.MonitoringSeconds = 7 },
		"scaling":    func(a *database.Args) { a.Scaling = &database.Scaling{Min: 3, Max: 2} },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, database.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := database.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
