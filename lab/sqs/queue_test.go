package sqs_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	api "storefront/lab/api/sqs"
	"storefront/lab/region"
	lab "storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

func (h *harness) attributes(url *string) map[string]string {
	h.t.Helper()
	return wiretest.Must(h.GetQueueAttributes(h.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})).Attributes
}

func TestQueues(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	url := h.queue("q", "VisibilityTimeout", "45")
	if *url != h.url+"/000000000000/q" || *h.queue("q") != *url || *h.queue("q", "VisibilityTimeout", "45") != *url {
		t.Errorf("got %s, want the same queue each time", *url)
	}
	_, err := h.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("q"), Attributes: map[string]string{"VisibilityTimeout": "46"}})
	if wiretest.Refused(t, err, "QueueAlreadyExists", "VisibilityTimeout"); !errors.As(err, new(*types.QueueNameExists)) {
		t.Errorf("got %T", err)
	}
	_, err = h.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: new("none")})
	if wiretest.Refused(t, err, "AWS.SimpleQueueService.NonExistentQueue", "does not exist"); !errors.As(err, new(*types.QueueDoesNotExist)) {
		t.Errorf("got %T", err)
	}
	h.send(new("https://sqs.us-east-1.amazonaws.com/000000000000/q"), "a") // the host does not matter
	all := h.attributes(url)
	for name, want := range map[string]string{"VisibilityTimeout": "45", "DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "QueueArn": arn + "q",
		"ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true", "ApproximateNumberOfMessages": "1", "Policy": "", "KmsDataKeyReusePeriodSeconds": ""} {
		if all[name] != want {
			t.Errorf("%s is %q, want %q", name, all[name], want)
		}
	}
	h.queue("other")
	page := wiretest.Must(h.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: new(int32(1))}))
	rest := wiretest.Must(h.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: new(int32(1)), NextToken: page.NextToken}))
	if len(page.QueueUrls) != 1 || !strings.HasSuffix(page.QueueUrls[0], "/other") || len(rest.QueueUrls) != 1 || rest.NextToken != nil {
		t.Errorf("got %+v and %+v", page, rest)
	}
	purge := func() error { _, err := h.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url}); return err }
	if err := purge(); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, purge(), "AWS.SimpleQueueService.PurgeQueueInProgress", "")
	h.expect(url)
	wiretest.Must(h.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url}))
	_, err = h.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("q")})
	wiretest.Refused(t, err, "AWS.SimpleQueueService.QueueDeletedRecently", "60 seconds")
	h.pass(time.Minute)
	h.queue("q")
}

func TestAttributesAreChecked(t *testing.T) {
	h := start(t)
	url := h.queue("q")
	set := func(name, value string) error {
		_, err := h.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{name: value}})
		return err
	}
	before := h.attributes(url)
	for name, value := range map[string]string{"VisibilityTimeout": "43201", "DelaySeconds": "-1", "MaximumMessageSize": "1023", "MessageRetentionPeriod": "59", "ReceiveMessageWaitTimeSeconds": "x",
		"Policy": "{", "SqsManagedSseEnabled": "yes", "FifoQueue": "true"} {
		wiretest.Refused(t, set(name, value), "InvalidAttributeValue", name)
	}
	wiretest.Refused(t, set("Colour", "blue"), "InvalidAttributeName", "Colour")
	wiretest.Refused(t, set("ContentBasedDeduplication", "true"), "InvalidAttributeName", "FifoQueue")
	if after := h.attributes(url); !maps.Equal(before, after) {
		t.Errorf("refused requests changed %v to %v", before, after)
	}
	if err := set("KmsMasterKeyId", "alias/aws/sqs"); err != nil {
		t.Fatal(err)
	}
	h.open()
	if a := h.attributes(url); a["SqsManagedSseEnabled"] != "false" || a["KmsDataKeyReusePeriodSeconds"] != "300" {
		t.Errorf("got %v", a)
	}
}

func TestTagsAndPermissions(t *testing.T) {
	h := start(t)
	ctx, url := t.Context(), h.queue("q")
	wiretest.Must(h.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"a": "1", "b": "2"}}))
	wiretest.Must(h.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"a"}}))
	_, err := h.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"aws:x": "1"}})
	wiretest.Refused(t, err, "InvalidParameterValue", "aws:")
	h.open()
	if tags := wiretest.Must(h.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})).Tags; !maps.Equal(tags, map[string]string{"b": "2"}) {
		t.Errorf("got tags %v", tags)
	}
	add := func() error {
		_, err := h.AddPermission(ctx, &sqs.AddPermissionInput{QueueUrl: url, Label: new("friend"), AWSAccountIds: []string{"111122223333"}, Actions: []string{"SendMessage"}})
		return err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, add(), "InvalidParameterValue", "Already exists")
	if policy := h.attributes(url)["Policy"]; !strings.Contains(policy, `"arn:aws:iam::111122223333:root"`) || !strings.Contains(policy, `"SQS:SendMessage"`) {
		t.Errorf("got policy %s", policy)
	}
	remove := func() error {
		_, err := h.RemovePermission(ctx, &sqs.RemovePermissionInput{QueueUrl: url, Label: new("friend")})
		return err
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, remove(), "InvalidParameterValue", "find label")
}

// TestLongPoll uses the service without a network, so that time is synctest's.
func TestLongPoll(t *testing.T) {
	file := t.TempDir() + "/state"
	synctest.Test(t, func(t *testing.T) {
		store := wiretest.Must(state.Open(file))
		defer store.Close()
		s := wiretest.Must(lab.New(lab.Config{Store: store, Region: region.Default(), Endpoint: func() string { return endpoint }, Now: time.Now}))
		url := wiretest.Must(s.CreateQueue(t.Context(), &api.CreateQueueInput{QueueName: new("q")})).QueueUrl
		receive := func(ctx context.Context) (int, time.Duration) {
			begin := time.Now()
			out := wiretest.Must(s.ReceiveMessage(ctx, &api.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: new(int64(20)), VisibilityTimeout: new(int64(7))}))
			return len(out.Messages), time.Since(begin)
		}
		send := func(delay int64) {
			wiretest.Must(s.SendMessage(t.Context(), &api.SendMessageInput{QueueUrl: url, MessageBody: new("a"), DelaySeconds: new(delay)}))
		}
		expect := func(ctx context.Context, want int, after time.Duration) {
			t.Helper()
			if n, took := receive(ctx); n != want || took.Round(10*time.Millisecond) != after {
				t.Errorf("got %d messages after %v, want %d after %v", n, took, want, after)
			}
		}
		expect(t.Context(), 0, 20*time.Second)
		time.AfterFunc(3*time.Second, func() { send(0) })
		expect(t.Context(), 1, 3*time.Second)
		expect(t.Context(), 1, 7*time.Second) // its visibility timeout
		time.AfterFunc(time.Second, func() { send(2) })
		expect(t.Context(), 1, 3*time.Second)
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		expect(gone, 0, time.Second)
	})
}
