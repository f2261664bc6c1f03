package cache_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/cache"
	"storefront/components/internal/componenttest"
)

const (
	key   = "arn:aws:kms:us-east-1:123456789012:key/k"
	topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	group = "aws:elasticache/replicationGroup:ReplicationGroup"
	alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

func args() *cache.Args {
	return &cache.Args{
		Identifier: "shop-test", VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}), KeyARN: pulumi.String(key),
		Version: "7.1", NodeType: "cache.r7g.large", Replicas: 1, SnapshotDays: 1, FinalSnapshot: true,
		AlarmActions: []pulumi.StringInput{pulumi.String(topic)},
	}
}

func run(t *testing.T, a *cache.Args, then ...func(*pulumi.Context, *cache.Cache) error) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		c, err := cache.New(ctx, "shop", a, pulumi.Provider(p))
		for _, f := range then {
			if err == nil {
				err = f(ctx, c)
			}
		}
		return err
	})
}

func TestCache(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		group: 1, "aws:elasticache/subnetGroup:SubnetGroup": 1, "aws:elasticache/parameterGroup:ParameterGroup": 1, "aws:ec2/securityGroup:SecurityGroup": 1,
		"aws:cloudwatch/logGroup:LogGroup": 2, "aws:secretsmanager/secret:Secret": 1, "aws:secretsmanager/secretVersion:SecretVersion": 1, alarm: 8,
	}
	r.CheckCounts(t, want)
	r.One(t, group, "shop").CheckInputs(t, map[string]any{
		"replicationGroupId": "shop-test", "engine": "redis", "engineVersion": "7.1", "autoMinorVersionUpgrade": true, "nodeType": "cache.r7g.large",
		"numCacheClusters": 2.0, "automaticFailoverEnabled": true, "multiAzEnabled": true, "port": 6379.0,
		"transitEncryptionEnabled": true, "transitEncryptionMode": "required", "atRestEncryptionEnabled": true, "kmsKeyId": key,
		"subnetGroupName": "shop", "parameterGroupName": "shop", "securityGroupIds[0]": "sg-shop", "snapshotRetentionLimit": 1.0,
		"finalSnapshotIdentifier": "shop-test-final", "applyImmediately": false,
		"logDeliveryConfigurations[0].logType": "engine-log", "logDeliveryConfigurations[0].destinationType": "cloudwatch-logs",
		"logDeliveryConfigurations[0].destination": "/aws/vendedlogs/elasticache/shop-test/engine-log",
		"logDeliveryConfigurations[1].logType":     "slow-log", "logDeliveryConfigurations[1].logFormat": "json",
	})
	for _, kind := range []string{"engine-log", "slow-log"} {
		r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-"+kind).CheckInputs(t, map[string]any{
			"name": "/aws/vendedlogs/elasticache/shop-test/" + kind, "kmsKeyId": key, "retentionInDays": 30.0,
		})
	}
}

// The token of the cache is that of the secret's version, whatever a later run of the program draws.
func TestToken(t *testing.T) {
	r := run(t, args())
	g, v := r.One(t, group, "shop"), r.One(t, "aws:secretsmanager/secretVersion:SecretVersion", "shop-token")
	if got := g.Input("authToken"); got != componenttest.Drawn || !g.Secret("authToken") {
		t.Errorf("token %v, marked as a secret: %v", got, g.Secret("authToken"))
	}
	if got := v.Input("secretString"); got != `{"token":"`+componenttest.Drawn+`"}` || !v.Secret("secretString") {
		t.Errorf("secret %v, marked as a secret: %v", got, v.Secret("secretString"))
	}
	found := false
	for _, name := range g.DependsOn {
		found = found || name == v.Name
	}
	if !found {
		t.Errorf("the cache takes its token from elsewhere than the secret's version: %v", g.DependsOn)
	}
}

func TestParameters(t *testing.T) {
	for _, tt := range []struct {
		engine          cache.Engine
		version, family string
	}{{cache.Redis, "7.1", "redis7"}, {cache.Valkey, "7.2", "valkey7"}, {cache.Valkey, "8.0", "valkey8"}} {
		a := args()
		a.Engine, a.Version = tt.engine, tt.version
		r := run(t, a)
		r.One(t, "aws:elasticache/parameterGroup:ParameterGroup", "shop").CheckInputs(t, map[string]any{
			"family": tt.family, "name": nil, "parameters[0].name": "maxmemory-policy", "parameters[0].value": "allkeys-lru",
		})
		r.One(t, group, "shop").CheckInputs(t, map[string]any{
			"engine": string(tt.engine), "engineVersion": tt.version, "autoMinorVersionUpgrade": tt.version == "7.1",
		})
	}
}

