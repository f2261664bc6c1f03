package cloudtrail_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/wire/wiretest"
)

// config is that of other clients than the harness has.
func (h *harness) config(key ...string) aws.Config {
	if len(key) == 0 {
		key = []string{wiretest.AccessKeyID, wiretest.SecretKey, ""}
	}
	return wiretest.Config(h.url, key[0], key[1], key[2])
}

// last returns the newest event of a name in the history.
func (h *harness) last(name string) event {
	h.t.Helper()
	out := wiretest.Must(h.LookupEvents(h.t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: by("EventName", name)}))
	if len(out.Events) == 0 {
		h.t.Fatalf("the history has no %s", name)
	}
	var e event
	if err := json.Unmarshal([]byte(*out.Events[0].CloudTrailEvent), &e); err != nil {
		h.t.Fatal(err)
	}
	return e
}

func by(attribute, value string) []types.LookupAttribute {
	return []types.LookupAttribute{{AttributeKey: types.LookupAttributeKey(attribute), AttributeValue: &value}}
}

// An event has the members of CloudTrail's record format, whatever the outcome.
func TestRecordFormat(t *testing.T) {
	h := start(t)
	wiretest.Must(h.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}))
	e := h.last("CreateVpc")
	for _, drawn := range []string{"eventTime", "requestID", "eventID", "userAgent"} {
		if text, _ := e[drawn].(string); text == "" {
			t.Errorf("%s is %v", drawn, e[drawn])
		}
		delete(e, drawn)
	}
	response, _ := e["responseElements"].(map[string]any)
	if vpc, _ := response["vpc"].(map[string]any); vpc["cidrBlock"] != "10.0.0.0/16" || response["requestId"] == "" {
		t.Errorf("response: %v", response)
	}
	delete(e, "responseElements")
	want := event{
		"eventVersion": "1.10", "eventSource": "ec2.amazonaws.com", "eventName": "CreateVpc", "awsRegion": "us-east-1", "sourceIPAddress": "127.0.0.1", "readOnly": false, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": account, "eventCategory": "Management", "apiVersion": "2016-11-15", "requestParameters": map[string]any{"cidrBlock": "10.0.0.0/16"},
		"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDATEST", "arn": "arn:aws:iam::" + account + ":user/test", "accountId": account, "accessKeyId": wiretest.AccessKeyID, "userName": "test"},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	_, err := h.ec2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: new("vpc-0000000000000dead")})
	if err == nil {
		t.Fatal("deleted what is not there")
	}
	if e := h.last("DeleteVpc"); e["errorCode"] != "Client.InvalidVpcID.NotFound" || e["errorMessage"] == nil || e["responseElements"] != nil {
		t.Errorf("refused: %v", e)
	}
	wiretest.Must(h.ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}))
	if e := h.last("DescribeVpcs"); e["readOnly"] != true || e["responseElements"] != nil {
		t.Errorf("read-only: %v", e)
	}
}

// Sessions of roles tell their role; a policy of a role's path is part of its ARN.
func TestAssumedRole(t *testing.T) {
	h := start(t)
	wiretest.Must(iam.NewFromConfig(h.config()).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: new("shop"), Path: new("/service/"),
		AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)}))
	wiretest.Must(kms.NewFromConfig(h.config("ASIATEST", "secret", "token")).ListKeys(t.Context(), &kms.ListKeysInput{}))
	want := map[string]any{
		"type": "AssumedRole", "principalId": "AROATEST:i-1", "arn": "arn:aws:sts::" + account + ":assumed-role/shop/i-1", "accountId": account, "accessKeyId": "ASIATEST",
		"sessionContext": map[string]any{
			"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROATEST", "arn": "arn:aws:iam::" + account + ":role/service/shop", "accountId": account, "userName": "shop"},
			"attributes":    map[string]any{"mfaAuthenticated": "false"},
		},
	}
	if diff := cmp.Diff(any(want), h.last("ListKeys")["userIdentity"]); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

