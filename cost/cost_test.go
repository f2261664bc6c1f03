package cost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"storefront/cost"
	"storefront/internal/inventory"
)

// state makes an exported state of resources that are given as "type|name|inputs in JSON".
func state(resources ...string) string {
	var all []string
	for _, r := range resources {
		part := strings.SplitN(r, "|", 3)
		all = append(all, fmt.Sprintf(`{"urn":"urn:pulumi:s::p::%s::%s","type":"%[1]s","id":"%[2]s","inputs":%[3]s}`, part[0], part[1], part[2]))
	}
	return `{"deployment":{"resources":[` + strings.Join(all, ",") + `]}}`
}

func estimate(t *testing.T, usage cost.Usage, resources ...string) *cost.Estimate {
	t.Helper()
	s, err := inventory.Decode([]byte(state(resources...)))
	if err != nil {
		t.Fatal(err)
	}
	prices, err := cost.CommittedPrices()
	if err != nil {
		t.Fatal(err)
	}
	return cost.Of(s, prices, usage)
}

const (
	template = `aws:ec2/launchTemplate:LaunchTemplate|lt|{"instanceType":"t3.small","monitoring":{"enabled":true},"blockDeviceMappings":[{"ebs":{"volumeSize":10,"volumeType":"gp3"}}]}`
	mixed    = `aws:autoscaling/group:Group|g|{"minSize":2,"maxSize":6,"mixedInstancesPolicy":{
		"instancesDistribution":{"onDemandBaseCapacity":1,"onDemandPercentageAboveBaseCapacity":20},
		"launchTemplate":{"launchTemplateSpecification":{"launchTemplateId":"lt"},"overrides":[{"instanceType":"m5.large"},{"instanceType":"t3.small"}]}}}`
	subnetA = `aws:ec2/subnet:Subnet|a|{"availabilityZone":"us-east-1a"}`
	subnetB = `aws:ec2/subnet:Subnet|b|{"availabilityZone":"us-east-1b"}`
)

// everything is a stack with each thing that has a price.
var everything = []string{
	template, mixed, subnetA, subnetB,
	`aws:ec2/vpc:Vpc|v|{}`,
	`aws:ec2/natGateway:NatGateway|n|{}`,
	`aws:ec2/eip:Eip|n|{}`,
	`aws:ec2/vpcEndpoint:VpcEndpoint|e|{"vpcEndpointType":"Interface","subnetIds":["a","b"]}`,
	`aws:ec2/vpcEndpoint:VpcEndpoint|g|{"vpcEndpointType":"Gateway"}`,
	`aws:route53/zone:Zone|z|{}`,
	`aws:lb/loadBalancer:LoadBalancer|l|{"loadBalancerType":"application","subnets":["a","b"]}`,
	`aws:wafv2/webAcl:WebAcl|w|{"rules":[{},{}]}`,
	`aws:wafv2/ruleGroup:RuleGroup|r|{"rules":[{}]}`,
	`aws:fms/policy:Policy|p|{}`,
	`aws:cfg/recorder:Recorder|r|{}`,
	`aws:rds/cluster:Cluster|c|{"engine":"aurora-postgresql","clusterIdentifier":"c","backupRetentionPeriod":7,"manageMasterUserPassword":true}`,
	`aws:rds/clusterInstance:ClusterInstance|w|{"clusterIdentifier":"c","instanceClass":"db.r6g.large"}`,
	`aws:rds/clusterInstance:ClusterInstance|r|{"clusterIdentifier":"c","instanceClass":"db.r6g.large"}`,
	`aws:appautoscaling/target:Target|t|{"serviceNamespace":"rds","resourceId":"cluster:c","minCapacity":1,"maxCapacity":4}`,
	`aws:elasticache/replicationGroup:ReplicationGroup|r|{"engine":"redis","nodeType":"cache.t4g.micro","numCacheClusters":2,"snapshotRetentionLimit":7}`,
	`aws:elasticsearch/domain:Domain|d|{"clusterConfig":{"instanceType":"t3.small.elasticsearch","instanceCount":2,"dedicatedMasterEnabled":true,"dedicatedMasterType":"m6g.large.elasticsearch","dedicatedMasterCount":3},"ebsOptions":{"ebsEnabled":true,"volumeSize":10,"volumeType":"gp3"}}`,
	`aws:sqs/queue:Queue|q|{}`, `aws:sns/topic:Topic|t|{}`, `aws:s3/bucketV2:BucketV2|b|{}`, `aws:kms/key:Key|k|{}`, `aws:secretsmanager/secret:Secret|s|{}`,
	`aws:backup/vault:Vault|v|{}`, `aws:cloudwatch/logGroup:LogGroup|l|{}`, `aws:cloudwatch/logMetricFilter:LogMetricFilter|f|{}`,
	`aws:cloudtrail/trail:Trail|t|{"advancedEventSelectors":[{}]}`,
	`aws:cloudwatch/metricAlarm:MetricAlarm|one|{"metricName":"m"}`,
	`aws:cloudwatch/metricAlarm:MetricAlarm|three|{"metricQueries":[{"expression":"a/b"},{"metric":{}},{"metric":{}}]}`,
}

