package sns

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	"storefront/lab/access"
	api "storefront/lab/api/sns"
	"storefront/lab/state"
)

var (
	validLabel   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	validAccount = regexp.MustCompile(`^[0-9]{12}$`)
	validAction  = regexp.MustCompile(`^(AddPermission|DeleteTopic|GetDataProtectionPolicy|GetTopicAttributes|ListSubscriptionsByTopic|ListTagsForResource|Publish|` +
		`PutDataProtectionPolicy|RemovePermission|SetTopicAttributes|Subscribe)$`)
)

// document is a topic's policy as AddPermission and RemovePermission edit it: statements that they did not make stay as they are.
type document struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement []any
}

// policy is a topic's policy; when none was set it is the one that every topic begins with, for which its account is the owner.
func (s *Service) policy(t *topic) string {
	if text := t.Attributes["Policy"]; text != "" {
		return text
	}
	text, _ := json.Marshal(document{Version: "2008-10-17", ID: "__default_policy_ID", Statement: []any{struct {
		Sid, Effect string
		Principal   map[string]string
		Action      []string
		Resource    string
		Condition   map[string]map[string]string
	}{
		"__default_statement_ID", "Allow", map[string]string{"AWS": "*"},
		[]string{"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"},
		s.arn(t.Name), map[string]map[string]string{"StringEquals": {"AWS:SourceOwner": s.Region.Account}},
	}}})
	return string(text) // strings always have a JSON form
}

// Policy returns the policy of a topic by its name, "" when there is no such topic.
func (s *Service) Policy(tx *state.Tx, name string) (string, error) {
	t, ok, err := topics.Get(tx, name)
	if err != nil || !ok {
		return "", err
	}
	return s.policy(&t), nil
}

// admits asks a topic's policy whether a service may publish, on behalf of a resource of the account. Nothing else can allow it: services have no identity policies.
func (s *Service) admits(t *topic, service, source string) bool {
	policy, err := access.Parse(s.policy(t))
	if err != nil {
		return false
	}
	return access.Decide(&access.Request{
		Principal: access.Principal{Service: service}, Action: "sns:Publish", Resource: s.arn(t.Name),
		Context: map[string][]string{"aws:sourcearn": {source}, "aws:sourceaccount": {s.Region.Account}, "aws:sourceowner": {s.Region.Account},
			"aws:securetransport": {"true"}, "aws:principalisawsservice": {"true"}},
	}, access.Policies{Resource: &policy}).Allowed
}

// AddPermission implements the operation of that name.
func (s *Service) AddPermission(_ context.Context, in *api.AddPermissionInput) (*api.AddPermissionOutput, error) {
	if !validLabel.MatchString(*in.Label) {
		return nil, invalid("Label")
	}
	var principals, actions []string
	for _, account := range in.AWSAccountId {
		if !validAccount.MatchString(account) {
			return nil, invalid("AWSAccountId")
		}
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	for _, action := range in.ActionName {
		if !validAction.MatchString(action) {
			return nil, invalid("ActionName")
		}
		actions = append(actions, "SNS:"+action)
	}
	if len(principals) == 0 || len(actions) == 0 {
		return nil, invalid("AWSAccountId and ActionName", "each needs at least one value")
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddPermissionOutput) error {
		return s.editPolicy(tx, *in.TopicArn, func(d *document) error {
			if slices.ContainsFunc(d.Statement, labelled(*in.Label)) {
				return invalid("Label", "Statement already exists")
			}
			d.Statement = append(d.Statement, map[string]any{"Sid": *in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": principals}, "Action": actions, "Resource": *in.TopicArn})
			return nil
		})
	})
}

// RemovePermission implements the operation of that name.
func (s *Service) RemovePermission(_ context.Context, in *api.RemovePermissionInput) (*api.RemovePermissionOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemovePermissionOutput) error {
		return s.editPolicy(tx, *in.TopicArn, func(d *document) error {
			if !slices.ContainsFunc(d.Statement, labelled(*in.Label)) {
				return missing("Statement")
			}
			d.Statement = slices.DeleteFunc(d.Statement, labelled(*in.Label))
			return nil
		})
	})
}

// labelled tells whether a statement has a label.
func labelled(label string) func(any) bool {
	return func(statement any) bool {
		members, ok := statement.(map[string]any)
		return ok && members["Sid"] == label
	}
}

// editPolicy changes a topic's policy. Without statements it is the default again.
func (s *Service) editPolicy(tx *state.Tx, arn string, edit func(*document) error) error {
	return s.editTopic(tx, arn, func(t *topic) error {
		var whole struct {
			Version   string
			ID        string `json:"Id"`
			Statement any
		}
		if err := json.Unmarshal([]byte(s.policy(t)), &whole); err != nil {
			return err
		}
		d := document{whole.Version, whole.ID, nil}
		if list, ok := whole.Statement.([]any); ok {
			d.Statement = list
		} else {
			d.Statement = []any{whole.Statement}
		}
		if err := edit(&d); err != nil {
			return err
		}
		if len(d.Statement) == 0 {
			delete(t.Attributes, "Policy")
			return nil
		}
		text, err := json.Marshal(d)
		t.Attributes["Policy"] = string(text)
		return err
	})
}
