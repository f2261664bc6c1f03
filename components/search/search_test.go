package search_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/search"
)

const (
	key    = "arn:aws:kms:us-east-1:123456789012:key/k"
	topic  = "arn:aws:sns:us-east-1:123456789012:alarms"
	role   = "arn:aws:iam::123456789012:role/summary"
	arn    = "arn:aws:es:us-east-1:123456789012:domain/shop-test"
	domain = "aws:elasticsearch/domain:Domain"
	newer  = "aws:opensearch/domain:Domain"
	alarm  = "aws:cloudwatch/metricAlarm:MetricAlarm"
	linked = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
	logs   = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
)

func args() *search.Args {
	return &search.Args{
		Name: "shop-test", Region: "us-east-1", AccountID: pulumi.String(componenttest.Account), VpcID: pulumi.String("vpc-1"),
		SubnetIDs: []pulumi.StringInput{pulumi.String("subnet-1"), pulumi.String("subnet-2")}, KeyARN: pulumi.String(key),
		Version: "7.10", InstanceType: "t3.small", Nodes: 2,
		MasterRoleARN: pulumi.String(role), RoleARNs: []pulumi.StringInput{pulumi.String(role)},
		AlarmActions: []pulumi.StringInput{pulumi.String(topic)},
	}
}

func run(t *testing.T, a *search.Args, then ...func(*pulumi.Context, *search.Domain) error) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		d, err := search.New(ctx, "shop", a, pulumi.Provider(p))
		for _, f := range then {
			if err == nil {
				err = f(ctx, d)
			}
		}
		return err
	})
}

// safe is what a domain of either engine is made with.
var safe = map[string]any{
	"domainName": "shop-test", "clusterConfig.instanceCount": 2.0, "clusterConfig.zoneAwarenessEnabled": true,
	"clusterConfig.zoneAwarenessConfig.availabilityZoneCount": 2.0, "clusterConfig.dedicatedMasterEnabled": false,
	"ebsOptions.volumeType": "gp3", "ebsOptions.volumeSize": 10.0, "vpcOptions.subnetIds[1]": "subnet-2", "vpcOptions.securityGroupIds[0]": "sg-shop",
	"encryptAtRest.enabled": true, "encryptAtRest.kmsKeyId": key, "nodeToNodeEncryption.enabled": true,
	"domainEndpointOptions.enforceHttps": true, "domainEndpointOptions.tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07",
	"advancedSecurityOptions.enabled": true, "advancedSecurityOptions.internalUserDatabaseEnabled": false,
	"advancedSecurityOptions.masterUserOptions.masterUserArn": role,
	"accessPolicies":                                `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"es:ESHttp*","Resource":"` + arn + `/*"}]}`,
	"logPublishingOptions[0].logType":               "INDEX_SLOW_LOGS",
	"logPublishingOptions[3].logType":               "AUDIT_LOGS",
	"logPublishingOptions[3].cloudwatchLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/aes/domains/shop-test/audit-logs",
}

func TestElasticsearch(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{domain: 1, linked: 1, logs: 1, "aws:cloudwatch/logGroup:LogGroup": 4, "aws:ec2/securityGroup:SecurityGroup": 1, alarm: 6}
	r.CheckCounts(t, want)
	d := r.One(t, domain, "shop")
	d.CheckInputs(t, safe)
	d.CheckInputs(t, map[string]any{"elasticsearchVersion": "7.10", "clusterConfig.instanceType": "t3.small.elasticsearch"})
	r.One(t, linked, "shop").CheckInputs(t, map[string]any{"awsServiceName": "es.amazonaws.com"})
	if got := slices.DeleteFunc(slices.Clone(d.DependsOn), func(n string) bool { return n != "shop" }); len(got) < 2 {
		t.Errorf("the domain does not wait for its role and the policy of its logs: %v", d.DependsOn)
	}
}

