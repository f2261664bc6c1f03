package iam

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"storefront/lab/access"
	api "storefront/lab/api/iam"
	"storefront/lab/wire"
)

// source is a policy that takes part in a simulation.
type source struct {
	id, kind, text string // kind is one of api.PolicySourceType...
	document       access.Document
}

func newSource(id, kind, text string) (source, error) {
	d, err := ParseDocument(text)
	return source{id, kind, text, d}, err
}

// sources reads the policies of a list of an input, which are named by their places in it.
func sources(list string, texts []string) (all []source, err error) {
	for i, text := range texts {
		x, err := newSource(fmt.Sprintf("%s.%d", list, i+1), api.PolicySourceTypeNone, text)
		if err != nil {
			return nil, invalidInput("Invalid policy document: %s", Reason(err))
		}
		all = append(all, x)
	}
	return all, nil
}

func invalidInput(format string, args ...any) error {
	return wire.Errorf(400, "InvalidInput", format, args...)
}

func keysOf(policies []source) []string {
	keys := map[string]bool{}
	for _, p := range policies {
		for _, key := range p.document.Keys() {
			keys[key] = true
		}
	}
	return slices.AppendSeq([]string{}, maps.Keys(keys))
}

// question is what is asked of a simulation.
type question api.SimulateCustomPolicyInput

// simulation decides about actions on resources, which need not be there, by policies.
type simulation struct {
	policies           []source
	boundary, resource *source // nil is none
	request            access.Request
	actions, resources []string
}

// ask reads a question. Other accounts, and the scenarios of ResourceHandlingOption, are refused.
func (m *simulation) ask(q question) error {
	m.actions, m.resources = q.ActionNames, q.ResourceArns
	if len(m.resources) == 0 {
		m.resources = []string{"*"}
	}
	for _, action := range m.actions {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" || strings.ContainsAny(action, "*?") {
			return invalidInput("Invalid Action in input: %s", action)
		}
	}
	caller := strings.Split(wire.Value(q.CallerArn), ":")
	switch {
	case q.CallerArn != nil && (len(caller) != 6 || !strings.HasPrefix(caller[5], "user/")):
		return invalidInput("Invalid CallerArn: it must be the ARN of an IAM user.")
	case q.ResourcePolicy != nil && q.CallerArn == nil:
		return invalidInput("A CallerArn is required when a ResourcePolicy is simulated.")
	case q.ResourceHandlingOption != nil:
		return invalidInput("The lab simulates no ResourceHandlingOption.")
	case q.ResourceOwner != nil && q.CallerArn != nil && strings.TrimSuffix(strings.TrimPrefix(*q.ResourceOwner, "arn:aws:iam::"), ":root") != caller[4]:
		return invalidInput("The lab simulates no ResourceOwner but the caller's account.")
	case len(q.PermissionsBoundaryPolicyInputList) > 1:
		return invalidInput("Only one permissions boundary policy can be simulated.")
	}
	m.request.Principal.ARN = "somebody" // who is not anonymous
	if q.CallerArn != nil {
		m.request.Principal = access.Principal{ARN: *q.CallerArn, Account: caller[4]}
	}
	if q.ResourcePolicy != nil {
		x, err := newSource("ResourcePolicy", api.PolicySourceTypeResource, *q.ResourcePolicy)
		if err != nil {
			return invalidInput("Invalid resource policy: %s", Reason(err))
		}
		m.resource = &x
	}
	boundaries, err := sources("PermissionsBoundaryPolicyInputList", q.PermissionsBoundaryPolicyInputList)
	if len(boundaries) > 0 {
		m.boundary = &boundaries[0]
	}
	m.request.Context = map[string][]string{}
	for _, e := range q.ContextEntries {
		m.request.Context[strings.ToLower(wire.Value(e.ContextKeyName))] = e.ContextKeyValues
	}
	return err
}

// results decides about each action on each resource, in their order; the keys are for pages.
func (m *simulation) results() iter.Seq2[string, api.EvaluationResult] {
	return func(yield func(string, api.EvaluationResult) bool) {
		for i, action := range m.actions {
			for j, resource := range m.resources {
				r := m.request
				r.Action, r.Resource = action, resource
				if !yield(fmt.Sprintf("%06d-%06d", i, j), m.decide(&r)) {
					return
				}
			}
		}
	}
}

func (m *simulation) decide(r *access.Request) api.EvaluationResult {
	p := access.Policies{}
	all := slices.Clone(m.policies)
	for _, x := range m.policies {
		p.Identity = append(p.Identity, x.document)
	}
	if m.resource != nil {
		p.Resource, all = &m.resource.document, append(all, *m.resource)
	}
	out := api.EvaluationResult{EvalActionName: &r.Action, EvalResourceName: &r.Resource, EvalDecision: new(api.PolicyEvaluationDecisionTypeImplicitDeny),
		MatchedStatements: []api.Statement{}, MissingContextValues: []string{}}
	if m.boundary != nil {
		p.Boundary, all = &m.boundary.document, append(all, *m.boundary)
		d := access.Decide(r, access.Policies{Identity: []access.Document{m.boundary.document}})
		out.PermissionsBoundaryDecisionDetail = &api.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: &d.Allowed}
	}
	switch d := access.Decide(r, p); {
	case d.Allowed:
		out.EvalDecision, out.MatchedStatements = new(api.PolicyEvaluationDecisionTypeAllowed), matched(all, r, "Allow")
	case d.Explicit:
		out.EvalDecision, out.MatchedStatements = new(api.PolicyEvaluationDecisionTypeExplicitDeny), matched(all, r, "Deny")
	}
	for _, key := range keysOf(all) {
		if _, given := r.Context[strings.ToLower(key)]; !given {
			out.MissingContextValues = append(out.MissingContextValues, key)
		}
	}
	slices.Sort(out.MissingContextValues)
	if r.Resource != "*" {
		out.ResourceSpecificResults = []api.ResourceSpecificResult{{EvalResourceName: &r.Resource, EvalResourceDecision: out.EvalDecision, MatchedStatements: out.MatchedStatements,
			MissingContextValues: out.MissingContextValues, PermissionsBoundaryDecisionDetail: out.PermissionsBoundaryDecisionDetail}}
		out.MissingContextValues = []string{}
	}
	return out
}

// matched shows the statements that a decision came from.
func matched(policies []source, r *access.Request, effect string) []api.Statement {
	list := []api.Statement{}
	for _, p := range policies {
		spans := access.Spans(p.text)
		for _, i := range p.document.Matching(r, effect) {
			list = append(list, api.Statement{SourcePolicyId: new(p.id), SourcePolicyType: new(p.kind), StartPosition: at(spans[i].Start), EndPosition: at(spans[i].End)})
		}
	}
	return list
}

func at(p access.Position) *api.Position {
	return &api.Position{Line: new(int64(p.Line)), Column: new(int64(p.Column))}
}
