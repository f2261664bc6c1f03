//go:build linux

package daemon_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"storefront/lab/wire/wiretest"
)

// owned is a resource of each kind that belongs to a team by its tag.
type owned struct {
	make func(team string) (id string) // by the operator
	use  func(who aws.Config, id string) error
}

// kinds makes and uses resources of many services.
func (g *guarded) kinds(ctx context.Context) map[string]owned {
	vpc := wiretest.Must(ec2.NewFromConfig(g.Config).CreateVpc(ctx, vpcOf("nobody"))).Vpc.VpcId
	return map[string]owned{
		"a queue": {func(team string) string {
			return *wiretest.Must(sqs.NewFromConfig(g.Config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &team, Tags: map[string]string{"Team": team}})).QueueUrl
		}, func(who aws.Config, id string) error {
			_, err := sqs.NewFromConfig(who).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &id, MessageBody: aws.String("m")})
			return err
		}},
		"a topic": {func(team string) string {
			return *wiretest.Must(sns.NewFromConfig(g.Config).CreateTopic(ctx, &sns.CreateTopicInput{Name: &team, Tags: []snstypes.Tag{{Key: aws.String("Team"), Value: &team}},
				Attributes: map[string]string{"Policy": *statement(`"Effect":"Allow","Principal":{"Service":"budgets.amazonaws.com"},"Action":"sns:Publish","Resource":"*"`)}})).TopicArn
		}, func(who aws.Config, id string) error {
			_, err := sns.NewFromConfig(who).Publish(ctx, &sns.PublishInput{TopicArn: &id, Message: aws.String("m")})
			return err
		}},
		"a security group": {func(team string) string {
			return *wiretest.Must(ec2.NewFromConfig(g.Config).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &team, Description: aws.String("d"), VpcId: vpc,
				TagSpecifications: []ec2types.TagSpecification{{ResourceType: "security-group", Tags: []ec2types.Tag{{Key: aws.String("Team"), Value: &team}}}}})).GroupId
		}, func(who aws.Config, id string) error {
			_, err := ec2.NewFromConfig(who).AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), CidrIp: aws.String("10.0.0.0/8")})
			return err
		}},
		"a role": {func(team string) string {
			trust := statement(`"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"`)
			return *wiretest.Must(iam.NewFromConfig(g.Config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &team, AssumeRolePolicyDocument: trust, Tags: []iamtypes.Tag{{Key: aws.String("Team"), Value: &team}}})).Role.RoleName
		}, func(who aws.Config, id string) error {
			_, err := iam.NewFromConfig(who).GetRole(ctx, &iam.GetRoleInput{RoleName: &id})
			return err
		}},
		"a key": {func(team string) string {
			return *wiretest.Must(kms.NewFromConfig(g.Config).CreateKey(ctx, &kms.CreateKeyInput{Tags: []kmstypes.Tag{{TagKey: aws.String("Team"), TagValue: &team}}})).KeyMetadata.KeyId
		}, func(who aws.Config, id string) error {
			_, err := kms.NewFromConfig(who).Encrypt(ctx, &kms.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
			return err
		}},
		"a secret": {func(team string) string {
			return *wiretest.Must(secretsmanager.NewFromConfig(g.Config).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &team, SecretString: aws.String("x"), Tags: []secretstypes.Tag{{Key: aws.String("Team"), Value: &team}}})).Name
		}, func(who aws.Config, id string) error {
			_, err := secretsmanager.NewFromConfig(who).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
			return err
		}},
		"a parameter": {func(team string) string {
			name := "/of/" + team
			wiretest.Must(ssm.NewFromConfig(g.Config).PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Type: "String", Value: aws.String("x"), Tags: []ssmtypes.Tag{{Key: aws.String("Team"), Value: &team}}}))
			return name
		}, func(who aws.Config, id string) error {
			_, err := ssm.NewFromConfig(who).GetParameter(ctx, &ssm.GetParameterInput{Name: &id})
			return err
		}},
		"a log group": {func(team string) string {
			wiretest.Must(cloudwatchlogs.NewFromConfig(g.Config).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &team, Tags: map[string]string{"Team": team}}))
			return team
		}, func(who aws.Config, id string) error {
			_, err := cloudwatchlogs.NewFromConfig(who).CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &id, LogStreamName: aws.String("s")})
			return err
		}},
		"a parameter group": {func(team string) string {
			return *wiretest.Must(rds.NewFromConfig(g.Config).CreateDBClusterParameterGroup(ctx, &rds.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: &team, Description: aws.String("d"),
				DBParameterGroupFamily: aws.String("aurora-postgresql15"), Tags: []rdstypes.Tag{{Key: aws.String("Team"), Value: &team}}})).DBClusterParameterGroup.DBClusterParameterGroupName
		}, func(who aws.Config, id string) error {
			_, err := rds.NewFromConfig(who).DescribeDBClusterParameters(ctx, &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: &id})
			return err
		}},
	}
}