func TestOpenSearch(t *testing.T) {
	a := args()
	a.Engine, a.Version = search.OpenSearch, "2.17"
	r := run(t, a)
	d := r.One(t, newer, "shop")
	d.CheckInputs(t, safe)
	d.CheckInputs(t, map[string]any{
		"engineVersion": "OpenSearch_2.17", "clusterConfig.instanceType": "t3.small.search",
		"offPeakWindowOptions.enabled": true, "softwareUpdateOptions.autoSoftwareUpdateEnabled": true,
	})
	r.One(t, linked, "shop").CheckInputs(t, map[string]any{"awsServiceName": "opensearchservice.amazonaws.com"})
	if other := r.All(domain); len(other) != 0 {
		t.Errorf("an Elasticsearch domain as well: %v", other)
	}
}

func TestSizes(t *testing.T) {
	a := args()
	a.SubnetIDs, a.Nodes, a.MasterType = append(a.SubnetIDs, pulumi.String("subnet-3")), 6, "m6g.large"
	for _, tt := range []struct {
		engine                 search.Engine
		version, token, suffix string
	}{{search.Elasticsearch, "7.10", domain, "elasticsearch"}, {search.OpenSearch, "2.17", newer, "search"}} {
		a.Engine, a.Version = tt.engine, tt.version
		r := run(t, a)
		r.One(t, tt.token, "shop").CheckInputs(t, map[string]any{
			"clusterConfig.zoneAwarenessConfig.availabilityZoneCount": 3.0, "clusterConfig.dedicatedMasterEnabled": true,
			"clusterConfig.dedicatedMasterCount": 3.0, "clusterConfig.dedicatedMasterType": "m6g.large." + tt.suffix, "clusterConfig.instanceCount": 6.0,
		})
		r.One(t, alarm, "shop-masters").CheckInputs(t, map[string]any{"metricName": "MasterCPUUtilization"})
	}
	a = args()
	a.SubnetIDs, a.Nodes = a.SubnetIDs[:1], 1
	run(t, a).One(t, domain, "shop").CheckInputs(t, map[string]any{"clusterConfig.zoneAwarenessEnabled": false, "clusterConfig.zoneAwarenessConfig": nil})
}

// Two domains of a stack share the policy of their logs, of which a region has room for ten, and the account's one role.
func TestSecondDomain(t *testing.T) {
	r := run(t, args(), func(ctx *pulumi.Context, d *search.Domain) error {
		a := args()
		a.Name, a.LogPolicy, a.RoleExists = "shop-second", d.LogPolicy, true
		_, err := search.New(ctx, "second", a)
		return err
	})
	if got := r.Counts(); got[logs] != 1 || got[linked] != 1 || got["aws:cloudwatch/logGroup:LogGroup"] != 8 {
		t.Errorf("resources: %v", got)
	}
}

func TestLogs(t *testing.T) {
	a := args()
	a.LogKeyARN = pulumi.String(key + "-logs")
	r := run(t, a)
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},` +
		`"Action":["logs:CreateLogStream","logs:PutLogEvents","logs:PutLogEventsBatch"],"Resource":"arn:aws:logs:us-east-1:123456789012:log-group:/aws/aes/domains/*",` +
		`"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:es:us-east-1:123456789012:domain/*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`
	r.One(t, logs, "shop").CheckInputs(t, map[string]any{"policyDocument": want, "policyName": "shop-test-search"})
	r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-audit-logs").CheckInputs(t, map[string]any{
		"name": "/aws/aes/domains/shop-test/audit-logs", "kmsKeyId": key + "-logs", "retentionInDays": 30.0,
	})
}

