package sns

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	api "storefront/lab/api/sns"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// The scopes of a filter policy.
const (
	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

// setSubscriptionAttribute checks and sets one attribute. An empty value takes it back.
func (s *Service) setSubscriptionAttribute(sub *subscription, name, value string) error {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return invalid("RawMessageDelivery", "it must be true or false")
		}
	case "FilterPolicy":
		if value == "" || value == "{}" {
			value = ""
			break
		}
		if _, err := parseFilter(value); err != nil {
			return invalid("FilterPolicy", err.Error())
		}
	case "FilterPolicyScope":
		if value != "" && value != scopeAttributes && value != scopeBody {
			return invalid("FilterPolicyScope", "it must be MessageAttributes or MessageBody")
		}
	case "RedrivePolicy":
		if value == "" {
			break
		}
		if _, err := s.deadLetters(value); err != nil {
			return err
		}
	case "DeliveryPolicy":
		if value != "" {
			return invalid("DeliveryPolicy", "only HTTP endpoints have delivery policies, to which the lab does not deliver")
		}
	default:
		return invalid("AttributeName", "the lab does not serve the subscription attribute "+name)
	}
	if value == "" {
		delete(sub.Attributes, name)
	} else {
		sub.Attributes[name] = value
	}
	return nil
}

// deadLetters reads a subscription's redrive policy.
func (s *Service) deadLetters(text string) (queue string, err error) {
	var p struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return "", invalid("RedrivePolicy", "failed to parse JSON")
	}
	if name, ours := strings.CutPrefix(p.Target, s.Region.ARN("sqs", "")); !ours || name == "" {
		return "", invalid("RedrivePolicy", "deadLetterTargetArn is an invalid arn")
	}
	return p.Target, nil
}

// SetSubscriptionAttributes implements the operation of that name.
func (s *Service) SetSubscriptionAttributes(_ context.Context, in *api.SetSubscriptionAttributesInput) (*api.SetSubscriptionAttributesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.SetSubscriptionAttributesOutput) error {
		sub, err := s.subscription(tx, *in.SubscriptionArn)
		if err != nil {
			return err
		}
		if sub.Attributes == nil {
			sub.Attributes = map[string]string{}
		}
		if err := s.setSubscriptionAttribute(&sub, *in.AttributeName, wire.Value(in.AttributeValue)); err != nil {
			return err
		}
		return subscriptions.Put(tx, sub.key(), sub)
	})
}

// GetSubscriptionAttributes implements the operation of that name.
func (s *Service) GetSubscriptionAttributes(_ context.Context, in *api.GetSubscriptionAttributesInput) (*api.GetSubscriptionAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetSubscriptionAttributesOutput) error {
		sub, err := s.subscription(tx, *in.SubscriptionArn)
		if err != nil {
			return err
		}
		out.Attributes = map[string]string{
			"SubscriptionArn": sub.ARN, "TopicArn": sub.Topic, "Owner": s.Region.Account, "Protocol": sub.Protocol, "Endpoint": sub.Endpoint,
			"ConfirmationWasAuthenticated": "true", "PendingConfirmation": "false", "RawMessageDelivery": "false",
			"SubscriptionPrincipal": "arn:" + region.Partition + ":iam::" + s.Region.Account + ":root",
		}
		maps.Copy(out.Attributes, sub.Attributes)
		if sub.Attributes["FilterPolicy"] == "" {
			delete(out.Attributes, "FilterPolicyScope") // a scope of nothing is not shown
		} else if sub.Attributes["FilterPolicyScope"] == "" {
			out.Attributes["FilterPolicyScope"] = scopeAttributes
		}
		return nil
	})
}
