package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/wire/wiretest"
)

const alice = "arn:aws:iam::000000000000:user/alice"

func one(statement string) string {
	return `{"Version":"2012-10-17","Statement":[{` + statement + `}]}`
}

// What the policy simulator decides, and which statements it names.
func TestSimulateCustomPolicy(t *testing.T) {
	c, _, _ := start(t)
	const get, object = "s3:GetObject", "arn:aws:s3:::b/k"
	allow := one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"`)
	deny := one(`"Effect":"Deny","Action":"s3:GetObject","Resource":"*"`)
	when := one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"shop"}}`)
	bucket := one(`"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"s3:GetObject","Resource":"*"`)
	for name, tc := range map[string]struct {
		in       iam.SimulateCustomPolicyInput
		decision types.PolicyEvaluationDecisionType
		matched  []string
		missing  []string
	}{
		"nothing allows":        {iam.SimulateCustomPolicyInput{PolicyInputList: []string{one(`"Effect":"Allow","Action":"sqs:*","Resource":"*"`)}}, "implicitDeny", nil, nil},
		"allowed":               {iam.SimulateCustomPolicyInput{PolicyInputList: []string{when, allow}}, "allowed", []string{"PolicyInputList.2"}, []string{"aws:PrincipalTag/team"}},
		"denied":                {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow, deny}}, "explicitDeny", []string{"PolicyInputList.2"}, nil},
		"by a condition":        {iam.SimulateCustomPolicyInput{PolicyInputList: []string{when}, ContextEntries: []types.ContextEntry{{ContextKeyName: new("AWS:principaltag/Team"), ContextKeyType: "string", ContextKeyValues: []string{"shop"}}}}, "allowed", []string{"PolicyInputList.1"}, nil},
		"beyond the boundary":   {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, PermissionsBoundaryPolicyInputList: []string{one(`"Effect":"Allow","Action":"sqs:*","Resource":"*"`)}}, "implicitDeny", nil, nil},
		"by the bucket":         {iam.SimulateCustomPolicyInput{PolicyInputList: []string{one(`"Effect":"Allow","Action":"sqs:*","Resource":"*"`)}, ResourcePolicy: &bucket, CallerArn: new(alice)}, "allowed", []string{"ResourcePolicy"}, nil},
		"the bucket is others'": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{one(`"Effect":"Allow","Action":"sqs:*","Resource":"*"`)}, ResourcePolicy: &bucket, CallerArn: new(alice + "2")}, "implicitDeny", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.ActionNames, tc.in.ResourceArns = []string{get}, []string{object}
			out := wiretest.Must(c.SimulateCustomPolicy(t.Context(), &tc.in)).EvaluationResults
			if len(out) != 1 || *out[0].EvalActionName != get || *out[0].EvalResourceName != object || out[0].EvalDecision != tc.decision || len(out[0].ResourceSpecificResults) != 1 {
				t.Fatalf("got %+v, want %s", out, tc.decision)
			}
			var matched []string
			for _, s := range out[0].MatchedStatements {
				matched = append(matched, *s.SourcePolicyId)
				if s.StartPosition.Line != 1 || s.StartPosition.Column != 39 || s.EndPosition.Column <= s.StartPosition.Column {
					t.Errorf("the statement stands at %+v to %+v", *s.StartPosition, *s.EndPosition)
				}
			}
			if diff := cmp.Diff(tc.matched, matched); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, tc.missing...), append([]string{}, out[0].ResourceSpecificResults[0].MissingContextValues...)); diff != "" {
				t.Errorf("missing keys (-want +got):\n%s", diff)
			}
			if b := out[0].PermissionsBoundaryDecisionDetail; (b != nil) != (len(tc.in.PermissionsBoundaryPolicyInputList) > 0) || b != nil && b.AllowedByPermissionsBoundary {
				t.Errorf("the boundary says %+v", b)
			}
		})
	}
}

// The simulator goes by the policies that hang on a user or a role, page by page.
func TestSimulatePrincipalPolicy(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	role := newRole(t, c, "app")
	wiretest.Must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role.RoleName, PolicyName: new("queue"), PolicyDocument: new(one(`"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`))}))
	wiretest.Must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: new("arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy")}))
	keys := wiretest.Must(c.GetContextKeysForPrincipalPolicy(ctx, &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: role.Arn, PolicyInputList: []string{one(`"Effect":"Allow","Action":"*","Resource":"${aws:username}:*:*:*:*"`)}})).ContextKeyNames
	if len(keys) != 2 {
		t.Errorf("got the keys %v", keys)
	}
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: role.Arn, ActionNames: []string{"sqs:SendMessage", "logs:PutLogEvents", "s3:GetObject"}, MaxItems: new(int32(2)),
		ContextEntries: []types.ContextEntry{{ContextKeyName: new("aws:SourceIp"), ContextKeyType: "ip", ContextKeyValues: []string{"10.1.2.3"}}}}
	var got []string
	for pages := iam.NewSimulatePrincipalPolicyPaginator(c, in); pages.HasMorePages(); {
		for _, r := range wiretest.Must(pages.NextPage(ctx)).EvaluationResults {
			line := *r.EvalActionName + " " + string(r.EvalDecision)
			for _, s := range r.MatchedStatements {
				line += " " + *s.SourcePolicyId + " " + string(s.SourcePolicyType)
			}
			got = append(got, line)
		}
	}
	want := []string{"sqs:SendMessage allowed role_app_queue role", "logs:PutLogEvents allowed CloudWatchAgentServerPolicy aws-managed", "s3:GetObject implicitDeny"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wiretest.Must(c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: role.RoleName, PermissionsBoundary: new("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")}))
	in.MaxItems = nil
	for _, r := range wiretest.Must(c.SimulatePrincipalPolicy(ctx, in)).EvaluationResults {
		if r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny {
			t.Errorf("%s is %s beyond the boundary", *r.EvalActionName, r.EvalDecision)
		}
	}
}

func TestSimulateRefusals(t *testing.T) {
	c, _, _ := start(t)
	allow := one(`"Effect":"Allow","Action":"s3:*","Resource":"*"`)
	for name, in := range map[string]iam.SimulateCustomPolicyInput{
		"a policy that is none":    {PolicyInputList: []string{"{}"}},
		"an action with a star":    {ActionNames: []string{"s3:*"}},
		"a caller that is no user": {CallerArn: new("arn:aws:iam::000000000000:role/app")},
		"a bucket without caller":  {ResourcePolicy: &allow},
		"two boundaries":           {PermissionsBoundaryPolicyInputList: []string{allow, allow}},
		"another owner":            {CallerArn: new(alice), ResourceOwner: new("arn:aws:iam::111111111111:root")},
		"a scenario":               {ResourceHandlingOption: new("EC2-VPC-InstanceStore")},
	} {
		if in.ActionNames == nil {
			in.ActionNames = []string{"s3:GetObject"}
		}
		if in.PolicyInputList == nil {
			in.PolicyInputList = []string{allow}
		}
		_, err := c.SimulateCustomPolicy(t.Context(), &in)
		t.Run(name, func(t *testing.T) { wiretest.Refused(t, err, "InvalidInput", "") })
	}
	_, err := c.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: new("arn:aws:iam::000000000000:role/none"), ActionNames: []string{"s3:GetObject"}})
	wiretest.Refused(t, err, "NoSuchEntity", "none")
}
