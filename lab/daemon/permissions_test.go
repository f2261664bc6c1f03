//go:build linux

package daemon_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"storefront/lab/control"
	"storefront/lab/daemon"
	"storefront/lab/wire/wiretest"
)

// guarded is a region with its operator, who makes users and roles.
type guarded struct {
	aws.Config
	t   *testing.T
	dir string
}

func guard(t *testing.T) *guarded {
	t.Helper()
	dir := labDir(t)
	start(t, dir, freePort(t), &buffer{})
	s := wiretest.Must(control.NewClient(dir).Status(t.Context()))
	key := wiretest.Must(daemon.ReadCredential(dir))
	return &guarded{t: t, dir: dir, Config: wiretest.Config(s.Endpoint, key.ID, key.Secret, "")}
}

// statement is a policy of one statement.
func statement(members string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{` + members + `}]}`)
}

func allow(action, resource string) string {
	return fmt.Sprintf(`"Effect":"Allow","Action":%q,"Resource":%q`, action, resource)
}

// user makes a user with an inline policy of statements, and returns the user's configuration of clients.
func (g *guarded) user(name string, statements ...string) aws.Config {
	g.t.Helper()
	c := iam.NewFromConfig(g.Config)
	wiretest.Must(c.CreateUser(g.t.Context(), &iam.CreateUserInput{UserName: &name}))
	if len(statements) > 0 {
		wiretest.Must(c.PutUserPolicy(g.t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: statement(strings.Join(statements, "},{"))}))
	}
	k := wiretest.Must(c.CreateAccessKey(g.t.Context(), &iam.CreateAccessKeyInput{UserName: &name})).AccessKey
	own := g.Config
	own.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "")
	return own
}

// role makes a role that principals may assume.
func (g *guarded) role(name, principal string, statements ...string) string {
	g.t.Helper()
	c := iam.NewFromConfig(g.Config)
	trust := statement(`"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"`)
	r := wiretest.Must(c.CreateRole(g.t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/team/"), AssumeRolePolicyDocument: trust})).Role
	wiretest.Must(c.PutRolePolicy(g.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: statement(strings.Join(statements, "},{"))}))
	return *r.Arn
}

// assume returns the configuration of a session.
func assume(t *testing.T, who aws.Config, in *sts.AssumeRoleInput) (aws.Config, error) {
	t.Helper()
	in.RoleSessionName = aws.String("session")
	out, err := sts.NewFromConfig(who).AssumeRole(t.Context(), in)
	if err != nil {
		return who, err
	}
	who.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return who, nil
}

func objects(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// check compares a call's outcome: "" is success, otherwise "Code: part of the message".
func check(t *testing.T, what, want string, err error) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: %v, want success", what, err)
		}
		return
	}
	code, part, _ := strings.Cut(want, ": ")
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		t.Errorf("%s: %v, want %s with %q", what, err, code, part)
	}
}

const me = "arn:aws:iam::000000000000:user/"

// A user may do what is allowed, where, and under the conditions; the errors name principal, action and resource in the way of each service and protocol.
func TestIdentityPoliciesDecide(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	queue := wiretest.Must(sqs.NewFromConfig(g.Config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})).QueueUrl
	other := wiretest.Must(sqs.NewFromConfig(g.Config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("other")})).QueueUrl
	const arn = "arn:aws:sqs:us-east-1:000000000000:orders"
	send := func(c aws.Config, url *string) error {
		_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")})
		return err
	}
	nobody := g.user("nobody")
	check(t, "nobody sends", "AccessDenied: User: "+me+"nobody is not authorized to perform: sqs:SendMessage on resource: "+arn+" because no identity-based policy allows the sqs:SendMessage action", send(nobody, queue))
	_, err := ec2.NewFromConfig(nobody).DescribeVpcs(ctx, nil)
	check(t, "nobody describes VPCs", "UnauthorizedOperation: ec2:DescribeVpcs", err)
	_, err = sns.NewFromConfig(nobody).ListTopics(ctx, nil)
	check(t, "nobody lists topics", "AuthorizationError: sns:ListTopics", err)
	_, err = kms.NewFromConfig(nobody).ListKeys(ctx, nil)
	check(t, "nobody lists keys", "AccessDeniedException: kms:ListKeys", err)
	_, err = objects(nobody).ListBuckets(ctx, nil)
	check(t, "nobody lists buckets", "AccessDenied: s3:ListAllMyBuckets", err)
	_, err = sts.NewFromConfig(nobody).GetCallerIdentity(ctx, nil)
	check(t, "nobody asks who he is", "", err)

	sender := g.user("sender", allow("sqs:Send*", arn))
	check(t, "the sender sends", "", send(sender, queue))
	check(t, "the sender sends elsewhere", "AccessDenied: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:other", send(sender, other))
	denied := g.user("denied", allow("*", "*"), `"Effect":"Deny","Action":"sqs:SendMessage","Resource":"`+arn+`"`)
	check(t, "an explicit denial", "AccessDenied: with an explicit deny in an identity-based policy", send(denied, queue))
	check(t, "and no further", "", send(denied, other))
	far := g.user("far", allow("sqs:*", "*")+`,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`)
	check(t, "from another address", "AccessDenied: sqs:SendMessage", send(far, queue))
	near := g.user("near", allow("sqs:*", "*")+`,"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:username":"near"}}`)
	check(t, "from here", "", send(near, queue))
	tagger := g.user("tagger", allow("ec2:CreateVpc", "*"), allow("ec2:CreateTags", "arn:aws:ec2:*:*:vpc/*")+`,"Condition":{"StringEquals":{"aws:RequestTag/team":"shop","ec2:CreateAction":"CreateVpc"}}`)
	for team, want := range map[string]string{"shop": "", "none": "UnauthorizedOperation: ec2:CreateTags on resource: arn:aws:ec2:us-east-1:000000000000:vpc/*"} {
		_, err := ec2.NewFromConfig(tagger).CreateVpc(ctx, vpcOf(team))
		check(t, "a VPC of team "+team, want, err)
	}

	// The permissions boundary limits what the policies allow.
	c := iam.NewFromConfig(g.Config)
	boundary := wiretest.Must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("boundary"), PolicyDocument: statement(allow("sns:*", "*"))})).Policy.Arn
	wiretest.Must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("sender"), PermissionsBoundary: boundary}))
	check(t, "beyond the boundary", "AccessDenied: because no permissions boundary allows the sqs:SendMessage action", send(sender, queue))

	s := wiretest.Must(control.NewClient(g.dir).Status(ctx))
	want := control.Denied{Principal: me + "denied", Action: "sqs:SendMessage", Resource: arn, Count: 1}
	found := false
	for _, d := range s.Denied {
		found = found || d == want
	}
	if !found {
		t.Errorf("the status lists %v, and not %v", s.Denied, want)
	}
}

func vpcOf(team string) *ec2.CreateVpcInput {
	tags := []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVpc, Tags: []ec2types.Tag{{Key: aws.String("team"), Value: &team}}}}
	return &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: tags}
}

// A session may do what its role may and its session policies allow; the trust policy decides who begins it.
func TestSessionsOfRoles(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	arn := g.role("worker", "arn:aws:iam::000000000000:root", allow("s3:*", "*"))
	stranger := g.user("stranger")
	_, err := assume(t, stranger, &sts.AssumeRoleInput{RoleArn: &arn})
	check(t, "the account is trusted, and the user not allowed", "AccessDenied: User: "+me+"stranger is not authorized to perform: sts:AssumeRole on resource: "+arn, err)
	friend := g.user("friend", allow("sts:AssumeRole", arn))
	session, err := assume(t, friend, &sts.AssumeRoleInput{RoleArn: &arn})
	check(t, "the account is trusted, and the user allowed", "", err)
	_, err = objects(session).ListBuckets(ctx, nil)
	check(t, "the session lists buckets", "", err)
	_, err = sns.NewFromConfig(session).ListTopics(ctx, nil)
	check(t, "the session lists topics", "AuthorizationError: User: arn:aws:sts::000000000000:assumed-role/worker/session", err)

	limited, err := assume(t, friend, &sts.AssumeRoleInput{RoleArn: &arn, Policy: statement(allow("s3:GetObject", "*"))})
	check(t, "with a session policy", "", err)
	_, err = objects(limited).ListBuckets(ctx, nil)
	check(t, "the limited session lists buckets", "AccessDenied: because no session policy allows the s3:ListAllMyBuckets action", err)
	everything := "arn:aws:iam::aws:policy/AdministratorAccess"
	wide, err := assume(t, friend, &sts.AssumeRoleInput{RoleArn: &arn, PolicyArns: []ststypes.PolicyDescriptorType{{Arn: &everything}}})
	check(t, "with a managed session policy", "", err)
	_, err = sns.NewFromConfig(wide).ListTopics(ctx, nil)
	check(t, "a session policy gives nothing that the role has not", "AuthorizationError: no identity-based policy", err)

	named := g.role("named", me+"stranger", allow("sns:*", "*"))
	if session, err = assume(t, stranger, &sts.AssumeRoleInput{RoleArn: &named}); err != nil {
		t.Errorf("the user is trusted: %v", err)
	}
	wiretest.Must(iam.NewFromConfig(g.Config).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("named"), PolicyName: aws.String("p")}))
	_, err = sns.NewFromConfig(session).ListTopics(ctx, nil)
	check(t, "after the role's policy is gone", "AuthorizationError: sns:ListTopics", err)
}

// Who hands a role to a service must be allowed to, for that service.
func TestRolesArePassed(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	g.role("web", "arn:aws:iam::000000000000:root", allow("s3:*", "*"))
	_ = wiretest.Must(iam.NewFromConfig(g.Config).CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("web")}))
	add := func(c aws.Config) error {
		_, err := iam.NewFromConfig(c).AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("web"), RoleName: aws.String("web")})
		return err
	}
	check(t, "without PassRole", "AccessDenied: iam:PassRole on resource: arn:aws:iam::000000000000:role/team/web", add(g.user("a", allow("iam:AddRoleToInstanceProfile", "*"))))
	check(t, "PassRole to another", "AccessDenied: iam:PassRole", add(g.user("b", allow("iam:AddRoleToInstanceProfile", "*"), allow("iam:PassRole", "*")+`,"Condition":{"StringEquals":{"iam:PassedToService":"rds.amazonaws.com"}}`)))
	check(t, "PassRole", "", add(g.user("c", allow("iam:AddRoleToInstanceProfile", "*"), allow("iam:PassRole", "*")+`,"Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`)))
}

