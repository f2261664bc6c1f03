package cloudtrail

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"storefront/lab/access"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	s3api "storefront/lab/api/s3"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// asks tells whether a resource's policy lets CloudTrail do something for a trail.
func (s *Service) asks(policy, trailARN, action, resource string, more map[string]string) bool {
	document, err := access.Parse(policy)
	if err != nil {
		return false
	}
	keys := map[string][]string{"aws:sourcearn": {trailARN}, "aws:sourceaccount": {s.Region.Account}, "aws:securetransport": {"true"}, "aws:principalisawsservice": {"true"}}
	for key, value := range more {
		keys[key] = []string{value}
	}
	r := access.Request{Principal: access.Principal{Service: principal}, Action: action, Resource: resource, Context: keys}
	return access.Decide(&r, access.Policies{Resource: &document}).Allowed
}

// checkBucket checks that a trail's bucket is there and lets CloudTrail write: "Amazon S3 bucket policy for CloudTrail".
func (s *Service) checkBucket(ctx context.Context, t trail) error {
	if _, err := s.Buckets.HeadBucket(ctx, &s3api.HeadBucketInput{Bucket: &t.Bucket}); err != nil {
		return refuse("S3BucketDoesNotExistException", "S3 bucket %s does not exist!", t.Bucket)
	}
	if err := s.mayDeliver(ctx, t); err != nil {
		return refuse("InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: %s", t.Bucket)
	}
	return nil
}

var errDenied = errors.New("AccessDenied")

// mayDeliver asks the bucket's policy, and that of the key, whether CloudTrail may write log files. The error's text is what the trail's status shows.
func (s *Service) mayDeliver(ctx context.Context, t trail) error {
	out, err := s.Buckets.GetBucketPolicy(s.self(ctx), &s3api.GetBucketPolicyInput{Bucket: &t.Bucket})
	if isCode(err, "NoSuchBucket") {
		return err
	}
	if err != nil {
		return errDenied
	}
	bucket := "arn:" + region.Partition + ":s3:::" + t.Bucket
	acl := map[string]string{"s3:x-amz-acl": "bucket-owner-full-control"}
	if !s.asks(*out.Policy, t.ARN, "s3:GetBucketAcl", bucket, nil) || !s.asks(*out.Policy, t.ARN, "s3:PutObject", bucket+"/"+t.folder(s.Region.Account)+"CloudTrail/", acl) {
		return errDenied
	}
	return nil
}

// checkKey resolves the key that a request names, and checks that its policy lets CloudTrail encrypt: "Configure AWS KMS key policies for CloudTrail".
func (s *Service) checkKey(ctx context.Context, t *trail, ref *string) error {
	if ref != nil {
		t.Key = *ref
	}
	if t.Key == "" {
		return nil
	}
	key, err := s.Keys.DescribeKey(ctx, &kmsapi.DescribeKeyInput{KeyId: &t.Key})
	if err != nil {
		return refuse("KmsKeyNotFoundException", "The KMS key %s is not there: it must be in the region of the bucket.", t.Key)
	}
	t.Key = wire.Value(key.KeyMetadata.Arn)
	policy, err := s.Keys.GetKeyPolicy(ctx, &kmsapi.GetKeyPolicyInput{KeyId: &t.Key})
	if err != nil {
		return err
	}
	context := map[string]string{"kms:encryptioncontext:aws:cloudtrail:arn": t.ARN, "kms:encryptioncontextkeys": "aws:cloudtrail:arn"}
	if !s.asks(*policy.Policy, t.ARN, "kms:GenerateDataKey", t.Key, context) || !s.asks(*policy.Policy, t.ARN, "kms:DescribeKey", t.Key, nil) {
		return refuse("InsufficientEncryptionPolicyException", "Insufficient permissions to access S3 bucket %s or KMS key %s.", t.Bucket, t.Key)
	}
	return nil
}

// errAsked undoes a transaction that only asked.
var errAsked = errors.New("only asked")

