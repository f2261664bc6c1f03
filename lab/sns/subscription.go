package sns

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"

	api "storefront/lab/api/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// key is where the store keeps a subscription: the end of its ARN.
func (sub subscription) key() string { return subscriptionKey(sub.ARN) }

func subscriptionKey(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) != 7 {
		return ""
	}
	return parts[5] + "/" + parts[6]
}

// subscribers are the subscriptions of a topic.
func (s *Service) subscribers(tx *state.Tx, topic string) (all []subscription) {
	for _, sub := range subscriptions.WithPrefix(tx, topic+"/") {
		all = append(all, sub)
	}
	return all
}

func (s *Service) subscription(tx *state.Tx, arn string) (subscription, error) {
	if subscriptionKey(arn) == "" {
		return subscription{}, invalid("SubscriptionArn", "An ARN must have at least 6 elements, not "+fmt.Sprint(strings.Count(arn, ":")))
	}
	sub, ok, err := subscriptions.Get(tx, subscriptionKey(arn))
	if err == nil && (!ok || sub.ARN != arn) {
		err = missing("Subscription")
	}
	return sub, err
}

// checkEndpoint checks where a subscription delivers to. The lab delivers to its own queues and nowhere else.
func (s *Service) checkEndpoint(t *topic, protocol, endpoint string) error {
	switch protocol {
	case "sqs":
	case "http", "https", "email", "email-json", "sms", "application", "lambda", "firehose":
		return invalid("Protocol", "the lab does not deliver to "+protocol+", only to sqs")
	default:
		return invalid("Protocol", "Does not support this protocol string: "+protocol)
	}
	name, ours := strings.CutPrefix(endpoint, s.Region.ARN("sqs", ""))
	switch {
	case !strings.HasPrefix(endpoint, "arn:aws:sqs:") || strings.Count(endpoint, ":") != 5:
		return invalid("SQS endpoint ARN")
	case !ours || name == "":
		return invalid("SQS endpoint ARN", "the lab delivers to queues of its own account and region only")
	case !t.fifo() && strings.HasSuffix(name, ".fifo"):
		return invalid("Endpoint", "FIFO SQS Queues can not be subscribed to standard SNS topics")
	}
	return nil
}

// Subscribe implements the operation of that name. A queue of the topic's own account needs no confirmation.
func (s *Service) Subscribe(_ context.Context, in *api.SubscribeInput) (*api.SubscribeOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.SubscribeOutput) error {
		t, err := s.find(tx, *in.TopicArn)
		if err != nil {
			return err
		}
		sub := subscription{Topic: *in.TopicArn, Protocol: *in.Protocol, Endpoint: wire.Value(in.Endpoint), Attributes: map[string]string{}}
		if err := s.checkEndpoint(&t, sub.Protocol, sub.Endpoint); err != nil {
			return err
		}
		for name, value := range in.Attributes {
			if err := s.setSubscriptionAttribute(&sub, name, value); err != nil {
				return err
			}
		}
		for _, old := range s.subscribers(tx, t.Name) {
			if old.Protocol == sub.Protocol && old.Endpoint == sub.Endpoint {
				if len(in.Attributes) > 0 && !maps.Equal(old.Attributes, sub.Attributes) {
					return invalid("Attributes", "Subscription already exists with different attributes")
				}
				out.SubscriptionArn = new(old.ARN)
				return nil
			}
		}
		sub.ARN = *in.TopicArn + ":" + newUUID()
		out.SubscriptionArn = new(sub.ARN)
		return subscriptions.Put(tx, sub.key(), sub)
	})
}

// newUUID makes a random ID: messages and subscriptions must not be found by counting.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ConfirmSubscription implements the operation of that name. No subscription of the lab ever waits for it, so that there is no token to know.
func (s *Service) ConfirmSubscription(_ context.Context, in *api.ConfirmSubscriptionInput) (*api.ConfirmSubscriptionOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, _ *api.ConfirmSubscriptionOutput) error {
		if _, err := s.find(tx, *in.TopicArn); err != nil {
			return err
		}
		return invalid("Token", "no subscription waits for confirmation with this token")
	})
}

// Unsubscribe implements the operation of that name. A subscription that does not exist is no error.
func (s *Service) Unsubscribe(_ context.Context, in *api.UnsubscribeInput) (*api.UnsubscribeOutput, error) {
	key := subscriptionKey(*in.SubscriptionArn)
	if key == "" {
		return nil, invalid("SubscriptionArn")
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UnsubscribeOutput) error { return subscriptions.Delete(tx, key) })
}

// ListSubscriptions implements the operation of that name.
func (s *Service) ListSubscriptions(_ context.Context, in *api.ListSubscriptionsInput) (*api.ListSubscriptionsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListSubscriptionsOutput) error {
		list, next, err := page(subscriptions.All(tx), subscription.key, in.NextToken)
		out.Subscriptions, out.NextToken = s.listed(list), next
		return err
	})
}

// ListSubscriptionsByTopic implements the operation of that name.
func (s *Service) ListSubscriptionsByTopic(_ context.Context, in *api.ListSubscriptionsByTopicInput) (*api.ListSubscriptionsByTopicOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListSubscriptionsByTopicOutput) error {
		t, err := s.find(tx, *in.TopicArn)
		if err != nil {
			return err
		}
		list, next, err := page(subscriptions.WithPrefix(tx, t.Name+"/"), subscription.key, in.NextToken)
		out.Subscriptions, out.NextToken = s.listed(list), next
		return err
	})
}

func (s *Service) listed(page []subscription) []api.Subscription {
	out := []api.Subscription{}
	for _, sub := range page {
		out = append(out, api.Subscription{SubscriptionArn: new(sub.ARN), Owner: new(s.Region.Account), Protocol: new(sub.Protocol), Endpoint: new(sub.Endpoint), TopicArn: new(sub.Topic)})
	}
	return out
}