// One policy lets every team do everything with what is its own: by the tags of users and resources. Some services have keys of their own for the same.
func TestTagsDecide(t *testing.T) {
	g := guard(t)
	user := g.user("ann", allow("*", "*")+`,"Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/TEAM}","aws:ResourceAccount":"000000000000"}}`)
	wiretest.Must(iam.NewFromConfig(g.Config).TagUser(t.Context(), &iam.TagUserInput{UserName: aws.String("ann"), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}))
	own := map[string]aws.Config{}
	for kind, key := range map[string]string{"a security group": "ec2:ResourceTag/Team", "a role": "iam:ResourceTag/Team", "a secret": "secretsmanager:ResourceTag/Team", "a parameter": "ssm:resourceTag/Team", "a parameter group": "rds:cluster-pg-tag/Team"} {
		own[kind] = g.user(strings.ReplaceAll(kind, " ", "-"), allow("*", "*")+`,"Condition":{"StringEquals":{"`+key+`":"shop"}}`)
	}
	for kind, o := range g.kinds(t.Context()) {
		ours, theirs := o.make("shop"), o.make("billing")
		check(t, kind+" of the team", "", o.use(user, ours))
		if err := o.use(user, theirs); err == nil {
			t.Errorf("%s of another team was used", kind)
		}
		if who, ok := own[kind]; ok {
			if err := o.use(who, theirs); err == nil {
				t.Errorf("%s of another team was used by the service's own key", kind)
			}
			if kind != "a security group" { // the rule is there already
				check(t, kind+" of the team by the service's own key", "", o.use(who, ours))
			}
		}
	}
}

// Objects are opened by their tags, and the tags that a request may give them are limited.
func TestObjectTagsDecide(t *testing.T) {
	g := guard(t)
	ctx, bucket := t.Context(), aws.String("tagged-objects")
	wiretest.Must(objects(g.Config).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	put := func(who aws.Config, key, tags string) error {
		_, err := objects(who).PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Tagging: &tags, Body: strings.NewReader("x")})
		return err
	}
	check(t, "the owner", "", put(g.Config, "public", "class=open"))
	check(t, "the owner", "", put(g.Config, "private", "class=closed"))
	reader := g.user("reader", allow("s3:GetObject", "*")+`,"Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"open"}}`)
	for key, want := range map[string]string{"public": "", "private": "AccessDenied: s3:GetObject"} {
		_, err := objects(reader).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
		check(t, "reading what is "+key, want, err)
	}
	writer := g.user("writer", allow("s3:PutObject*", "*")+`,"Condition":{"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["class"]},"StringEquals":{"s3:RequestObjectTag/class":"open"}}`)
	check(t, "the class that is allowed", "", put(writer, "new", "class=open"))
	check(t, "another class", "AccessDenied: s3:PutObject", put(writer, "new", "class=closed"))
	check(t, "another key", "AccessDenied: s3:PutObject", put(writer, "new", "class=open&other=x"))
}

// A session's tags are its principal's, in the place of its role's; federated users have their user's policies within those of the session.
func TestSessionsCarryTags(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	url := wiretest.Must(sqs.NewFromConfig(g.Config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("shop"), Tags: map[string]string{"team": "shop"}})).QueueUrl
	send := func(who aws.Config) error {
		_, err := sqs.NewFromConfig(who).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")})
		return err
	}
	arn := g.role("worker", "arn:aws:iam::000000000000:root", allow("sqs:*", "*")+`,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:ResourceTag/team}"}}`)
	roles := iam.NewFromConfig(g.Config)
	wiretest.Must(roles.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("worker"),
		PolicyDocument: statement(`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"]`)}))
	wiretest.Must(roles.TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("worker"), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}))
	byRole := wiretest.Must(assume(t, g.Config, &sts.AssumeRoleInput{RoleArn: &arn}))
	check(t, "the role's tag", "", send(byRole))
	other := wiretest.Must(assume(t, g.Config, &sts.AssumeRoleInput{RoleArn: &arn, Tags: []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("billing")}}}))
	check(t, "the session's tag", "AccessDenied: sqs:SendMessage", send(other))

	lender := g.user("lender", allow("sqs:*", "*"), allow("sts:GetFederationToken", "arn:aws:sts::000000000000:federated-user/g*"))
	lend := func(name, policy string) (aws.Config, error) {
		out, err := sts.NewFromConfig(lender).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: &name, Policy: &policy})
		guest := g.Config
		if err == nil {
			guest.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		}
		return guest, err
	}
	_, err := lend("stranger", *statement(allow("sqs:*", "*")))
	check(t, "a name that may not be lent to", "AccessDenied: sts:GetFederationToken on resource: arn:aws:sts::000000000000:federated-user/stranger", err)
	check(t, "a guest", "", send(wiretest.Must(lend("guest", *statement(allow("sqs:*", "*"))))))
	bare := wiretest.Must(sts.NewFromConfig(lender).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("guest")})).Credentials
	named := g.Config
	named.Credentials = credentials.NewStaticCredentialsProvider(*bare.AccessKeyId, *bare.SecretAccessKey, *bare.SessionToken)
	check(t, "without session policies", "AccessDenied: because no session policy allows the sqs:SendMessage action", send(named))
	wiretest.Must(sqs.NewFromConfig(g.Config).SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{
		"Policy": *statement(`"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::000000000000:federated-user/guest"},"Action":"sqs:SendMessage","Resource":"*"`)}}))
	check(t, "the queue names the guest", "", send(named))
	wiretest.Must(sqs.NewFromConfig(g.Config).SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": ""}}))
	narrow := wiretest.Must(lend("guest", *statement(allow("sqs:Get*", "*"))))
	check(t, "beyond the session's policy", "AccessDenied: User: arn:aws:sts::000000000000:federated-user/guest is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:shop because no session policy allows the sqs:SendMessage action", send(narrow))
	wide := wiretest.Must(lend("guest", *statement(allow("*", "*"))))
	_, err = sns.NewFromConfig(wide).ListTopics(ctx, nil)
	check(t, "beyond the user's policies", "AuthorizationError: because no identity-based policy allows the sns:ListTopics action", err)
}
