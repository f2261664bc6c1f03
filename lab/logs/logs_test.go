package logs_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	api "storefront/lab/api/logs"
	lab "storefront/lab/logs"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

type harness struct {
	*cloudwatchlogs.Client
	service *lab.Service
	now     time.Time
}

// start serves logs with the group "g" and its streams "a" and "b".
func start(t *testing.T) *harness {
	t.Helper()
	return startWith(t, func(*lab.Config) {})
}

func startWith(t *testing.T, edit func(*lab.Config)) *harness {
	t.Helper()
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	h := &harness{now: time.Now()}
	c := lab.Config{Store: store, Region: region.Default(), Now: func() time.Time { return h.now }}
	edit(&c)
	h.service = lab.New(c)
	h.Client = cloudwatchlogs.NewFromConfig(wiretest.New(t, api.New(h.service)).Config())
	wiretest.Must(h.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: new("g"), Tags: map[string]string{"a": "1"}}))
	for _, s := range []string{"a", "b"} {
		wiretest.Must(h.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: &s}))
	}
	return h
}

// put writes messages at seconds from now.
func (h *harness) put(t *testing.T, stream string, seconds ...int) (*cloudwatchlogs.PutLogEventsOutput, error) {
	t.Helper()
	var events []types.InputLogEvent
	for _, s := range seconds {
		events = append(events, types.InputLogEvent{Timestamp: new(h.now.Add(time.Duration(s) * time.Second).UnixMilli()), Message: new(fmt.Sprint("at ", s))})
	}
	return h.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: &stream, LogEvents: events})
}

func (h *harness) read(t *testing.T, limit int32, token *string) (messages string, out *cloudwatchlogs.GetLogEventsOutput) {
	t.Helper()
	out = wiretest.Must(h.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("a"), Limit: &limit, NextToken: token, StartFromHead: new(true)}))
	var all []string
	for _, e := range out.Events {
		all = append(all, *e.Message)
	}
	return strings.Join(all, ","), out
}

func TestEventsAreOrderedAndPaged(t *testing.T) {
	h := start(t)
	wiretest.Must(h.put(t, "a", -5, -3))
	wiretest.Must(h.put(t, "a", -4, -1))
	got, page := h.read(t, 3, nil)
	if got != "at -5,at -4,at -3" {
		t.Errorf("got %s", got)
	}
	if got, page = h.read(t, 3, page.NextForwardToken); got != "at -1" {
		t.Errorf("got %s", got)
	}
	got, end := h.read(t, 3, page.NextForwardToken)
	if got != "" || *end.NextForwardToken != *page.NextForwardToken {
		t.Errorf("got %q, %s: the end does not repeat its token", got, *end.NextForwardToken)
	}
	wiretest.Must(h.put(t, "a", 0))
	if got, _ = h.read(t, 3, end.NextForwardToken); got != "at 0" {
		t.Errorf("got %q after the end", got)
	}
	if got, _ = h.read(t, 2, page.NextBackwardToken); got != "at -4,at -3" {
		t.Errorf("got %q backwards", got)
	}
	wiretest.Must(h.put(t, "b", -2))
	first := wiretest.Must(h.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g"), FilterPattern: new("at"), Limit: new(int32(4))}))
	if len(first.Events) != 4 || *first.Events[3].Message != "at -2" || first.NextToken == nil {
		t.Errorf("got %+v", first)
	}
	if second := wiretest.Must(h.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g"), FilterPattern: new("at"), Limit: new(int32(4)), NextToken: first.NextToken})); len(second.Events) != 2 {
		t.Errorf("got %+v", second)
	}
}

func TestBatchesAreChecked(t *testing.T) {
	h := start(t)
	_, err := h.put(t, "a", -1, -2)
	wiretest.Refused(t, err, "InvalidParameterException", "chronological order")
	_, err = h.put(t, "a", -25*3600, 0)
	wiretest.Refused(t, err, "InvalidParameterException", "24 hours")
	_, err = h.put(t, "none", 0)
	wiretest.Refused(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
	if out := wiretest.Must(h.put(t, "a", -15*24*3600)); out.RejectedLogEventsInfo == nil || *out.RejectedLogEventsInfo.TooOldLogEventEndIndex != 1 {
		t.Errorf("got %+v", out.RejectedLogEventsInfo)
	}
	if out := wiretest.Must(h.put(t, "a", 0, 3*3600)); *out.RejectedLogEventsInfo.TooNewLogEventStartIndex != 1 {
		t.Errorf("got %+v", out.RejectedLogEventsInfo)
	}
}

func TestRetention(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	retain := func(days int32) error {
		_, err := h.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: &days})
		return err
	}
	wiretest.Refused(t, retain(2), "InvalidParameterException", "retentionInDays")
	wiretest.Must(h.put(t, "a", 0))
	if err := retain(1); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(25 * time.Hour)
	if got, _ := h.read(t, 9, nil); got != "" {
		t.Errorf("got %q after the retention", got)
	}
	if out := wiretest.Must(h.put(t, "a", -25*3600)); *out.RejectedLogEventsInfo.ExpiredLogEventEndIndex != 1 {
		t.Errorf("got %+v", out.RejectedLogEventsInfo)
	}
	if err := h.service.Expire(); err != nil {
		t.Fatal(err)
	}
	wiretest.Must(h.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: new("g")}))
	if got, _ := h.read(t, 9, nil); got != "" {
		t.Errorf("got %q: expired events are still kept", got)
	}
}

