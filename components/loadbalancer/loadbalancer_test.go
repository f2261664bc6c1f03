package loadbalancer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/loadbalancer"
)

const (
	ingress  = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egress   = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	listener = "aws:lb/listener:Listener"
	alarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

func args() *loadbalancer.Args {
	return &loadbalancer.Args{
		Region: "us-east-1", AccountID: pulumi.String(componenttest.Account),
		VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		TargetGroups: map[string]loadbalancer.TargetGroup{"product": {Port: 8080, HealthPath: "/healthz"}},
		Default:      "product",
	}
}

func run(t *testing.T, a *loadbalancer.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		l, err := loadbalancer.New(ctx, "shop", a, pulumi.Provider(p))
		if err != nil {
			return err
		}
		return l.AllowTo(ctx, "product", pulumi.String("sg-servers"))
	})
}

func TestHTTP(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		"aws:lb/loadBalancer:LoadBalancer": 1, "aws:lb/targetGroup:TargetGroup": 1, listener: 1,
		"aws:ec2/securityGroup:SecurityGroup": 1, ingress: 1, egress: 1,
		"aws:s3/bucketV2:BucketV2": 1, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1, "aws:s3/bucketPolicy:BucketPolicy": 1,
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     1,
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 1,
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       1,
	}
	r.CheckCounts(t, want)
	b := r.One(t, "aws:lb/loadBalancer:LoadBalancer", "shop")
	for key, want := range map[string]any{
		"dropInvalidHeaderFields": true, "desyncMitigationMode": "defensive", "enableDeletionProtection": false,
		"accessLogs.enabled": true, "accessLogs.bucket": "shop-logs-0a1b2c3", "name": nil,
	} {
		if got := b.Input(key); got != want {
			t.Errorf("load balancer %s: got %v, want %v", key, got, want)
		}
	}
	if !slices.Contains(b.DependsOn, "shop-logs") {
		t.Errorf("the load balancer does not wait for the bucket policy: %v", b.DependsOn)
	}
	l := r.One(t, listener, "shop-http")
	if l.Input("port") != 80.0 || l.Input("protocol") != "HTTP" || l.Input("defaultActions[0].type") != "forward" || l.Input("sslPolicy") != nil {
		t.Errorf("listener: %v", l.Inputs)
	}
}

func TestHTTPS(t *testing.T) {
	a := args()
	a.CertificateARN = pulumi.String("arn:aws:acm:us-east-1:123456789012:certificate/c")
	a.AllowedCIDRs = []string{"203.0.113.0/24", "198.51.100.0/24"}
	a.Rules = map[string]loadbalancer.Rule{"products": {Priority: 1, Paths: []string{"/products"}, TargetGroup: "product"}}
	r := run(t, a)
	s := r.One(t, listener, "shop-https")
	if s.Input("port") != 443.0 || s.Input("protocol") != "HTTPS" || s.Input("sslPolicy") != "ELBSecurityPolicy-TLS13-1-2-2021-06" ||
		s.Input("certificateArn") != "arn:aws:acm:us-east-1:123456789012:certificate/c" || s.Input("defaultActions[0].type") != "forward" {
		t.Errorf("HTTPS listener: %v", s.Inputs)
	}
	h := r.One(t, listener, "shop-http")
	if h.Input("defaultActions[0].type") != "redirect" || h.Input("defaultActions[0].redirect.statusCode") != "HTTP_301" ||
		h.Input("defaultActions[0].redirect.protocol") != "HTTPS" || h.Input("defaultActions[0].redirect.port") != "443" {
		t.Errorf("HTTP listener: %v", h.Inputs)
	}
	// A listener that served until now must not send clients to where nobody answers yet.
	if !slices.Contains(h.DependsOn, "shop-https") || !slices.Contains(h.DependsOn, "shop-products") {
		t.Errorf("the redirect does not wait for HTTPS and its rules: %v", h.DependsOn)
	}
	if got := len(r.All(ingress)); got != 4 {
		t.Errorf("%d rules for clients, want two ports for each of two blocks", got)
	}
}

func TestSecurityGroup(t *testing.T) {
	r := run(t, args())
	in := r.One(t, ingress, "shop-0.0.0.0-0-80")
	if in.Input("fromPort") != 80.0 || in.Input("toPort") != 80.0 || in.Input("ipProtocol") != "tcp" || in.Input("cidrIpv4") != "0.0.0.0/0" {
		t.Errorf("in: %v", in.Inputs)
	}
	out := r.One(t, egress, "shop-to-product")
	if out.Input("fromPort") != 8080.0 || out.Input("toPort") != 8080.0 || out.Input("referencedSecurityGroupId") != "sg-servers" || out.Input("cidrIpv4") != nil {
		t.Errorf("out: %v", out.Inputs)
	}
	if g := r.One(t, "aws:ec2/securityGroup:SecurityGroup", "shop"); g.Input("ingress") != nil || g.Input("egress") != nil {
		t.Errorf("rules inside the group, which undo those outside: %v", g.Inputs)
	}
}

