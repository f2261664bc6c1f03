package cloudtrail_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	trailapi "storefront/lab/api/cloudtrail"
	logsapi "storefront/lab/api/logs"
	lab "storefront/lab/cloudtrail"
	"storefront/lab/region"
	"storefront/lab/wire/wiretest"
)

const (
	groupARN = "arn:aws:logs:us-east-1:" + account + ":log-group:audit"
	roleARN  = "arn:aws:iam::" + account + ":role/trail"
)

// key makes a key whose policy lets CloudTrail do what it names.
func (h *harness) key(actions string) string {
	h.t.Helper()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":` + actions + `,"Resource":"*","Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"}}}]}`
	return *wiretest.Must(kms.NewFromConfig(h.config()).CreateKey(h.t.Context(), &kms.CreateKeyInput{Policy: &policy})).KeyMetadata.Arn
}

// logGroup makes the log group and the role that CloudTrail writes to it with.
func (h *harness) logGroup(service, actions string) {
	h.t.Helper()
	wiretest.Must(h.logs.CreateLogGroup(h.t.Context(), &logsapi.CreateLogGroupInput{LogGroupName: new("audit")}))
	roles := iam.NewFromConfig(h.config())
	wiretest.Must(roles.CreateRole(h.t.Context(), &iam.CreateRoleInput{RoleName: new("trail"),
		AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}}`)}))
	wiretest.Must(roles.PutRolePolicy(h.t.Context(), &iam.PutRolePolicyInput{RoleName: new("trail"), PolicyName: new("logs"),
		PolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"` + groupARN + `:log-stream:` + account + `_CloudTrail_us-east-1*"}}`)}))
}

// Everything that a trail can be told reads back, and stays when an update leaves it out.
func TestTrailReadsBack(t *testing.T) {
	h := start(t)
	key := h.key(`["kms:GenerateDataKey*","kms:DescribeKey"]`)
	h.logGroup("cloudtrail.amazonaws.com", `["logs:CreateLogStream","logs:PutLogEvents"]`)
	h.bucket("trail")
	wiretest.Must(h.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: new("audit"), S3BucketName: new("trail"), EnableLogFileValidation: new(true), IsMultiRegionTrail: new(true), KmsKeyId: &key,
		CloudWatchLogsLogGroupArn: new(groupARN + ":*"), CloudWatchLogsRoleArn: new(roleARN), TagsList: []types.Tag{{Key: new("a"), Value: new("1")}}}))
	want := types.Trail{Name: new("audit"), TrailARN: new(trailARN), HomeRegion: new("us-east-1"), S3BucketName: new("trail"), IncludeGlobalServiceEvents: new(true), IsMultiRegionTrail: new(true),
		IsOrganizationTrail: new(false), LogFileValidationEnabled: new(true), CloudWatchLogsLogGroupArn: new(groupARN + ":*"), CloudWatchLogsRoleArn: new(roleARN), KmsKeyId: &key,
		HasCustomEventSelectors: new(false), HasInsightSelectors: new(false)}
	got := wiretest.Must(h.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{trailARN}})).TrailList
	if diff := cmp.Diff([]types.Trail{want}, got, cmpopts.IgnoreUnexported(types.Trail{})); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
	if s := wiretest.Must(h.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: new("audit")})); *s.IsLogging {
		t.Error("a new trail logs")
	}
	wiretest.Must(h.UpdateTrail(t.Context(), &cloudtrail.UpdateTrailInput{Name: new(trailARN), EnableLogFileValidation: new(false), CloudWatchLogsLogGroupArn: new(""), CloudWatchLogsRoleArn: new("")}))
	want.LogFileValidationEnabled, want.CloudWatchLogsLogGroupArn, want.CloudWatchLogsRoleArn = new(false), nil, nil
	if diff := cmp.Diff(&want, wiretest.Must(h.GetTrail(t.Context(), &cloudtrail.GetTrailInput{Name: new("audit")})).Trail, cmpopts.IgnoreUnexported(types.Trail{})); diff != "" {
		t.Errorf("updated trail (-want +got):\n%s", diff)
	}
	wiretest.Must(h.AddTags(t.Context(), &cloudtrail.AddTagsInput{ResourceId: new(trailARN), TagsList: []types.Tag{{Key: new("b"), Value: new("2")}}}))
	wiretest.Must(h.RemoveTags(t.Context(), &cloudtrail.RemoveTagsInput{ResourceId: new(trailARN), TagsList: []types.Tag{{Key: new("a")}}}))
	tags := wiretest.Must(h.ListTags(t.Context(), &cloudtrail.ListTagsInput{ResourceIdList: []string{trailARN}})).ResourceTagList
	if len(tags) != 1 || len(tags[0].TagsList) != 1 || *tags[0].TagsList[0].Key != "b" {
		t.Errorf("tags: %v", tags)
	}
	wiretest.Must(h.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: new(trailARN)}))
	_, err := h.GetTrail(t.Context(), &cloudtrail.GetTrailInput{Name: new("audit")})
	wiretest.Refused(t, err, "TrailNotFoundException", "audit")
}