func TestGroupsStreamsAndTags(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	_, err := h.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: new("g")})
	wiretest.Refused(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = h.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: new("a b")})
	wiretest.Refused(t, err, "InvalidParameterException", "logGroupName")
	const arn = "arn:aws:logs:us-east-1:000000000000:log-group:g"
	wiretest.Must(h.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: new("g"), KmsKeyId: new("arn:aws:kms:us-east-1:000000000000:key/1")}))
	g := wiretest.Must(h.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: new("g")})).LogGroups[0]
	if *g.Arn != arn+":*" || *g.LogGroupArn != arn || g.RetentionInDays != nil || g.KmsKeyId == nil {
		t.Errorf("got %+v", g)
	}
	wiretest.Must(h.DisassociateKmsKey(ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: new("g")}))
	wiretest.Must(h.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: new(arn), Tags: map[string]string{"b": "2"}}))
	wiretest.Must(h.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: new(arn), TagKeys: []string{"a"}}))
	wiretest.Must(h.TagLogGroup(ctx, &cloudwatchlogs.TagLogGroupInput{LogGroupName: new("g"), Tags: map[string]string{"c": "3"}}))
	wiretest.Must(h.UntagLogGroup(ctx, &cloudwatchlogs.UntagLogGroupInput{LogGroupName: new("g"), Tags: []string{"c"}}))
	tags, old := wiretest.Must(h.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: new(arn)})).Tags, wiretest.Must(h.ListTagsLogGroup(ctx, &cloudwatchlogs.ListTagsLogGroupInput{LogGroupName: new("g")})).Tags
	if len(tags) != 1 || tags["b"] != "2" || len(old) != 1 {
		t.Errorf("got %v, %v", tags, old)
	}
	first := wiretest.Must(h.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: new("g"), Limit: new(int32(1))}))
	second := wiretest.Must(h.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: new("g"), Limit: new(int32(1)), NextToken: first.NextToken}))
	if *first.LogStreams[0].LogStreamName != "a" || *second.LogStreams[0].LogStreamName != "b" || second.NextToken != nil {
		t.Errorf("got %+v, %+v", first, second)
	}
	wiretest.Must(h.DeleteLogStream(ctx, &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: new("g"), LogStreamName: new("a")}))
	wiretest.Must(h.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: new("g")}))
	_, err = h.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: new("g")})
	wiretest.Refused(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestResourcePolicyQuota(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	put := func(name, document string) error {
		_, err := h.PutResourcePolicy(ctx, &cloudwatchlogs.PutResourcePolicyInput{PolicyName: &name, PolicyDocument: &document})
		return err
	}
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}`
	for i := range 10 {
		if err := put(fmt.Sprint("p", i), policy); err != nil {
			t.Fatal(err)
		}
	}
	wiretest.Refused(t, put("p10", policy), "LimitExceededException", "Resource limit exceeded.")
	wiretest.Refused(t, put("p0", "{}"), "InvalidParameterException", "")
	if err := put("p0", policy); err != nil {
		t.Error(err)
	}
	wiretest.Must(h.DeleteResourcePolicy(ctx, &cloudwatchlogs.DeleteResourcePolicyInput{PolicyName: new("p0")}))
	if l := wiretest.Must(h.DescribeResourcePolicies(ctx, nil)).ResourcePolicies; len(l) != 9 || *l[0].PolicyDocument != policy {
		t.Errorf("got %d policies", len(l))
	}
	_, err := h.DeleteResourcePolicy(ctx, &cloudwatchlogs.DeleteResourcePolicyInput{PolicyName: new("p0")})
	wiretest.Refused(t, err, "ResourceNotFoundException", "p0")
}
