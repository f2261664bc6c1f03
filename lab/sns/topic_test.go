package sns_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"storefront/lab/wire/wiretest"
)

func (h *harness) attributes(topic *string) map[string]string {
	h.t.Helper()
	return wiretest.Must(h.GetTopicAttributes(h.t.Context(), &sns.GetTopicAttributesInput{TopicArn: topic})).Attributes
}

func (h *harness) set(topic *string, name, value string) error {
	_, err := h.SetTopicAttributes(h.t.Context(), &sns.SetTopicAttributesInput{TopicArn: topic, AttributeName: &name, AttributeValue: &value})
	return err
}

func TestTopics(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	topic := h.topic("alarms", "DisplayName", "Alarms")
	if *topic != topicARN+"alarms" || *h.topic("alarms") != *topic || *h.topic("alarms", "DisplayName", "Alarms") != *topic {
		t.Errorf("got %s, want the same topic each time", *topic)
	}
	_, err := h.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("alarms"), Attributes: map[string]string{"DisplayName": "Other"}})
	wiretest.Refused(t, err, "InvalidParameter", "Topic already exists with different attributes")
	for _, name := range []string{"", "a b", "x.fifo", "ä"} {
		_, err := h.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
		wiretest.Refused(t, err, "InvalidParameter", "Topic Name")
	}
	all := h.attributes(topic)
	for name, want := range map[string]string{"TopicArn": *topic, "Owner": "000000000000", "DisplayName": "Alarms", "SubscriptionsConfirmed": "0", "SubscriptionsPending": "0",
		"SubscriptionsDeleted": "0", "KmsMasterKeyId": "", "FifoTopic": ""} {
		if all[name] != want {
			t.Errorf("%s is %q, want %q", name, all[name], want)
		}
	}
	for _, document := range []string{"Policy", "EffectiveDeliveryPolicy"} {
		if !json.Valid([]byte(all[document])) {
			t.Errorf("%s is %q", document, all[document])
		}
	}
	_, err = h.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: new(topicARN + "none")})
	if wiretest.Refused(t, err, "NotFound", "Topic does not exist"); !errors.As(err, new(*types.NotFoundException)) {
		t.Errorf("got %T", err)
	}
	h.topic("b.fifo", "FifoTopic", "true")
	if page := wiretest.Must(h.ListTopics(ctx, &sns.ListTopicsInput{})); len(page.Topics) != 2 || *page.Topics[1].TopicArn != topicARN+"b.fifo" {
		t.Errorf("got %+v", page.Topics)
	}
	for range 2 { // the second finds nothing
		wiretest.Must(h.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic}))
	}
	if page := wiretest.Must(h.ListTopics(ctx, &sns.ListTopicsInput{})); len(page.Topics) != 1 {
		t.Errorf("got %+v", page.Topics)
	}
}

func TestTopicsArePaged(t *testing.T) {
	h := start(t)
	for i := range 101 {
		h.topic(fmt.Sprintf("t%03d", i))
	}
	first := wiretest.Must(h.ListTopics(t.Context(), &sns.ListTopicsInput{}))
	rest := wiretest.Must(h.ListTopics(t.Context(), &sns.ListTopicsInput{NextToken: first.NextToken}))
	if len(first.Topics) != 100 || len(rest.Topics) != 1 || rest.NextToken != nil {
		t.Errorf("got %d and %d topics", len(first.Topics), len(rest.Topics))
	}
}

func TestTopicAttributesReadBack(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	before := h.attributes(topic)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + *topic + `"}]}`
	for name, value := range map[string]string{"DisplayName": "T", "KmsMasterKeyId": "alias/aws/sns", "SignatureVersion": "2", "SQSSuccessFeedbackSampleRate": "0", "TracingConfig": "Active", "Policy": policy} {
		if err := h.set(topic, name, value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := h.attributes(topic)[name]; got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
		if err := h.set(topic, name, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := h.attributes(topic)[name]; got != before[name] {
			t.Errorf("%s is %q after it was taken back, want %q", name, got, before[name])
		}
	}
	if err := h.set(topic, "DeliveryPolicy", `{"http":{"disableSubscriptionOverrides":true}}`); err != nil {
		t.Fatal(err)
	}
	var effective struct {
		HTTP struct {
			DisableSubscriptionOverrides bool
			DefaultHealthyRetryPolicy    struct{ NumRetries int }
		}
	}
	if err := json.Unmarshal([]byte(h.attributes(topic)["EffectiveDeliveryPolicy"]), &effective); err != nil || !effective.HTTP.DisableSubscriptionOverrides || effective.HTTP.DefaultHealthyRetryPolicy.NumRetries != 3 {
		t.Errorf("got %+v, %v", effective, err)
	}
	for name, value := range map[string]string{"Policy": "{", "DeliveryPolicy": "[", "SignatureVersion": "3", "HTTPSuccessFeedbackSampleRate": "101", "TracingConfig": "On", "FifoTopic": "true", "ContentBasedDeduplication": "true",
		"Colour": "blue", "LambdaSuccessFeedbackRoleArn": "arn:aws:iam::000000000000:role/r"} {
		wiretest.Refused(t, h.set(topic, name, value), "InvalidParameter", "Invalid parameter: ")
	}
}

func TestTopicTagsAndPermissions(t *testing.T) {
	h := start(t)
	ctx, topic := t.Context(), h.topic("t")
	wiretest.Must(h.TagResource(ctx, &sns.TagResourceInput{ResourceArn: topic, Tags: []types.Tag{{Key: new("b"), Value: new("2")}, {Key: new("a"), Value: new("1")}}}))
	wiretest.Must(h.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: topic, TagKeys: []string{"a"}}))
	_, err := h.TagResource(ctx, &sns.TagResourceInput{ResourceArn: topic, Tags: []types.Tag{{Key: new("aws:x"), Value: new("")}}})
	wiretest.Refused(t, err, "InvalidParameter", "aws:")
	if tags := wiretest.Must(h.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: topic})).Tags; len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("got %+v", tags)
	}
	_, err = h.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: new(topicARN + "none")})
	wiretest.Refused(t, err, "ResourceNotFound", "")
	statements := func() (n int) {
		var d struct{ Statement []any }
		if err := json.Unmarshal([]byte(h.attributes(topic)["Policy"]), &d); err != nil {
			t.Fatal(err)
		}
		return len(d.Statement)
	}
	add := func() error {
		_, err := h.AddPermission(ctx, &sns.AddPermissionInput{TopicArn: topic, Label: new("friend"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"Publish"}})
		return err
	}
	if err := add(); err != nil || statements() != 2 {
		t.Fatalf("%v, %d statements", err, statements())
	}
	wiretest.Refused(t, add(), "InvalidParameter", "already exists")
	remove := func() error {
		_, err := h.RemovePermission(ctx, &sns.RemovePermissionInput{TopicArn: topic, Label: new("friend")})
		return err
	}
	if err := remove(); err != nil || statements() != 1 {
		t.Fatalf("%v, %d statements", err, statements())
	}
	wiretest.Refused(t, remove(), "NotFound", "")
}
