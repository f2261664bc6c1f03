package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/audit"
	"storefront/components/internal/componenttest"
	"storefront/internal/golden"
)

const (
	key   = "arn:aws:kms:us-east-1:123456789012:key/k"
	topic = "arn:aws:sns:us-east-1:123456789012:files"
	trail = "aws:cloudtrail/trail:Trail"
)

func args() *audit.Args {
	return &audit.Args{Trail: "shop-test", Region: "us-east-1", AccountID: pulumi.String(componenttest.Account), KeyARN: pulumi.String(key)}
}

func run(t *testing.T, a *audit.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := audit.New(ctx, "audit", a, pulumi.Provider(p))
		return err
	})
}

func TestTrail(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "audit")
	r.GoldenURNs(t, "testdata/urns.txt")
	x := r.One(t, trail, "audit")
	for name, want := range map[string]any{
		"name": "shop-test", "s3BucketName": "audit-0a1b2c3", "kmsKeyId": key, "isMultiRegionTrail": true, "includeGlobalServiceEvents": true, "enableLogFileValidation": true,
		"enableLogging": true, "cloudWatchLogsGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:audit-trail:*", "cloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/audit-trail",
		"eventSelectors": nil, "snsTopicName": nil,
	} {
		if diff := cmp.Diff(want, x.Input(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if g := r.One(t, "aws:cloudwatch/logGroup:LogGroup", "audit-trail"); g.Input("retentionInDays") != 90.0 || g.Input("kmsKeyId") != key {
		t.Errorf("log group: %v", g.Inputs)
	}
	b := r.One(t, "aws:s3/bucketV2:BucketV2", "audit")
	if b.Input("forceDestroy") != false {
		t.Errorf("bucket: %v", b.Inputs)
	}
	const by = "rules[0].applyServerSideEncryptionByDefault."
	if e := r.One(t, "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "audit"); e.Input(by+"kmsMasterKeyId") != key {
		t.Errorf("encryption: %v", e.Inputs)
	}
	if n := r.One(t, "aws:s3/bucketNotification:BucketNotification", "audit"); n.Input("eventbridge") != true {
		t.Errorf("notification: %v", n.Inputs)
	}
	if v := r.One(t, "aws:s3/bucketVersioningV2:BucketVersioningV2", "audit"); v.Input("versioningConfiguration.status") != "Enabled" {
		t.Errorf("versioning: %v", v.Inputs)
	}
	if l := r.One(t, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "audit"); l.Input("rules[0].expiration.days") != 400.0 {
		t.Errorf("lifecycle: %v", l.Inputs)
	}
}

// The policies are exactly these: what CloudTrail needs, for this trail alone.
func TestPolicies(t *testing.T) {
	r := run(t, args())
	var all []string
	for _, p := range []struct{ token, name, input string }{
		{"aws:s3/bucketPolicy:BucketPolicy", "audit", "policy"}, {"aws:iam/role:Role", "audit-trail", "assumeRolePolicy"}, {"aws:iam/rolePolicy:RolePolicy", "audit-trail", "policy"},
	} {
		all = append(all, p.token+"\n"+r.One(t, p.token, p.name).Input(p.input).(string))
	}
	golden.Compare(t, "testdata/policies.txt", strings.Join(all, "\n")+"\n")
}

func TestDataEventsAndTopic(t *testing.T) {
	a := args()
	a.DataBuckets = []pulumi.StringInput{pulumi.String("arn:aws:s3:::backup"), pulumi.String("arn:aws:s3:::copy")}
	a.TopicARN, a.ForceDestroy, a.KeepDays = pulumi.String(topic), true, 30
	r := run(t, a)
	x := r.One(t, trail, "audit")
	want := []any{map[string]any{"readWriteType": "All", "includeManagementEvents": true,
		"dataResources": []any{map[string]any{"type": "AWS::S3::Object", "values": []any{"arn:aws:s3:::backup/", "arn:aws:s3:::copy/"}}}}}
	if diff := cmp.Diff(any(want), x.Input("eventSelectors")); diff != "" {
		t.Errorf("selectors (-want +got):\n%s", diff)
	}
	if x.Input("snsTopicName") != topic || r.One(t, "aws:s3/bucketV2:BucketV2", "audit").Input("forceDestroy") != true {
		t.Errorf("trail: %v", x.Inputs)
	}
}

// What is watched is counted in the trail's own log group, and each count has an alarm.
func TestWatched(t *testing.T) {
	a := args()
	a.AccessLogDays, a.AlarmActions = 365, []pulumi.StringInput{pulumi.String(topic)}
	r := run(t, a)
	r.CheckTree(t, "audit")
	for _, name := range []string{
		"root", "refused", "console", "identities", "trails", "keys", "buckets", "groups", "acls", "gateways", "routes", "networks",
	} {
		f, x := r.One(t, "aws:cloudwatch/logMetricFilter:LogMetricFilter", "audit-"+name), r.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "audit-"+name)
		if f.Input("logGroupName") != "audit-trail" || f.Input("pattern") == "" || f.Input("metricTransformation.name") != x.Input("metricName") ||
			f.Input("metricTransformation.namespace") != x.Input("namespace") || x.Input("alarmActions[0]") != topic {
			t.Errorf("%s: %v, %v", name, f.Inputs, x.Inputs)
		}
	}
	if l := r.One(t, "aws:s3/bucketLoggingV2:BucketLoggingV2", "audit"); l.Input("targetBucket") != "audit-access-logs-0a1b2c3" {
		t.Errorf("access logs: %v", l.Inputs)
	}
	const want = `{"Sid":"AccessLogs","Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::audit-access-logs-0a1b2c3/*",` +
		`"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::audit-0a1b2c3"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}`
	if p := r.One(t, "aws:s3/bucketPolicy:BucketPolicy", "audit-access-logs").Input("policy").(string); !strings.Contains(p, want) {
		t.Errorf("policy of the access logs:\n%s\nwant\n%s", p, want)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*audit.Args){
		"no region":      func(a *audit.Args) { a.Region = "" },
		"no account":     func(a *audit.Args) { a.AccountID = nil },
		"no key":         func(a *audit.Args) { a.KeyARN = nil },
		"short name":     func(a *audit.Args) { a.Trail = "ab" },
		"adjacent marks": func(a *audit.Args) { a.Trail = "shop--test" },
		"no days":        func(a *audit.Args) { a.KeepDays = -1 },
		"many buckets":   func(a *audit.Args) { a.DataBuckets = make([]pulumi.StringInput, 251) },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			_, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := audit.New(ctx, "audit", a, pulumi.Provider(p))
				if !errors.Is(err, audit.ErrArgs) {
					t.Errorf("got %v, want ErrArgs", err)
				}
				return err
			})
			if err == nil {
				t.Error("no error")
			}
		})
	}
}
