//go:build linux

package daemon_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"storefront/lab/wire/wiretest"
)

// change is a step: what is changed, and how the very next call ends.
type change struct {
	what string
	do   func() error
	want string
}

// follow makes each change right after a call that was decided by what was before it.
func follow(t *testing.T, call func() error, steps ...change) {
	t.Helper()
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		for range 2 { // once by what has just changed, once by what is known by then
			check(t, s.what, s.want, call())
		}
	}
}

// done drops an output, of which a step needs none.
func done[O any](_ O, err error) error { return err }

// What IAM and a resource's policy say holds from the next call on, in both directions, however many calls were decided before.
func TestChangedPoliciesHoldAtOnce(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	const queueARN = "arn:aws:sqs:us-east-1:000000000000:orders"
	roles, queues := iam.NewFromConfig(g.Config), sqs.NewFromConfig(g.Config)
	url := wiretest.Must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})).QueueUrl
	role := g.role("worker", "000000000000", allow("sqs:SendMessage", queueARN))
	session := wiretest.Must(assume(t, g.Config, &sts.AssumeRoleInput{RoleArn: &role}))
	worker := sqs.NewFromConfig(session)
	send := func() error {
		return done(worker.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")}))
	}
	name, inline, allowed, denied := aws.String("worker"), aws.String("p"), statement(allow("sqs:SendMessage", queueARN)), "AccessDenied: sqs:SendMessage"
	put := func(document *string) func() error {
		return func() error {
			return done(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: inline, PolicyDocument: document}))
		}
	}
	managed := wiretest.Must(roles.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("send"), PolicyDocument: allowed})).Policy.Arn
	version := func(id string) func() error {
		return func() error {
			return done(roles.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: managed, VersionId: &id}))
		}
	}
	queuePolicy := func(document string) func() error {
		return func() error {
			return done(queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": document}}))
		}
	}
	follow(t, send,
		change{"the policy from the beginning", func() error { return nil }, ""},
		change{"a role's policy allows something else", put(statement(allow("sqs:ReceiveMessage", queueARN))), denied},
		change{"it allows again", put(allowed), ""},
		change{"it is for who has a tag", put(statement(allow("sqs:SendMessage", queueARN) + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"shop"}}`)), denied},
		change{"the role has the tag", func() error {
			return done(roles.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}))
		}, ""},
		change{"the role has no policy", func() error {
			return done(roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: inline}))
		}, denied},
		change{"a managed policy is attached", func() error {
			return done(roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: managed}))
		}, ""},
		change{"its new version denies", func() error {
			return done(roles.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: managed, PolicyDocument: statement(`"Effect":"Deny","Action":"*","Resource":"*"`), SetAsDefault: true}))
		}, "AccessDenied: with an explicit deny"},
		change{"its first version is back", version("v1"), ""},
		change{"its second version is back", version("v2"), "AccessDenied: with an explicit deny"},
		change{"it is detached", func() error {
			return done(roles.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: managed}))
		}, denied},
		change{"the queue's policy names the role", queuePolicy(*statement(`"Principal":{"AWS":"` + role + `"},` + allow("sqs:SendMessage", queueARN))), ""},
		change{"the queue has no policy", queuePolicy(""), denied},
		change{"the role's policy is back", put(allowed), ""},
		change{"the boundary allows nothing of it", func() error {
			return done(roles.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy")}))
		}, "AccessDenied: because no permissions boundary allows"},
		change{"there is no boundary", func() error {
			return done(roles.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name}))
		}, ""},
		change{"the role is gone", func() error {
			if err := done(roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: inline})); err != nil {
				return err
			}
			return done(roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))
		}, denied},
	)
}

// Keys, their grants, buckets and access keys are no different.
func TestChangedKeysHoldAtOnce(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	keys, queues, buckets, users := kms.NewFromConfig(g.Config), sqs.NewFromConfig(g.Config), objects(g.Config), iam.NewFromConfig(g.Config)
	ann := g.user("ann", allow("sqs:*", "*"))
	id, _ := ann.Credentials.Retrieve(ctx)
	administered := `"Principal":{"AWS":"` + me + `lab"},"Effect":"Allow","Action":"kms:*","Resource":"*"`
	alone, shared := statement(administered), statement(administered+`},{"Principal":{"AWS":"`+me+`ann"},"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"`)
	key := wiretest.Must(keys.CreateKey(ctx, &kms.CreateKeyInput{Policy: alone})).KeyMetadata.KeyId
	url := wiretest.Must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("secret"), Attributes: map[string]string{"KmsMasterKeyId": *key}})).QueueUrl
	keyPolicy := func(document *string) func() error {
		return func() error {
			return done(keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key, Policy: document}))
		}
	}
	status := func(s iamtypes.StatusType) func() error {
		return func() error {
			return done(users.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &id.AccessKeyID, Status: s}))
		}
	}
	var grant *string
	const denied = "KmsAccessDenied: kms:GenerateDataKey"
	follow(t, func() error {
		return done(sqs.NewFromConfig(ann).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")}))
	},
		change{"a key of the operator's alone", func() error { return nil }, denied},
		change{"the key's policy names the user", keyPolicy(shared), ""},
		change{"it names the user no more", keyPolicy(alone), denied},
		change{"a grant lets the user in", func() error {
			out, err := keys.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key, GranteePrincipal: aws.String(me + "ann"), Operations: []kmstypes.GrantOperation{"GenerateDataKey", "Decrypt"}})
			if err == nil {
				grant = out.GrantId
			}
			return err
		}, ""},
		change{"the grant is revoked", func() error { return done(keys.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: grant})) }, denied},
		change{"the queue has no key", func() error {
			return done(queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"KmsMasterKeyId": ""}}))
		}, ""},
		change{"the access key is inactive", status("Inactive"), "UnrecognizedClientException: "},
		change{"the access key is active", status("Active"), ""},
		change{"the access key is gone", func() error {
			return done(users.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &id.AccessKeyID}))
		}, "UnrecognizedClientException: "},
	)
	bob := objects(g.user("bob"))
	wiretest.Must(buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("open")}))
	follow(t, func() error { return done(bob.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("open")})) },
		change{"a bucket without a policy", func() error { return nil }, "AccessDenied: s3:ListBucket"},
		change{"the bucket's policy names the user", func() error {
			return done(buckets.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("open"), Policy: statement(`"Principal":{"AWS":"` + me + `bob"},` + allow("s3:ListBucket", "arn:aws:s3:::open"))}))
		}, ""},
		change{"the bucket has no policy", func() error {
			return done(buckets.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String("open")}))
		}, "AccessDenied: s3:ListBucket"},
	)
}