// A trail that could not deliver is refused, with the error that says which policy is to blame.
func TestRefusals(t *testing.T) {
	h := start(t)
	h.bucket("trail")
	wiretest.Must(h.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("closed")}))
	h.logGroup("ec2.amazonaws.com", `"logs:PutLogEvents"`)
	base := func() *cloudtrail.CreateTrailInput {
		return &cloudtrail.CreateTrailInput{Name: new("audit"), S3BucketName: new("trail")}
	}
	for name, c := range map[string]struct {
		edit func(*cloudtrail.CreateTrailInput)
		code string
	}{
		"short name":            {func(in *cloudtrail.CreateTrailInput) { in.Name = new("ab") }, "InvalidTrailNameException"},
		"adjacent marks":        {func(in *cloudtrail.CreateTrailInput) { in.Name = new("a.-b") }, "InvalidTrailNameException"},
		"no bucket":             {func(in *cloudtrail.CreateTrailInput) { in.S3BucketName = new("absent") }, "S3BucketDoesNotExistException"},
		"closed bucket":         {func(in *cloudtrail.CreateTrailInput) { in.S3BucketName = new("closed") }, "InsufficientS3BucketPolicyException"},
		"another prefix":        {func(in *cloudtrail.CreateTrailInput) { in.S3KeyPrefix = new("elsewhere") }, "InsufficientS3BucketPolicyException"},
		"another trail":         {func(in *cloudtrail.CreateTrailInput) { in.Name = new("other") }, "InsufficientS3BucketPolicyException"},
		"bad prefix":            {func(in *cloudtrail.CreateTrailInput) { in.S3KeyPrefix = new("x/") }, "InvalidS3PrefixException"},
		"no key":                {func(in *cloudtrail.CreateTrailInput) { in.KmsKeyId = new("alias/none") }, "KmsKeyNotFoundException"},
		"key without data keys": {func(in *cloudtrail.CreateTrailInput) { in.KmsKeyId = new(h.key(`"kms:DescribeKey"`)) }, "InsufficientEncryptionPolicyException"},
		"group without role":    {func(in *cloudtrail.CreateTrailInput) { in.CloudWatchLogsLogGroupArn = new(groupARN + ":*") }, "InvalidParameterCombinationException"},
		"no group": {func(in *cloudtrail.CreateTrailInput) {
			in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn = new(groupARN+"x:*"), new(roleARN)
		}, "InvalidCloudWatchLogsLogGroupArnException"},
		"role of another": {func(in *cloudtrail.CreateTrailInput) {
			in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn = new(groupARN+":*"), new(roleARN)
		}, "InvalidCloudWatchLogsRoleArnException"},
		"no topic":     {func(in *cloudtrail.CreateTrailInput) { in.SnsTopicName = new("none") }, "InsufficientSnsTopicPolicyException"},
		"organization": {func(in *cloudtrail.CreateTrailInput) { in.IsOrganizationTrail = new(true) }, "OrganizationsNotInUseException"},
		"regions, no globals": {func(in *cloudtrail.CreateTrailInput) {
			in.IsMultiRegionTrail, in.IncludeGlobalServiceEvents = new(true), new(false)
		}, "InvalidParameterCombinationException"},
	} {
		t.Run(name, func(t *testing.T) {
			in := base()
			c.edit(in)
			_, err := h.CreateTrail(t.Context(), in)
			wiretest.Refused(t, err, c.code, "")
		})
	}
	wiretest.Must(h.CreateTrail(t.Context(), base()))
	_, err := h.CreateTrail(t.Context(), base())
	wiretest.Refused(t, err, "TrailAlreadyExistsException", "audit")
	_, err = h.PutInsightSelectors(t.Context(), &cloudtrail.PutInsightSelectorsInput{TrailName: new("audit"), InsightSelectors: []types.InsightSelector{{InsightType: "ApiCallRateInsight"}}})
	wiretest.Refused(t, err, "UnsupportedOperationException", "Insights")
	_, err = h.GetInsightSelectors(t.Context(), &cloudtrail.GetInsightSelectorsInput{TrailName: new("audit")})
	wiretest.Refused(t, err, "InsightNotEnabledException", "audit")
}

