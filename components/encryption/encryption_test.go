package encryption_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/encryption"
	"storefront/components/internal/componenttest"
	"storefront/components/internal/policy"
	"storefront/internal/golden"
)

func args() *encryption.Args {
	return &encryption.Args{
		Region: "us-east-1", AccountID: pulumi.String(componenttest.Account),
		Services: []encryption.Service{encryption.RDS, encryption.SecretsManager, encryption.Logs, encryption.Alarms},
	}
}

func run(t *testing.T, a *encryption.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := encryption.NewKey(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

func statements(t *testing.T, r *componenttest.Recorder) map[string]policy.Statement {
	t.Helper()
	var d struct{ Statement policy.Document }
	if err := json.Unmarshal([]byte(r.One(t, "aws:kms/key:Key", "shop").Input("policy").(string)), &d); err != nil {
		t.Fatal(err)
	}
	all := map[string]policy.Statement{}
	for _, s := range d.Statement {
		all[s.Sid] = s
	}
	return all
}

func TestKey(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	if diff := cmp.Diff(map[string]int{"aws:kms/key:Key": 1, "aws:kms/alias:Alias": 1}, r.Counts()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	k := r.One(t, "aws:kms/key:Key", "shop")
	if k.Input("enableKeyRotation") != true || k.Input("deletionWindowInDays") != 30.0 {
		t.Errorf("key: %v", k.Inputs)
	}
	if a := r.One(t, "aws:kms/alias:Alias", "shop"); a.Input("name") != "alias/shop" || a.Input("targetKeyId") != "11111111-2222-3333-4444-555555555555" {
		t.Errorf("alias: %v", a.Inputs)
	}
}

func TestPolicySplitsRoles(t *testing.T) {
	a := args()
	a.Admins = []string{"arn:aws:iam::123456789012:role/admin"}
	a.Users = []string{"arn:aws:iam::123456789012:role/auditor"}
	all := statements(t, run(t, a))
	root := policy.Strings{"arn:aws:iam::123456789012:root"}
	use := policy.Strings{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
	via := policy.Strings{"rds.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com"}
	want := map[string]policy.Statement{
		"Administer": {
			Principal: &policy.Principal{AWS: policy.Strings(a.Admins)},
			Action: policy.Strings{
				"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
				"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
				"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
				"kms:UpdateAlias", "kms:UpdateKeyDescription",
			},
		},
		"Use":                {Principal: &policy.Principal{AWS: policy.Strings(a.Users)}, Action: use},
		"UseThroughServices": {Principal: &policy.Principal{AWS: root}, Action: use, Condition: policy.Conditions{"StringEquals": {"kms:ViaService": via}}},
		"GrantToServices": {
			Principal: &policy.Principal{AWS: root}, Action: policy.Strings{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
			Condition: policy.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}, "StringEquals": {"kms:ViaService": {"rds.us-east-1.amazonaws.com"}}},
		},
		"Logs": {
			Principal: &policy.Principal{Service: policy.Strings{"logs.us-east-1.amazonaws.com"}}, Action: use,
			Condition: policy.Conditions{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {"arn:aws:logs:us-east-1:123456789012:log-group:*"}}},
		},
	}
	want["Alarms"] = policy.Statement{
		Principal: &policy.Principal{Service: policy.Strings{"cloudwatch.amazonaws.com"}}, Action: policy.Strings{"kms:Decrypt", "kms:GenerateDataKey*"},
		Condition: policy.OnBehalfOf("123456789012", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"),
	}
	for sid, s := range want {
		s.Sid, s.Effect, s.Resource = sid, policy.Allow, policy.Strings{"*"}
		want[sid] = s
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("key policy (-want +got):\n%s", diff)
	}
	for _, action := range use {
		if action != "kms:DescribeKey" && slices.Contains(all["Administer"].Action, action) {
			t.Errorf("administrators may use the key: %s", action)
		}
	}
}

// What acts with its caller's permissions is named by its endpoint.
func TestServices(t *testing.T) {
	a := args()
	a.Services = []encryption.Service{encryption.S3, encryption.SQS, encryption.SNS, encryption.ElastiCache, encryption.Search, encryption.Backup}
	all := statements(t, run(t, a))
	want := policy.Strings{
		"s3.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com",
		"elasticache.us-east-1.amazonaws.com", "es.us-east-1.amazonaws.com", "backup.us-east-1.amazonaws.com",
	}
	if diff := cmp.Diff(want, all["UseThroughServices"].Condition["StringEquals"]["kms:ViaService"]); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	holders := policy.Strings{"elasticache.us-east-1.amazonaws.com", "es.us-east-1.amazonaws.com", "backup.us-east-1.amazonaws.com"}
	if diff := cmp.Diff(holders, all["GrantToServices"].Condition["StringEquals"]["kms:ViaService"]); diff != "" {
		t.Errorf("services with grants (-want +got):\n%s", diff)
	}
	if len(all) != 3 {
		t.Errorf("statements: %v", all)
	}
}

// CloudTrail encrypts for trails of the account and does nothing else.
func TestTrails(t *testing.T) {
	a := args()
	a.Services = []encryption.Service{encryption.CloudTrail}
	all := statements(t, run(t, a))
	delete(all, "Administer")
	trails, principal := policy.Strings{"arn:aws:cloudtrail:*:123456789012:trail/*"}, &policy.Principal{Service: policy.Strings{"cloudtrail.amazonaws.com"}}
	want := map[string]policy.Statement{
		"TrailsEncrypt": {
			Sid: "TrailsEncrypt", Effect: policy.Allow, Principal: principal, Action: policy.Strings{"kms:GenerateDataKey*"}, Resource: policy.Strings{"*"},
			Condition: policy.Conditions{"ArnLike": {"aws:SourceArn": trails}, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}},
		},
		"TrailsDescribe": {
			Sid: "TrailsDescribe", Effect: policy.Allow, Principal: principal, Action: policy.Strings{"kms:DescribeKey"}, Resource: policy.Strings{"*"},
			Condition: policy.Conditions{"ArnLike": {"aws:SourceArn": trails}},
		},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("key policy (-want +got):\n%s", diff)
	}
}

// A topic delivers to a queue, and Auto Scaling launches, under conditions alone: SNS for topics of the account, and one role, which need not exist yet.
func TestServicesThatActByThemselves(t *testing.T) {
	a := args()
	a.Services = []encryption.Service{encryption.Topics, encryption.AutoScaling}
	all := statements(t, run(t, a))
	delete(all, "Administer")
	role := policy.Conditions{
		"ArnEquals":    {"aws:PrincipalArn": {"arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}},
		"StringEquals": {"kms:CallerAccount": {"123456789012"}},
	}
	grant := maps.Clone(role)
	grant["Bool"] = map[string]policy.Strings{"kms:GrantIsForAWSResource": {"true"}}
	everybody := &policy.Principal{AWS: policy.Strings{"*"}}
	want := map[string]policy.Statement{
		"Topics": {
			Principal: &policy.Principal{Service: policy.Strings{"sns.amazonaws.com"}}, Action: policy.Strings{"kms:Decrypt", "kms:GenerateDataKey*"},
			Condition: policy.Conditions{"ArnLike": {"aws:SourceArn": {"arn:aws:sns:us-east-1:123456789012:*"}}},
		},
		"AutoScaling": {
			Principal: everybody, Action: policy.Strings{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}, Condition: role,
		},
		"AutoScalingGrants": {Principal: everybody, Action: policy.Strings{"kms:CreateGrant"}, Condition: grant},
	}
	for sid, s := range want {
		s.Sid, s.Effect, s.Resource = sid, policy.Allow, policy.Strings{"*"}
		want[sid] = s
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("key policy (-want +got):\n%s", diff)
	}
}

func keys(t *testing.T) (r *componenttest.Recorder, arns map[string]string) {
	t.Helper()
	r = componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		k, err := encryption.NewKeys(ctx, "shop", &encryption.KeysArgs{
			Region: "us-east-1", AccountID: pulumi.String(componenttest.Account), Admins: []string{"arn:aws:iam::123456789012:role/admin"}, DeletionDays: 7,
		}, pulumi.Provider(p))
		if err != nil {
			return err
		}
		k.ARNs().ToStringMapOutput().ApplyT(func(known map[string]string) any { arns = known; return nil })
		return nil
	})
	return r, arns
}

// Each class of data has a key of its own.
func TestKeys(t *testing.T) {
	r, arns := keys(t)
	r.GoldenURNs(t, "testdata/keys.txt")
	for _, k := range r.All("aws:kms/key:Key") {
		k.CheckInputs(t, map[string]any{"enableKeyRotation": true, "deletionWindowInDays": 7.0})
		if class := strings.TrimPrefix(k.Name, "shop-"); arns[class] == "" {
			t.Errorf("no ARN of the class %s: %v", class, arns)
		}
	}
}

// The policy of each key names the services of its class alone: a line for each statement.
func TestPoliciesOfKeys(t *testing.T) {
	r, _ := keys(t)
	var lines strings.Builder
	for _, k := range r.All("aws:kms/key:Key") {
		var d struct{ Statement []json.RawMessage }
		if err := json.Unmarshal([]byte(k.Input("policy").(string)), &d); err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Statement {
			fmt.Fprintf(&lines, "%s %s\n", k.Name, s)
		}
	}
	golden.Compare(t, "testdata/policies.txt", lines.String())
}

func TestPolicyNamesOnlyWhoWasAsked(t *testing.T) {
	a := args()
	a.Services = nil
	all := statements(t, run(t, a))
	if len(all) != 1 || all["Administer"].Principal.AWS[0] != "arn:aws:iam::123456789012:root" {
		t.Errorf("got %v, want administration by the account alone", all)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*encryption.Args){
		"deleted too soon": func(a *encryption.Args) { a.DeletionDays = 6 },
		"unknown service":  func(a *encryption.Args) { a.Services = []encryption.Service{"sqs?"} },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, encryption.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := encryption.NewKey(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
