package sns_test

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"storefront/lab/wire/wiretest"
)

func TestSubscriptions(t *testing.T) {
	h := start(t)
	ctx, topic := t.Context(), h.topic("t")
	filter, redrive := `{"kind":["a"]}`, `{"deadLetterTargetArn":"`+queueARN+`dead"}`
	arn := h.subscribe(topic, "q", "FilterPolicy", filter, "RedrivePolicy", redrive)
	if again := h.subscribe(topic, "q"); *again != *arn {
		t.Errorf("got %s and %s for one endpoint", *arn, *again)
	}
	_, err := h.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: new("sqs"), Endpoint: new(queueARN + "q"), Attributes: map[string]string{"RawMessageDelivery": "true"}})
	wiretest.Refused(t, err, "InvalidParameter", "already exists with different attributes")
	attributes := func() map[string]string {
		return wiretest.Must(h.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: arn})).Attributes
	}
	want := map[string]string{"SubscriptionArn": *arn, "TopicArn": *topic, "Owner": "000000000000", "Protocol": "sqs", "Endpoint": queueARN + "q", "ConfirmationWasAuthenticated": "true",
		"PendingConfirmation": "false", "RawMessageDelivery": "false", "SubscriptionPrincipal": "arn:aws:iam::000000000000:root", "FilterPolicy": filter, "FilterPolicyScope": "MessageAttributes", "RedrivePolicy": redrive}
	if got := attributes(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	set := func(name, value string) error {
		_, err := h.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	for name, value := range map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": "", "RedrivePolicy": ""} {
		if err := set(name, value); err != nil {
			t.Error(err)
		}
	}
	if got := attributes(); got["RawMessageDelivery"] != "true" || got["FilterPolicy"]+got["FilterPolicyScope"]+got["RedrivePolicy"] != "" {
		t.Errorf("got %v", got)
	}
	for name, value := range map[string]string{"RawMessageDelivery": "yes", "FilterPolicyScope": "All", "FilterPolicy": "[]", "RedrivePolicy": `{"deadLetterTargetArn":"q"}`, "DeliveryPolicy": "{}", "Colour": "blue"} {
		wiretest.Refused(t, set(name, value), "InvalidParameter", "Invalid parameter: ")
	}
	if list := wiretest.Must(h.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})).Subscriptions; len(list) != 1 || *list[0].SubscriptionArn != *arn {
		t.Errorf("got %+v", list)
	}
	if list := wiretest.Must(h.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: h.topic("other")})).Subscriptions; len(list) != 0 {
		t.Errorf("got %+v", list)
	}
	if n := h.attributes(topic)["SubscriptionsConfirmed"]; n != "1" {
		t.Errorf("got %s subscriptions", n)
	}
	for range 2 {
		wiretest.Must(h.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: arn}))
	}
	_, err = h.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: arn})
	wiretest.Refused(t, err, "NotFound", "Subscription does not exist")
	h.subscribe(topic, "q")
	wiretest.Must(h.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic}))
	if list := wiretest.Must(h.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})).Subscriptions; len(list) != 0 {
		t.Errorf("the topic is gone, its subscriptions %+v are not", list)
	}
}

// TestOtherProtocols: the lab says where it does not deliver.
func TestOtherProtocols(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	for protocol, part := range map[string]string{"email": "the lab does not deliver to email", "https": "the lab does not deliver to https", "lambda": "the lab does not deliver to lambda", "pigeon": "Does not support this protocol"} {
		_, err := h.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: &protocol, Endpoint: new("a@example.com")})
		wiretest.Refused(t, err, "InvalidParameter", part)
	}
	for _, endpoint := range []string{"", "q", "arn:aws:sqs:us-east-1:111122223333:q", "arn:aws:lambda:us-east-1:000000000000:function:f"} {
		_, err := h.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: new("sqs"), Endpoint: &endpoint})
		wiretest.Refused(t, err, "InvalidParameter", "SQS endpoint ARN")
	}
	_, err := h.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: topic, Token: new("t")})
	wiretest.Refused(t, err, "InvalidParameter", "Token")
}