// Nothing that is secret reaches the events, wherever they are: passwords, secrets, plaintexts, keys, tokens, messages.
func TestSecretsStayOut(t *testing.T) {
	h := start(t)
	h.trail(nil)
	everything := []types.AdvancedEventSelector{{FieldSelectors: []types.AdvancedFieldSelector{{Field: new("eventCategory"), Equals: []string{"Management"}}}}}
	for _, kind := range []string{"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Object"} {
		everything = append(everything, types.AdvancedEventSelector{FieldSelectors: []types.AdvancedFieldSelector{
			{Field: new("eventCategory"), Equals: []string{"Data"}}, {Field: new("resources.type"), Equals: []string{kind}}}})
	}
	wiretest.Must(h.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: new("audit"), AdvancedEventSelectors: everything}))
	const marker = "MARKER-of-a-secret"
	ctx := t.Context()
	secrets, keys, users := secretsmanager.NewFromConfig(h.config()), kms.NewFromConfig(h.config()), iam.NewFromConfig(h.config())
	queues, topics := sqs.NewFromConfig(h.config()), sns.NewFromConfig(h.config())
	wiretest.Must(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new(marker)}))
	wiretest.Must(secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("s")}))
	key := wiretest.Must(keys.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	sealed := wiretest.Must(keys.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte(marker)})).CiphertextBlob
	wiretest.Must(keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed}))
	wiretest.Must(users.CreateUser(ctx, &iam.CreateUserInput{UserName: new("ann")}))
	access := wiretest.Must(users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("ann")})).AccessKey
	queue := wiretest.Must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("orders")})).QueueUrl
	wiretest.Must(queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: new(marker),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"a": {DataType: new("String"), StringValue: new(marker)}}}))
	wiretest.Must(queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: new("1"), MessageBody: new(marker)}}}))
	wiretest.Must(queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue}))
	topic := wiretest.Must(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("alarms")})).TopicArn
	wiretest.Must(topics.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: new(marker), Subject: new(marker)}))
	wiretest.Must(h.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: new("trail"), Key: new("k"), Body: strings.NewReader(marker)}))
	wiretest.Must(h.ec2.CreateLaunchTemplate(ctx, launchTemplate(base64.StdEncoding.EncodeToString([]byte(marker)))))
	h.deliver()

	seen := map[string]bool{}
	for _, e := range h.events() {
		seen[e["eventName"].(string)] = true
	}
	for _, name := range []string{"CreateSecret", "GetSecretValue", "Encrypt", "Decrypt", "CreateAccessKey", "SendMessage", "SendMessageBatch", "ReceiveMessage", "Publish", "PutObject", "CreateLaunchTemplate"} {
		if !seen[name] {
			t.Errorf("%s is not in the trail: the test would find nothing", name)
		}
	}
	files := wiretest.Must(filepath.Glob(filepath.Join(h.dir, "audit", "*")))
	if len(files) == 0 {
		t.Fatal("no events on disk")
	}
	for _, f := range files {
		content := string(wiretest.Must(os.ReadFile(f)))
		for _, secret := range []string{marker, "TUFSS0VS", *access.SecretAccessKey} { // the marker in base64, too
			if strings.Contains(content, secret) {
				t.Errorf("%s has %q", f, secret)
			}
		}
	}
	if e := h.last("CreateSecret"); e["requestParameters"].(map[string]any)["secretString"] != "HIDDEN_DUE_TO_SECURITY_REASONS" {
		t.Errorf("secret: %v", e["requestParameters"])
	}
}

func launchTemplate(userData string) *ec2.CreateLaunchTemplateInput {
	return &ec2.CreateLaunchTemplateInput{LaunchTemplateName: new("template"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{UserData: &userData}}
}

// The history is of management events, newest first, by one attribute, in pages.
func TestLookup(t *testing.T) {
	h := start(t)
	for range 5 {
		wiretest.Must(h.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}))
	}
	var ids []string
	pages := cloudtrail.NewLookupEventsPaginator(h.Client, &cloudtrail.LookupEventsInput{LookupAttributes: by("EventName", "CreateVpc"), MaxResults: new(int32(2))})
	for pages.HasMorePages() {
		for _, e := range wiretest.Must(pages.NextPage(t.Context())).Events {
			ids = append(ids, *e.Resources[0].ResourceName)
		}
	}
	if len(ids) != 5 {
		t.Fatalf("found %q", ids)
	}
	for i, id := range ids {
		if i > 0 && id >= ids[i-1] {
			t.Errorf("found %q, want the newest first", ids)
		}
	}
	for attribute, value := range map[string]string{"Username": "test", "EventSource": "ec2.amazonaws.com", "ReadOnly": "false", "AccessKeyId": wiretest.AccessKeyID, "ResourceType": "AWS::EC2::VPC", "ResourceName": ids[0]} {
		if found := wiretest.Must(h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: by(attribute, value)})); len(found.Events) == 0 {
			t.Errorf("nothing by %s", attribute)
		}
		if found := wiretest.Must(h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: by(attribute, "x"+value)})); len(found.Events) != 0 {
			t.Errorf("found by a wrong %s", attribute)
		}
	}
	now := h.now()
	_, err := h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{StartTime: &now, EndTime: new(now.Add(-time.Hour))})
	wiretest.Refused(t, err, "InvalidTimeRangeException", "after")
	_, err = h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: append(by("EventName", "a"), by("Username", "b")...)})
	wiretest.Refused(t, err, "InvalidLookupAttributesException", "one")
	_, err = h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{NextToken: new("?")})
	wiretest.Refused(t, err, "InvalidNextTokenException", "?")
}