// Log files are encrypted with the trail's key, events reach the log group one a line, and the topic hears of each file.
func TestDestinations(t *testing.T) {
	h := start(t)
	key := h.key(`["kms:GenerateDataKey*","kms:DescribeKey"]`)
	h.logGroup("cloudtrail.amazonaws.com", `["logs:CreateLogStream","logs:PutLogEvents"]`)
	topics, queues := sns.NewFromConfig(h.config()), sqs.NewFromConfig(h.config())
	topic := *wiretest.Must(topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new("files"), Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
		"Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"arn:aws:sns:us-east-1:` + account + `:files"}}`}})).TopicArn
	queue := wiretest.Must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("files"), Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
		"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:` + account + `:files"}}`}})).QueueUrl
	wiretest.Must(topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: new("sqs"), Endpoint: new("arn:aws:sqs:us-east-1:" + account + ":files"),
		Attributes: map[string]string{"RawMessageDelivery": "true"}}))
	go h.topics.Run(t.Context())
	h.trail(func(in *cloudtrail.CreateTrailInput) {
		in.KmsKeyId, in.SnsTopicName = &key, &topic
		in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn = new(groupARN+":*"), new(roleARN)
	})
	h.open()
	h.deliver()
	files := h.keys("CloudTrail")
	if len(files) != 1 {
		t.Fatalf("log files: %q", files)
	}
	if out := h.object(files[0], new(any)); *out.SSEKMSKeyId != key || *out.ContentEncoding != "gzip" {
		t.Errorf("object: %+v", out)
	}
	lines := wiretest.Must(h.logs.GetLogEvents(t.Context(), &logsapi.GetLogEventsInput{LogGroupName: new("audit"), LogStreamName: new(account + "_CloudTrail_us-east-1"), StartFromHead: new(true)})).Events
	if !slices.ContainsFunc(lines, func(e logsapi.OutputLogEvent) bool {
		return strings.Contains(*e.Message, `"eventName":"AuthorizeSecurityGroupIngress"`)
	}) {
		t.Errorf("%d lines, none of them about the security group", len(lines))
	}
	got := wiretest.Must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 5})).Messages
	if len(got) != 1 || *got[0].Body != `{"s3Bucket":"trail","s3ObjectKey":["`+files[0]+`"]}` {
		t.Errorf("notifications: %v", got)
	}
	s := wiretest.Must(h.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: new("audit")}))
	if !*s.IsLogging || s.LatestDeliveryTime == nil || s.LatestCloudWatchLogsDeliveryTime == nil || s.LatestNotificationTime == nil || s.LatestDeliveryError != nil {
		t.Errorf("status: %+v", s)
	}
}

// A bucket that does not let CloudTrail in any more loses nothing: the status tells why, and what waited comes later.
func TestDeliveryIsTriedAgain(t *testing.T) {
	h := start(t)
	h.trail(nil)
	wiretest.Must(h.s3.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: new("trail")}))
	h.open()
	h.deliver()
	if s := wiretest.Must(h.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: new("audit")})); s.LatestDeliveryError == nil || *s.LatestDeliveryError != "AccessDenied" {
		t.Errorf("status: %+v", s)
	}
	wiretest.Must(h.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: new("trail"), Policy: new(allow("trail", ""))}))
	h.deliver()
	for _, name := range []string{"StartLogging", "DeleteBucketPolicy", "AuthorizeSecurityGroupIngress"} {
		if n := len(h.named(name)); n != 1 {
			t.Errorf("%d events %s, want 1", n, name)
		}
	}
}

// A trail delivers what happens while it logs, with the call that stops it, and nothing after.
func TestStopAndStart(t *testing.T) {
	h := start(t)
	h.bucket("before")
	h.trail(nil)
	h.stop()
	wiretest.Must(h.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}))
	wiretest.Must(h.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: new("audit")}))
	h.open()
	wiretest.Must(h.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: new("audit")}))
	if n := len(h.named("StopLogging")); n != 1 {
		t.Errorf("%d events of the stop", n)
	}
	if n := len(h.named("CreateVpc")); n != 1 {
		t.Errorf("%d VPCs are in the trail, want that of the time when it logged", n)
	}
	if n := len(h.named("AuthorizeSecurityGroupIngress")); n != 1 {
		t.Errorf("deleting the trail lost %d events", 1-n)
	}
}

// Data events are logged by selectors alone.
func TestSelectors(t *testing.T) {
	h := start(t)
	h.trail(nil)
	put := func(bucket string) {
		wiretest.Must(h.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: new("k"), Body: strings.NewReader("v")}))
	}
	h.bucket("backup")
	put("backup")
	wiretest.Must(h.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: new("audit"), EventSelectors: []types.EventSelector{{ReadWriteType: types.ReadWriteTypeWriteOnly,
		DataResources: []types.DataResource{{Type: new("AWS::S3::Object"), Values: []string{"arn:aws:s3:::backup/"}}}}}}))
	put("backup")
	put("trail")
	wiretest.Must(h.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("backup"), Key: new("k")}))
	h.deliver()
	puts := h.named("PutObject")
	if len(puts) != 1 || len(h.named("HeadObject")) != 0 {
		t.Fatalf("data events: %v", puts)
	}
	want := []any{map[string]any{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::backup/k", "accountId": account}, map[string]any{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::backup", "accountId": account}}
	if diff := cmp.Diff(any(want), puts[0]["resources"]); diff != "" || puts[0]["eventCategory"] != "Data" || puts[0]["managementEvent"] != false {
		t.Errorf("data event: %v\n%s", puts[0], diff)
	}
	got := wiretest.Must(h.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: new("audit")})).EventSelectors
	if len(got) != 1 || got[0].ReadWriteType != types.ReadWriteTypeWriteOnly || !*got[0].IncludeManagementEvents || got[0].DataResources[0].Values[0] != "arn:aws:s3:::backup/" {
		t.Errorf("selectors: %v", got)
	}
	field := func(name string, values ...string) types.AdvancedFieldSelector {
		return types.AdvancedFieldSelector{Field: &name, Equals: values}
	}
	for name, in := range map[string]*cloudtrail.PutEventSelectorsInput{
		"none":        {},
		"type":        {EventSelectors: []types.EventSelector{{DataResources: []types.DataResource{{Type: new("AWS::SQS::Queue"), Values: []string{"*"}}}}}},
		"value":       {EventSelectors: []types.EventSelector{{DataResources: []types.DataResource{{Type: new("AWS::S3::Object"), Values: []string{"arn:aws:s3:::backup"}}}}}},
		"too many":    {EventSelectors: make([]types.EventSelector, 6)},
		"no category": {AdvancedEventSelectors: []types.AdvancedEventSelector{{FieldSelectors: []types.AdvancedFieldSelector{field("eventName", "a")}}}},
		"no type":     {AdvancedEventSelectors: []types.AdvancedEventSelector{{FieldSelectors: []types.AdvancedFieldSelector{field("eventCategory", "Data")}}}},
		"field":       {AdvancedEventSelectors: []types.AdvancedEventSelector{{FieldSelectors: []types.AdvancedFieldSelector{field("eventCategory", "Management"), field("colour", "red")}}}},
	} {
		in.TrailName = new("audit")
		_, err := h.PutEventSelectors(t.Context(), in)
		t.Run(name, func(t *testing.T) { wiretest.Refused(t, err, "InvalidEventSelectorsException", "") })
	}
}

// Events outlive the process; a line that a crash tore is cut off.
func TestCrash(t *testing.T) {
	h := start(t)
	h.open()
	h.deliver() // to disk
	dir := filepath.Join(h.dir, "audit")
	file := wiretest.Must(filepath.Glob(filepath.Join(dir, "*")))[0]
	f := wiretest.Must(os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0))
	_, _ = f.WriteString(`{"Time":"2026-`)
	f.Close()
	again := wiretest.Must(lab.New(lab.Config{Store: h.store, Region: region.Default(), Now: time.Now, Dir: dir, Roles: h.iam}))
	client := cloudtrail.NewFromConfig(wiretest.New(t, trailapi.New(again)).Config())
	if found := wiretest.Must(client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: by("EventName", "AuthorizeSecurityGroupIngress")})); len(found.Events) != 1 {
		t.Errorf("found %d events", len(found.Events))
	}
	h.ahead.Add(int64(lab.Retention + 2*time.Hour))
	if err := h.service.Expire(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("events are older than the history: %v", err)
	}
}