func TestTargetGroup(t *testing.T) {
	g := run(t, args()).One(t, "aws:lb/targetGroup:TargetGroup", "shop-product")
	for key, want := range map[string]any{
		"port": 8080.0, "protocol": "HTTP", "targetType": "instance", "deregistrationDelay": 30.0, "name": nil,
		"healthCheck.path": "/healthz", "healthCheck.matcher": "200", "healthCheck.interval": 10.0, "healthCheck.timeout": 5.0,
	} {
		if got := g.Input(key); got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}

func TestLogBucketPolicy(t *testing.T) {
	const want = `{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*",` +
		`"Resource":["arn:aws:s3:::shop-logs-0a1b2c3","arn:aws:s3:::shop-logs-0a1b2c3/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
		`{"Sid":"LogDelivery","Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject",` +
		`"Resource":"arn:aws:s3:::shop-logs-0a1b2c3/AWSLogs/123456789012/*","Condition":{` +
		`"ArnLike":{"aws:SourceArn":"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/*"},` +
		`"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`
	if got := run(t, args()).One(t, "aws:s3/bucketPolicy:BucketPolicy", "shop-logs").Input("policy"); got != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func TestAlarms(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	a := args()
	a.AlarmActions = []pulumi.StringInput{pulumi.String(topic)}
	r := run(t, a)
	const balancer, targets = "app/shop/50dc6c495c0c9188", "targetgroup/shop-product/73e2d6bc24d8a067"
	for name, want := range map[string]map[string]any{
		"shop-balancer-errors":            {"metricName": "HTTPCode_ELB_5XX_Count", "dimensions.LoadBalancer": balancer, "dimensions.TargetGroup": nil, "alarmActions[0]": topic},
		"shop-balancer-product-errors":    {"metricName": "HTTPCode_Target_5XX_Count", "dimensions.LoadBalancer": balancer, "dimensions.TargetGroup": targets, "statistic": "Sum"},
		"shop-balancer-product-unhealthy": {"metricName": "UnHealthyHostCount", "dimensions.TargetGroup": targets, "evaluationPeriods": 5.0},
		"shop-balancer-product-slow":      {"metricName": "TargetResponseTime", "dimensions.TargetGroup": targets, "threshold": 1.0},
	} {
		for path, want := range want {
			if got := r.One(t, alarm, name).Input(path); got != want {
				t.Errorf("%s %s: got %v, want %v", name, path, got, want)
			}
		}
	}
}

func TestRulesAndNames(t *testing.T) {
	a := args()
	long := strings.Repeat("summary-", 5) + "servers"
	a.TargetGroups[long] = loadbalancer.TargetGroup{Port: 8081, HealthPath: "/healthz"}
	a.Rules = map[string]loadbalancer.Rule{"orders": {Priority: 10, Paths: []string{"/orders", "/orders/*"}, TargetGroup: long}}
	a.Default = ""
	r := run(t, a)
	for _, g := range r.All("aws:lb/targetGroup:TargetGroup") {
		if len(g.Name)+8 > 32 {
			t.Errorf("target group %s leaves no room for the suffix in 32 characters", g.Name)
		}
	}
	rule := r.One(t, "aws:lb/listenerRule:ListenerRule", "shop-orders")
	if diff := cmp.Diff([]any{"/orders", "/orders/*"}, rule.Input("conditions[0].pathPattern.values")); diff != "" || rule.Input("priority") != 10.0 {
		t.Errorf("rule: %v", rule.Inputs)
	}
	if l := r.One(t, listener, "shop-http"); l.Input("defaultActions[0].fixedResponse.statusCode") != "404" {
		t.Errorf("without a default target group: %v", l.Inputs)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*loadbalancer.Args){
		"default": func(a *loadbalancer.Args) { a.Default = "other" },
		"target": func(a *loadbalancer.Args) {
			a.Rules = map[string]loadbalancer.Rule{"r": {Priority: 1, TargetGroup: "other"}}
		},
		"priority": func(a *loadbalancer.Args) { a.Rules = map[string]loadbalancer.Rule{"r": {TargetGroup: "product"}} },
		"same priority": func(a *loadbalancer.Args) {
			a.Rules = map[string]loadbalancer.Rule{"r": {Priority: 1, TargetGroup: "product"}, "s": {Priority: 1, TargetGroup: "product"}}
		},
		"port": func(a *loadbalancer.Args) { a.TargetGroups["product"] = loadbalancer.TargetGroup{} },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, loadbalancer.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := loadbalancer.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