func TestAlarms(t *testing.T) {
	r := run(t, args())
	r.One(t, alarm, "shop-red").CheckInputs(t, map[string]any{
		"namespace": "AWS/ES", "metricName": "ClusterStatus.red", "dimensions.DomainName": "shop-test", "dimensions.ClientId": "123456789012",
		"threshold": 1.0, "comparisonOperator": "GreaterThanOrEqualToThreshold", "alarmActions[0]": topic,
	})
	r.One(t, alarm, "shop-storage").CheckInputs(t, map[string]any{
		"metricName": "FreeStorageSpace", "comparisonOperator": "LessThanOrEqualToThreshold", "statistic": "Minimum", "threshold": 2560.0,
	})
}

func TestAccess(t *testing.T) {
	r := run(t, args(), func(ctx *pulumi.Context, d *search.Domain) error {
		pulumi.All(d.GrantRead(), d.GrantReadWrite(), d.URL).ApplyT(func(got []any) error {
			want := []any{
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["es:ESHttpGet","es:ESHttpHead"],"Resource":"` + arn + `/*"},` +
					`{"Effect":"Allow","Action":"es:ESHttpPost","Resource":["` + arn + `/*/_count","` + arn + `/*/_mget","` + arn + `/*/_msearch","` + arn + `/*/_search"]}]}`,
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["es:ESHttpDelete","es:ESHttpGet","es:ESHttpHead","es:ESHttpPatch",` +
					`"es:ESHttpPost","es:ESHttpPut"],"Resource":"` + arn + `/*"}]}`,
				"https://vpc-shop-test-abc.us-east-1.es.amazonaws.com",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("grants and URL (-want +got):\n%s", diff)
			}
			return nil
		})
		return d.AllowFrom(ctx, "summary", pulumi.String("sg-servers"))
	})
	rules := r.All("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
	if len(rules) != 1 {
		t.Fatalf("rules: %v", rules)
	}
	rules[0].CheckInputs(t, map[string]any{"referencedSecurityGroupId": "sg-servers", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": nil})
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*search.Args){
		"engine":        func(a *search.Args) { a.Engine = "solr" },
		"version":       func(a *search.Args) { a.Version = "Elasticsearch_7.10" },
		"name":          func(a *search.Args) { a.Name = "Shop" },
		"long name":     func(a *search.Args) { a.Name = "a-name-of-a-domain-that-is-too-long" },
		"short name":    func(a *search.Args) { a.Name = "ab" },
		"no subnets":    func(a *search.Args) { a.SubnetIDs = nil },
		"nodes":         func(a *search.Args) { a.Nodes = 3 },
		"no nodes":      func(a *search.Args) { a.Nodes = 0 },
		"instance type": func(a *search.Args) { a.InstanceType = "t3.small.search" },
		"master type":   func(a *search.Args) { a.MasterType = "large" },
		"unencrypted":   func(a *search.Args) { a.InstanceType = "t2.small" },
		"volume":        func(a *search.Args) { a.VolumeGiB = 9 },
		"master":        func(a *search.Args) { a.MasterRoleARN = nil },
		"roles":         func(a *search.Args) { a.RoleARNs = nil },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, search.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := search.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}

// Whatever the strings are, the domain is refused with ErrArgs or has a name that AWS takes.
func FuzzNames(f *testing.F) {
	f.Add("shop-test", "7.10", "t3.small")
	f.Add("Shop", "7", "t3.small.search")
	f.Add("a-name-of-a-domain-that-is-too-long", "", "")
	form := regexp.MustCompile(`^[a-z][0-9a-z-]{2,27}$`)
	f.Fuzz(func(t *testing.T, name, version, instance string) {
		a := args()
		a.Name, a.Version, a.InstanceType = name, version, instance
		r, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
			_, err := search.New(ctx, "shop", a, pulumi.Provider(p))
			return err
		})
		if err != nil {
			if !errors.Is(err, search.ErrArgs) {
				t.Errorf("%q, %q, %q: %v", name, version, instance, err)
			}
			return
		}
		if got := r.One(t, domain, "shop").Input("domainName").(string); !form.MatchString(got) {
			t.Errorf("domain name %q", got)
		}
	})
}