// Bucket policies let in who has no policies, keep out who has, and are for nobody else when public access is blocked.
func TestBucketPoliciesDecide(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	owner, bucket := objects(g.Config), aws.String("orders-of-the-lab")
	wiretest.Must(owner.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	wiretest.Must(owner.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("a/1"), Body: strings.NewReader("x")}))
	reader, writer := g.user("reader"), g.user("writer", allow("s3:*", "*"))
	get := func(c aws.Config, key string) error {
		_, err := objects(c).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
		return err
	}
	anonymous := func() int {
		resp := wiretest.Must(http.Get(*g.BaseEndpoint + "/" + *bucket + "/a/1"))
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	put := func(statements string) {
		t.Helper()
		wiretest.Must(owner.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: statement(statements)}))
	}
	check(t, "without a policy", "AccessDenied: s3:GetObject on resource: arn:aws:s3:::orders-of-the-lab/a/1", get(reader, "a/1"))
	put(`"Effect":"Allow","Principal":{"AWS":"` + me + `reader"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::orders-of-the-lab/a/*"`)
	check(t, "the policy names the reader", "", get(reader, "a/1"))
	check(t, "and one prefix", "AccessDenied: s3:GetObject", get(reader, "b/1"))
	if status := anonymous(); status != 403 {
		t.Errorf("who does not sign gets %d, want 403", status)
	}
	put(`"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::orders-of-the-lab/*","Condition":{"StringNotEquals":{"aws:username":"reader"}}`)
	check(t, "the policy denies the writer", "AccessDenied: with an explicit deny in a resource-based policy", get(writer, "a/1"))

	wiretest.Must(owner.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket}))
	put(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::orders-of-the-lab/*"`)
	if status := anonymous(); status != 200 {
		t.Errorf("of a public bucket who does not sign gets %d, want 200", status)
	}
	wiretest.Must(owner.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)}}))
	if status := anonymous(); status != 403 {
		t.Errorf("with RestrictPublicBuckets who does not sign gets %d, want 403", status)
	}
	check(t, "the account's users stay", "", get(reader, "a/1"))
}

// A key is opened by its policy and its grants alone, to who uses it and to who lets a service use it.
func TestKeyPoliciesDecide(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	keys := kms.NewFromConfig(g.Config)
	policy := statement(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":["kms:Describe*","kms:Put*","kms:CreateGrant"],"Resource":"*"},{` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}}},{` +
		`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"sqs.us-east-1.amazonaws.com"}}`)
	key := wiretest.Must(keys.CreateKey(ctx, &kms.CreateKeyInput{Policy: policy})).KeyMetadata
	encrypt := func(c aws.Config, context map[string]string) error {
		_, err := kms.NewFromConfig(c).Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), EncryptionContext: context})
		return err
	}
	check(t, "the administrator encrypts", "AccessDeniedException: User: "+me+"lab is not authorized to perform: kms:Encrypt on resource: "+*key.Arn+" because no resource-based policy allows the kms:Encrypt action", encrypt(g.Config, nil))
	grantee := g.user("grantee")
	check(t, "before the grant", "AccessDeniedException: kms:Encrypt", encrypt(grantee, map[string]string{"of": "orders"}))
	wiretest.Must(keys.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: aws.String(me + "grantee"), Operations: []kmstypes.GrantOperation{"Encrypt"},
		Constraints: &kmstypes.GrantConstraints{EncryptionContextEquals: map[string]string{"of": "orders"}}}))
	check(t, "granted", "", encrypt(grantee, map[string]string{"of": "orders"}))
	check(t, "beyond the constraint", "AccessDeniedException: kms:Encrypt", encrypt(grantee, map[string]string{"of": "orders", "more": "x"}))

	secrets := secretsmanager.NewFromConfig(g.Config)
	secret := wiretest.Must(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("x"), KmsKeyId: key.Arn}))
	reader := g.user("reader", allow("secretsmanager:GetSecretValue", *secret.ARN))
	read := func() error {
		_, err := secretsmanager.NewFromConfig(reader).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
		return err
	}
	check(t, "a secret whose key everyone may use through Secrets Manager", "", read())

	queue := wiretest.Must(sqs.NewFromConfig(g.Config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"KmsMasterKeyId": *key.Arn}})).QueueUrl
	send := func(c aws.Config) error {
		_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("m")})
		return err
	}
	check(t, "the key's policy leaves it to the account, which does not allow", "KmsAccessDenied: kms:GenerateDataKey on resource: "+*key.Arn, send(g.user("sender", allow("sqs:*", "*"))))
	check(t, "the account allows", "", send(g.user("encrypter", allow("sqs:*", "*"), allow("kms:GenerateDataKey", *key.Arn), allow("kms:Decrypt", *key.Arn))))

	wiretest.Must(sqs.NewFromConfig(g.Config).PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: queue}))
	servicesUseKeys(t, g, *key.KeyId, *policy, *queue)

	wiretest.Must(keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.KeyId, Policy: statement(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:Put*","Resource":"*"`)}))
	check(t, "the key's policy has changed", "AccessDeniedException: kms:Decrypt on resource: "+*key.Arn, read())
}

// A policy of a key that locks its author out is refused, unless that is what they want.
func TestKeyPoliciesKeepTheirAuthor(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	author := g.user("author", allow("kms:CreateKey", "*"), allow("kms:PutKeyPolicy", "*"))
	maker := g.user("maker", allow("kms:CreateKey", "*"))
	to := func(who, actions string) *string {
		return statement(`"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"` + actions + `","Resource":"*"`)
	}
	const account, refused = "arn:aws:iam::000000000000:root", "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."
	for _, tc := range []struct {
		name   string
		caller aws.Config
		policy *string
		bypass bool
		want   string
	}{
		{"to the account, whose policies allow", author, to(account, "kms:*"), false, ""},
		{"to the account, whose policies do not allow", maker, to(account, "kms:*"), false, refused},
		{"to the author", maker, to(me+"maker", "kms:Put*"), false, ""},
		{"to somebody else", author, to(me+"maker", "kms:*"), false, refused},
		{"to use alone", author, to(account, "kms:Decrypt"), false, refused},
		{"to use alone, as it is meant", author, to(account, "kms:Decrypt"), true, ""},
		{"the default", maker, nil, false, ""},
	} {
		keys := kms.NewFromConfig(tc.caller)
		_, err := keys.CreateKey(ctx, &kms.CreateKeyInput{Policy: tc.policy, BypassPolicyLockoutSafetyCheck: tc.bypass})
		check(t, "making a key "+tc.name, tc.want, err)
	}
	key := wiretest.Must(kms.NewFromConfig(author).CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	put := func(bypass bool) error {
		_, err := kms.NewFromConfig(author).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key, Policy: to(account, "kms:Decrypt"), BypassPolicyLockoutSafetyCheck: bypass})
		return err
	}
	check(t, "a policy without its author", refused, put(false))
	check(t, "a policy without its author, as it is meant", "", put(true))
	check(t, "locked out", "AccessDeniedException: kms:PutKeyPolicy", put(true))
}

// servicesUseKeys lets a topic deliver to a queue with a key: the key's policy must let SNS use it, besides the queue's policy.
func servicesUseKeys(t *testing.T, g *guarded, key, policy, queue string) {
	ctx, topics, queues := t.Context(), sns.NewFromConfig(g.Config), sqs.NewFromConfig(g.Config)
	topic := wiretest.Must(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn
	const arn = "arn:aws:sqs:us-east-1:000000000000:q"
	wiretest.Must(queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{
		"Policy": *statement(`"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"`)}}))
	wiretest.Must(topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String(arn)}))
	delivered := func() string {
		wiretest.Must(topics.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("m")}))
		a := wiretest.Must(queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages"}}))
		return a.Attributes["ApproximateNumberOfMessages"]
	}
	if n := delivered(); n != "0" {
		t.Errorf("SNS delivered %s messages to a queue whose key does not let it", n)
	}
	admits := strings.Replace(policy, `"Statement":[`, `"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"`+*topic+`"}}},`, 1)
	wiretest.Must(kms.NewFromConfig(g.Config).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: &admits}))
	if n := delivered(); n != "1" {
		t.Errorf("SNS delivered %s messages to a queue whose key lets it, want 1", n)
	}
}