// checkTopic asks whether CloudTrail could publish, without doing so.
func (s *Service) checkTopic(t trail) error {
	if t.Topic == "" {
		return nil
	}
	err := s.Store.Update(func(tx *state.Tx) error {
		if err := s.Publish(tx, t.Topic, "{}", t.ARN); err != nil {
			return err
		}
		return errAsked
	})
	if _, refused := errors.AsType[*wire.Error](err); refused {
		return refuse("InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!")
	}
	if errors.Is(err, errAsked) {
		return nil
	}
	return err
}

// checkLogs checks that the log group is there and that CloudTrail, in the role, may write to it: "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
func (s *Service) checkLogs(ctx context.Context, t trail) error {
	switch {
	case t.LogGroup == "" && t.LogRole == "":
		return nil
	case t.LogGroup == "":
		return refuse("InvalidParameterCombinationException", "You must specify a log group when you specify a role.")
	case t.LogRole == "":
		return refuse("InvalidParameterCombinationException", "You must specify a role when you specify a log group.")
	}
	group, ok := strings.CutSuffix(t.LogGroup, ":*")
	name, found := strings.CutPrefix(group, s.Region.ARN("logs", "log-group:"))
	if !ok || !found || name == "" {
		return refuse("InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN: it must be one of this account and region, and end with :*")
	}
	groups, err := s.Logs.DescribeLogGroups(ctx, &logsapi.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
	if err != nil {
		return err
	}
	if len(groups.LogGroups) == 0 || wire.Value(groups.LogGroups[0].LogGroupName) != name {
		return refuse("InvalidCloudWatchLogsLogGroupArnException", "The log group %s does not exist.", name)
	}
	return s.mayLog(ctx, t, group)
}

// mayLog asks the role's trust and its policies.
func (s *Service) mayLog(ctx context.Context, t trail, group string) error {
	name := t.LogRole[strings.LastIndexByte(t.LogRole, '/')+1:]
	role, err := s.Roles.GetRole(ctx, &iamapi.GetRoleInput{RoleName: &name})
	if err != nil || wire.Value(role.Role.Arn) != t.LogRole {
		return refuse("InvalidCloudWatchLogsRoleArnException", "Access denied. Verify in IAM that the role %s exists.", t.LogRole)
	}
	trust, err := url.QueryUnescape(wire.Value(role.Role.AssumeRolePolicyDocument))
	if err != nil || !s.asks(trust, t.ARN, "sts:AssumeRole", t.LogRole, nil) {
		return refuse("InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships for your role.")
	}
	policies, err := s.policies(ctx, name)
	if err != nil {
		return err
	}
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		r := access.Request{Principal: access.Principal{ARN: t.LogRole, Account: s.Region.Account}, Action: action, Resource: group + ":log-stream:" + s.stream()}
		if !access.Decide(&r, access.Policies{Identity: policies}).Allowed {
			return refuse("InvalidCloudWatchLogsLogGroupArnException", "Access denied. Check the permissions for your role.")
		}
	}
	return nil
}

// policies reads the policies of a role. One that does not parse allows nothing.
func (s *Service) policies(ctx context.Context, role string) (documents []access.Document, err error) {
	add := func(escaped *string) error {
		text, err := url.QueryUnescape(wire.Value(escaped))
		if d, bad := access.Parse(text); err == nil && bad == nil {
			documents = append(documents, d)
		}
		return err
	}
	inline, err := s.Roles.ListRolePolicies(ctx, &iamapi.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, err
	}
	for _, name := range inline.PolicyNames {
		p, err := s.Roles.GetRolePolicy(ctx, &iamapi.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return nil, err
		}
		if err := add(p.PolicyDocument); err != nil {
			return nil, err
		}
	}
	attached, err := s.Roles.ListAttachedRolePolicies(ctx, &iamapi.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, err
	}
	for _, a := range attached.AttachedPolicies {
		p, err := s.Roles.GetPolicy(ctx, &iamapi.GetPolicyInput{PolicyArn: a.PolicyArn})
		if err != nil {
			return nil, err
		}
		version, err := s.Roles.GetPolicyVersion(ctx, &iamapi.GetPolicyVersionInput{PolicyArn: a.PolicyArn, VersionId: p.Policy.DefaultVersionId})
		if err != nil {
			return nil, err
		}
		if err := add(version.PolicyVersion.Document); err != nil {
			return nil, err
		}
	}
	return documents, nil
}