func TestNoFailover(t *testing.T) {
	a := args()
	a.Replicas, a.NoFailover, a.FinalSnapshot = 0, true, false
	r := run(t, a)
	r.One(t, group, "shop").CheckInputs(t, map[string]any{
		"numCacheClusters": 1.0, "automaticFailoverEnabled": false, "multiAzEnabled": false, "finalSnapshotIdentifier": nil,
	})
	if got := len(r.All(alarm)); got != 3 {
		t.Errorf("%d alarms, want no lag watched where there is no replica", got)
	}
}

func TestAlarms(t *testing.T) {
	r := run(t, args())
	for _, number := range []string{"001", "002"} {
		r.One(t, alarm, fmt.Sprintf("shop-%s-memory", number)).CheckInputs(t, map[string]any{
			"namespace": "AWS/ElastiCache", "metricName": "DatabaseMemoryUsagePercentage", "dimensions.CacheClusterId": "shop-test-" + number,
			"threshold": 90.0, "alarmActions[0]": topic,
		})
		r.One(t, alarm, "shop-"+number+"-lag").CheckInputs(t, map[string]any{"metricName": "ReplicationLag", "threshold": 10.0})
	}
}

// Each kind of data may have a key of its own, and who reads the token may use that of the token alone.
func TestAccess(t *testing.T) {
	const secretKey, logKey = key + "-secrets", key + "-logs"
	a := args()
	a.SecretKeyARN, a.LogKeyARN = pulumi.String(secretKey), pulumi.String(logKey)
	r := run(t, a, func(ctx *pulumi.Context, c *cache.Cache) error {
		c.GrantSecretRead().ApplyT(func(got string) error {
			const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue",` +
				`"Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-token-AbCdEf"},` +
				`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + secretKey + `","Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}}}]}`
			if got != want {
				t.Errorf("grant:\ngot  %s\nwant %s", got, want)
			}
			return nil
		})
		return c.AllowFrom(ctx, "product", pulumi.String("sg-servers"))
	})
	r.One(t, "aws:elasticache/replicationGroup:ReplicationGroup", "shop").CheckInputs(t, map[string]any{"kmsKeyId": key})
	r.One(t, "aws:secretsmanager/secret:Secret", "shop-token").CheckInputs(t, map[string]any{"kmsKeyId": secretKey})
	r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-slow-log").CheckInputs(t, map[string]any{"kmsKeyId": logKey})
	rules := r.All("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
	if len(rules) != 1 {
		t.Fatalf("rules: %v", rules)
	}
	rules[0].CheckInputs(t, map[string]any{"referencedSecurityGroupId": "sg-servers", "fromPort": 6379.0, "toPort": 6379.0, "cidrIpv4": nil})
	if out := r.All("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"); len(out) != 0 {
		t.Errorf("the cache may reach out: %v", out)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*cache.Args){
		"engine":     func(a *cache.Args) { a.Engine = "memcached" },
		"version":    func(a *cache.Args) { a.Version = "7" },
		"too old":    func(a *cache.Args) { a.Version = "6.2" },
		"identifier": func(a *cache.Args) { a.Identifier = "a-name-that-is-much-too-long-for-elasticache" },
		"letters":    func(a *cache.Args) { a.Identifier = "Shop_Test" },
		"node type":  func(a *cache.Args) { a.NodeType = "r7g.large" },
		"replicas":   func(a *cache.Args) { a.Replicas = 6 },
		"failover":   func(a *cache.Args) { a.Replicas = 0 },
		"eviction":   func(a *cache.Args) { a.Eviction = "oldest" },
		"snapshots":  func(a *cache.Args) { a.SnapshotDays = 36 },
		"recovery":   func(a *cache.Args) { a.RecoveryDays = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			refused(t, a)
		})
	}
}

func refused(t *testing.T, a *cache.Args) {
	t.Helper()
	componenttest.CheckRefused(t, cache.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := cache.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

// Whatever the strings are, the cache is refused with ErrArgs or has an identifier that AWS takes.
func FuzzNames(f *testing.F) {
	f.Add("shop-test", "7.1", "cache.t4g.micro", "allkeys-lru")
	f.Add("Shop", "7", "t4g.micro", "")
	f.Add("a-name-that-is-much-too-long-for-elasticache", "", "", "x")
	form := regexp.MustCompile(`^[a-z](-?[0-9a-z]){0,39}$`)
	f.Fuzz(func(t *testing.T, identifier, version, node, eviction string) {
		a := args()
		a.Identifier, a.Version, a.NodeType, a.Eviction = identifier, version, node, eviction
		r, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
			_, err := cache.New(ctx, "shop", a, pulumi.Provider(p))
			return err
		})
		if err != nil {
			if !errors.Is(err, cache.ErrArgs) {
				t.Errorf("%q, %q, %q, %q: %v", identifier, version, node, eviction, err)
			}
			return
		}
		if got := r.One(t, group, "shop").Input("replicationGroupId").(string); !form.MatchString(got) || len(got) > 40 {
			t.Errorf("identifier %q", got)
		}
	})
}