// Each amount is worked out by hand from the price list.
func TestBlocks(t *testing.T) {
	e := estimate(t, nil, everything...)
	if len(e.Missing) > 0 {
		t.Errorf("no price for %v", e.Missing)
	}
	for block, want := range map[string]string{
		"network":          "51.60",            // 730 × (0.045 + 0.005 + 2 × 0.01) + 0.50
		"load balancer":    "23.73",            // 730 × (0.0225 + 2 × 0.005)
		"firewall":         "108.00",           // 5 + 3 × 1 + 100
		"compute":          "145.96 to 437.88", // below
		"database":         "379.60 to 949.00", // 730 × 0.26 × 2 to 5
		"cache":            "23.36",
		"search":           "335.32", // 730 × (2 × 0.036 + 3 × 0.128) + 20 × 0.122
		"keys and secrets": "1.80",   // the database's own secret is one
		"alarms":           "0.60",   // three metrics of alarms and one of a filter
		"buckets":          "0.00",
	} {
		if got := cost.Dollars(e.Block(block)); got != want {
			t.Errorf("%s: %s, want %s", block, got, want)
		}
	}
}

// A fleet costs between its fewest and its most servers; of those, spot costs between a tenth of the cheapest type and all of the dearest.
func TestFleet(t *testing.T) {
	e := estimate(t, nil, template, mixed)
	want := []string{
		"g, on demand, m5.large 1460..1460 0.096..0.096", // one, and a fifth of the second, rounded up; of six, one of the other five
		"g, spot 0..2920 0.00208..0.096",
		"volumes of servers 20..60 0.08..0.08",
		"detailed monitoring of servers 14..42 0.3..0.3",
	}
	var got []string
	for _, l := range e.Lines {
		got = append(got, fmt.Sprintf("%s %v..%v %v..%v", l.What, l.Quantity.Low, l.Quantity.High, l.Price.Low, l.Price.High))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What has no price is named, and the rest is still counted.
func TestMissing(t *testing.T) {
	for resource, want := range map[string]string{
		`aws:new/thing:Thing|x|{}`:                            "aws:new/thing:Thing (x)",
		`aws:rds/cluster:Cluster|x|{"engine":"aurora-mysql"}`: "database engine aurora-mysql (x)",
		`aws:elasticache/replicationGroup:ReplicationGroup|x|{"nodeType":"cache.x9.huge","numCacheClusters":1}`:                                        "redis cache.x9.huge (nodes, cache.x9.huge)",
		`aws:elasticsearch/domain:Domain|x|{"clusterConfig":{"instanceType":"x9.large.elasticsearch"}}`:                                                "search x9.large (data nodes, x9.large)",
		`aws:autoscaling/group:Group|x|{"minSize":"04da6b54-80e4-46f7-96ec-b56ff0331ba9","maxSize":1,"launchTemplate":{"id":"lt"}}`:                    "x: minSize is not known before the deployment, 0 is counted",
		`aws:autoscaling/group:Group|x|{"minSize":1,"maxSize":1}`:                                                                                      "servers of x: no instance type is known",
		`aws:autoscaling/group:Group|x|{"minSize":1,"maxSize":1,"mixedInstancesPolicy":{"launchTemplate":{"overrides":[{"instanceType":"z1.huge"}]}}}`: "ec2 z1.huge (x)",
		`aws:fms/policy:Policy|x|{"securityServicePolicyData":{"type":"SHIELD_ADVANCED"}}`:                                                             "the subscription to Shield Advanced (x)",
		`aws:lb/loadBalancer:LoadBalancer|x|{"loadBalancerType":"network"}`:                                                                            "load balancer of type network (x)",
		`aws:elasticache/replicationGroup:ReplicationGroup|x|{"nodeType":"cache.t3.micro","numCacheClusters":-1}`:                                      "nodes, cache.t3.micro: from -730 to -730 hours makes no sense",
		`aws:ec2/subnet:Subnet|x|{"availabilityZone":"eu-west-1a"}`:                                                                                    "region eu-west-1: prices of us-east-1 are used",
	} {
		e := estimate(t, nil, resource, template, `aws:kms/key:Key|k|{}`)
		if !slices.Contains(e.Missing, want) {
			t.Errorf("%s: %q, want %q", resource, e.Missing, want)
		}
		if got := cost.Dollars(e.Block("keys and secrets")); got != "1.00" {
			t.Errorf("%s: the rest costs %s", resource, got)
		}
	}
}

// Every assumption counts for something, and more use never costs less.
func TestUsage(t *testing.T) {
	usage, err := cost.AssumedUsage("prod")
	if err != nil {
		t.Fatal(err)
	}
	before := estimate(t, usage, everything...).Total()
	for i, a := range usage {
		more := slices.Clone(usage)
		if err := more.Assume(fmt.Sprintf("%s=%v", a.Name, a.Value*100)); err != nil {
			t.Fatal(err)
		}
		if after := estimate(t, more, everything...).Total(); after.Low <= before.Low || after.High <= before.High {
			t.Errorf("a hundred times the %s (%d) costs %v, not more than %v", a.Name, i, after, before)
		}
	}
	if e := estimate(t, usage, `aws:kms/key:Key|k|{}`); len(e.Usage) != 1 || e.Usage[0].Name != "keyRequests" {
		t.Errorf("assumed of a key: %+v", e.Usage)
	}
}

func TestReplace(t *testing.T) {
	usage, err := cost.AssumedUsage("dev")
	if err != nil {
		t.Fatal(err)
	}
	if err := usage.Replace([]byte("requests: 7\nlogsGB: 0.5")); err != nil || usage[0].Value != 7 {
		t.Errorf("%+v, %v", usage[0], err)
	}
	for _, bad := range []string{"request: 7", "requests: -1", "requests: many", "requests: .nan", "- requests", "requests: [1]"} {
		if err := usage.Replace([]byte(bad)); !errors.Is(err, cost.ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if usage[0].Value != 7 {
		t.Error("what was refused has changed something")
	}
}

func TestChange(t *testing.T) {
	before := estimate(t, nil, `aws:kms/key:Key|k|{}`, subnetA, `aws:ec2/natGateway:NatGateway|a|{}`, `aws:old/thing:Thing|x|{}`)
	after := estimate(t, nil, `aws:kms/key:Key|k|{}`, subnetA, `aws:ec2/natGateway:NatGateway|a|{}`, `aws:ec2/natGateway:NatGateway|b|{}`, `aws:old/thing:Thing|x|{}`, `aws:new/thing:Thing|x|{}`)
	var table, markdown, none bytes.Buffer
	c := &cost.Comparison{Before: before, After: after, With: "the base"}
	same := &cost.Comparison{Before: before, After: before, With: "the base"}
	if err := errors.Join(cost.WriteTable(&table, after, c), cost.WriteMarkdown(&markdown, after, c), cost.WriteMarkdown(&none, before, same)); err != nil {
		t.Fatal(err)
	}
	for text, parts := range map[string][]string{
		table.String():    {"Against the base:\n  network  +32.85  was 32.85  is 65.70\n  total    +32.85", "  no price for aws:new/thing:Thing (x)\n  no price for aws:old"},
		markdown.String(): {"**Cost: +32.85 a month** against the base", "| network | 32.85 | 65.70 | +32.85 |", "\n- no price for aws:new/thing:Thing (x)\n\n"},
		none.String():     {"**Cost: no change** against the base: 33.85 a month"},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("no %q in\n%s", part, text)
			}
		}
	}
	if strings.Contains(markdown.String(), "aws:old") {
		t.Error("what had no price before is no news")
	}
	var out bytes.Buffer
	if err := cost.WriteJSON(&out, after, c); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Total  cost.Range
		Change struct{ Changes []cost.Change }
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Total.Low != 66.7 || len(got.Change.Changes) != 1 || got.Change.Changes[0].After.High != 65.7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Half a cent is rounded up, in the table as in JSON.
func TestDollars(t *testing.T) {
	for amount, want := range map[float64]string{86.175: "86.18", 1.005: "1.01", 16.425: "16.43", 0.004: "0.00", 1234.5: "1,234.50", -0.005: "-0.01"} {
		if got := cost.Dollars(cost.Range{Low: amount, High: amount}); got != want {
			t.Errorf("%v: %s, want %s", amount, got, want)
		}
	}
}

// The order in which resources are declared changes nothing.
func TestOrder(t *testing.T) {
	backwards := slices.Clone(everything)
	slices.Reverse(backwards)
	var a, b bytes.Buffer
	if err := errors.Join(cost.WriteJSON(&a, estimate(t, nil, everything...), nil), cost.WriteJSON(&b, estimate(t, nil, backwards...), nil)); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Error("another order, another estimate")
	}
}

// Whatever a file holds, it is priced or refused, and the low end is not above the high one.
func FuzzOf(f *testing.F) {
	f.Add([]byte(state(everything...)))
	f.Add([]byte(state(strings.Replace(mixed, `"minSize":2`, `"minSize":9`, 1), template)))
	f.Add([]byte(state(`aws:elasticache/replicationGroup:ReplicationGroup|x|{"nodeType":"cache.t3.micro","numCacheClusters":1e308}`)))
	prices, err := cost.CommittedPrices()
	if err != nil {
		f.Fatal(err)
	}
	usage, err := cost.AssumedUsage("prod")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := inventory.Decode(file)
		if err != nil {
			return
		}
		e := cost.Of(s, prices, usage)
		for _, l := range e.Lines {
			if !(l.Monthly.Low <= l.Monthly.High && l.Monthly.Low >= 0) {
				t.Errorf("%+v", l)
			}
		}
		var out bytes.Buffer
		if err := errors.Join(cost.WriteTable(&out, e, nil), cost.WriteJSON(&out, e, nil), cost.WriteMarkdown(&out, e, nil)); err != nil {
			t.Fatal(err)
		}
	})
}
