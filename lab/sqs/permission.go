package sqs

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
)

var (
	validAccount = regexp.MustCompile(`^[0-9]{12}$`)
	validAction  = regexp.MustCompile(`^(\*|SendMessage|ReceiveMessage|DeleteMessage|ChangeMessageVisibility|GetQueueAttributes|GetQueueUrl|ListDeadLetterSourceQueues|PurgeQueue)$`)
)

// policy is a queue's policy as AddPermission and RemovePermission edit it: statements that they did not make stay as they are.
type policy struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement []any
}

func readPolicy(q *queue, arn string) (policy, error) {
	p := policy{Version: "2008-10-17", ID: arn + "/SQSDefaultPolicy"}
	text := q.Attributes["Policy"]
	if text == "" {
		return p, nil
	}
	var whole struct {
		Version   string
		ID        string `json:"Id"`
		Statement any
	}
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		return p, err
	}
	p.Version, p.ID = whole.Version, whole.ID
	if list, ok := whole.Statement.([]any); ok {
		p.Statement = list
	} else {
		p.Statement = []any{whole.Statement}
	}
	return p, nil
}

// Policy returns the policy of a queue by its name, "" when it has none. It reads what the store keeps, so that it can be asked in any transaction.
func (s *Service) Policy(tx *state.Tx, name string) (string, error) {
	d, _, err := definitions.Shared(tx, name)
	return d.Attributes["Policy"], err
}

// labelled tells whether a statement has a label.
func labelled(label string) func(any) bool {
	return func(statement any) bool {
		members, ok := statement.(map[string]any)
		return ok && members["Sid"] == label
	}
}

// AddPermission implements the operation of that name.
func (s *Service) AddPermission(_ context.Context, in *api.AddPermissionInput) (*api.AddPermissionOutput, error) {
	if !validEntryID.MatchString(*in.Label) {
		return nil, invalid(*in.Label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	}
	if len(in.AWSAccountIds) == 0 {
		return nil, missing("PrincipalId")
	}
	if len(in.Actions) == 0 {
		return nil, missing("Actions")
	}
	var principals, actions []string
	for _, id := range in.AWSAccountIds {
		if !validAccount.MatchString(id) {
			return nil, invalid("["+id+"]", "PrincipalId", "Unable to verify.")
		}
		principals = append(principals, "arn:aws:iam::"+id+":root")
	}
	for _, action := range in.Actions {
		if !validAction.MatchString(action) {
			return nil, invalid("SQS:"+action, "ActionName", "Please refer to the appropriate WSDL for a list of valid actions.")
		}
		actions = append(actions, "SQS:"+action)
	}
	return &api.AddPermissionOutput{}, s.editPolicy(in.QueueUrl, func(p *policy, arn string) error {
		if slices.ContainsFunc(p.Statement, labelled(*in.Label)) {
			return invalid(*in.Label, "Label", "Already exists.")
		}
		p.Statement = append(p.Statement, map[string]any{"Sid": *in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": principals}, "Action": actions, "Resource": arn})
		return nil
	})
}

// RemovePermission implements the operation of that name.
func (s *Service) RemovePermission(_ context.Context, in *api.RemovePermissionInput) (*api.RemovePermissionOutput, error) {
	return &api.RemovePermissionOutput{}, s.editPolicy(in.QueueUrl, func(p *policy, _ string) error {
		if !slices.ContainsFunc(p.Statement, labelled(*in.Label)) {
			return invalid(*in.Label, "Label", "can't find label on existing policy.")
		}
		p.Statement = slices.DeleteFunc(p.Statement, labelled(*in.Label))
		return nil
	})
}

// editPolicy changes a queue's policy; a policy without statements is removed.
func (s *Service) editPolicy(address *string, edit func(p *policy, arn string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(address)
	if err != nil {
		return err
	}
	arn := s.arn(q.Name)
	p, err := readPolicy(q, arn)
	if err != nil {
		return err
	}
	if err := edit(&p, arn); err != nil {
		return err
	}
	d := q.definition
	if d.Attributes = maps.Clone(d.Attributes); len(p.Statement) == 0 {
		delete(d.Attributes, "Policy")
		return s.define(q, d)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	d.Attributes["Policy"] = string(text)
	return s.define(q, d)
}
