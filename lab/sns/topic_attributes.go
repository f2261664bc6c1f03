package sns

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"storefront/lab/access"
	api "storefront/lab/api/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// setTopicAttribute checks and sets one attribute. An empty value takes it back to what it is when it was never set.
func (s *Service) setTopicAttribute(t *topic, name, value string) error {
	bad := func(reason string) error { return invalid(name, reason) }
	switch name {
	case "DisplayName":
		if len([]rune(value)) > 100 {
			return bad("it must be at most 100 characters long")
		}
	case "Policy":
		if value == "" {
			break
		}
		if _, err := access.Parse(value); err != nil {
			return bad("Policy statement: " + err.Error())
		}
	case "DeliveryPolicy":
		if err := checkDeliveryPolicy(value); err != nil {
			return bad(err.Error())
		}
	case "KmsMasterKeyId":
	case "SignatureVersion":
		if value != "" && value != "1" && value != "2" {
			return bad("it must be 1 or 2")
		}
	case "TracingConfig":
		if value != "" && value != "PassThrough" && value != "Active" {
			return bad("it must be PassThrough or Active")
		}
	case "FifoTopic":
		if value != "true" {
			return bad("it must be true or false")
		}
	case "ContentBasedDeduplication":
		if value != "" && value != "true" && value != "false" {
			return bad("it must be true or false")
		}
		if value == "true" && !strings.HasSuffix(t.Name, ".fifo") {
			return bad("only FIFO topics have it")
		}
	case "HTTPSuccessFeedbackSampleRate", "FirehoseSuccessFeedbackSampleRate", "LambdaSuccessFeedbackSampleRate", "ApplicationSuccessFeedbackSampleRate", "SQSSuccessFeedbackSampleRate":
		// Without a role there is no log to write samples to; Terraform's provider sets the rates all the same.
		if n, err := strconv.Atoi(value); value != "" && (err != nil || n < 0 || n > 100) {
			return bad("it must be between 0 and 100")
		}
	default:
		if value == "" && strings.HasSuffix(name, "FeedbackRoleArn") {
			break
		}
		return invalid("AttributeName", "the lab does not serve the topic attribute "+name)
	}
	if value == "" {
		delete(t.Attributes, name)
		return nil
	}
	t.Attributes[name] = value
	return nil
}

// SetTopicAttributes implements the operation of that name.
func (s *Service) SetTopicAttributes(_ context.Context, in *api.SetTopicAttributesInput) (*api.SetTopicAttributesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.SetTopicAttributesOutput) error {
		return s.editTopic(tx, *in.TopicArn, func(t *topic) error {
			if *in.AttributeName == "FifoTopic" {
				return invalid("AttributeName", "the type of a topic cannot change")
			}
			return s.setTopicAttribute(t, *in.AttributeName, wire.Value(in.AttributeValue))
		})
	})
}

func (s *Service) editTopic(tx *state.Tx, arn string, edit func(*topic) error) error {
	t, err := s.find(tx, arn)
	if err != nil {
		return err
	}
	if t.Attributes == nil {
		t.Attributes = map[string]string{}
	}
	if err := edit(&t); err != nil {
		return err
	}
	return topics.Put(tx, t.Name, t)
}

// GetTopicAttributes implements the operation of that name.
func (s *Service) GetTopicAttributes(_ context.Context, in *api.GetTopicAttributesInput) (*api.GetTopicAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetTopicAttributesOutput) error {
		t, err := s.find(tx, *in.TopicArn)
		if err != nil {
			return err
		}
		effective, err := effectiveDeliveryPolicy(t.Attributes["DeliveryPolicy"])
		if err != nil {
			return err
		}
		all := map[string]string{
			"TopicArn": *in.TopicArn, "Owner": s.Region.Account, "DisplayName": "", "Policy": s.policy(&t), "EffectiveDeliveryPolicy": effective,
			"SubscriptionsConfirmed": strconv.Itoa(len(s.subscribers(tx, t.Name))), "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
		}
		if t.fifo() {
			all["ContentBasedDeduplication"] = "false"
		}
		maps.Copy(all, t.Attributes)
		out.Attributes = all
		return nil
	})
}

// GetDataProtectionPolicy implements the operation of that name: topics of the lab have none.
func (s *Service) GetDataProtectionPolicy(_ context.Context, in *api.GetDataProtectionPolicyInput) (*api.GetDataProtectionPolicyOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, _ *api.GetDataProtectionPolicyOutput) error {
		_, err := s.find(tx, *in.ResourceArn)
		return err
	})
}

// defaultDeliveryPolicy is what "Amazon SNS message delivery retries" gives for a topic without a policy of its own. It is about HTTP endpoints.
const defaultDeliveryPolicy = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,` +
	`"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,` +
	`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

func checkDeliveryPolicy(text string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), new(map[string]any))
}

// effectiveDeliveryPolicy is the default with what a topic sets over it.
func effectiveDeliveryPolicy(set string) (string, error) {
	if set == "" {
		return defaultDeliveryPolicy, nil
	}
	var all, own map[string]any
	if err := json.Unmarshal([]byte(defaultDeliveryPolicy), &all); err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(set), &own); err != nil {
		return "", err
	}
	text, err := json.Marshal(overlay(all, own))
	return string(text), err
}

// overlay puts the members of own over those of all, object by object.
func overlay(all, own map[string]any) map[string]any {
	for name, value := range own {
		below, isObject := value.(map[string]any)
		if under, ok := all[name].(map[string]any); ok && isObject {
			value = overlay(under, below)
		}
		all[name] = value
	}
	return all
}
