package cloudtrail

import (
	"slices"
	"strings"
)

// Categories of events.
const (
	management = "Management"
	data       = "Data"
)

// isReadOnly tells whether an operation changes nothing.
func isReadOnly(operation string) bool {
	for _, prefix := range []string{"Get", "List", "Describe", "Head", "Lookup", "Search", "Filter", "Select", "Validate", "Check", "BatchGet"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"AssumeRole", "AssumeRoleWithWebIdentity", "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateRandom", "ReceiveMessage", "ReEncrypt"}, operation)
}

// answers are the read-only operations whose events tell what they answered all the same: who got which credentials.
func answers(operation string) bool { return strings.HasPrefix(operation, "AssumeRole") }

// traffic are the operations of services that pass customers' data on: the type of resource of their data events, as advanced event selectors name it.
// Calls of a type "" are events of no trail.
func traffic(service, operation string) (resourceType string, ok bool) {
	switch service + ":" + operation {
	case "sqs:SendMessage", "sqs:SendMessageBatch", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibility", "sqs:ChangeMessageVisibilityBatch":
		return "AWS::SQS::Queue", true
	case "sns:Publish", "sns:PublishBatch":
		return "AWS::SNS::Topic", true
	case "monitoring:PutMetricData", "monitoring:GetMetricData", "monitoring:GetMetricStatistics":
		return "AWS::CloudWatch::Metric", true
	case "logs:PutLogEvents":
		return "", true
	}
	return "", false
}

// s3Objects are the operations of Amazon S3 on objects, besides those that name a key, which CloudTrail counts among data events.
func s3Objects() map[string]struct{} {
	return names("DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2")
}

// eventName is how an operation is called in events. S3's are those of "Amazon S3 CloudTrail events".
func eventName(service, operation string) string {
	if service != "s3" {
		return operation
	}
	if name, ok := map[string]string{
		"ListObjectsV2": "ListObjects", "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
		"DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock", "PutBucketLifecycleConfiguration": "PutBucketLifecycle", "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
		"PutObjectLockConfiguration": "PutBucketObjectLockConfiguration", "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
		"PutBucketNotificationConfiguration": "PutBucketNotification", "GetBucketNotificationConfiguration": "GetBucketNotification",
	}[operation]; ok {
		return name
	}
	return operation
}

// errorCode is how CloudTrail writes an error's code.
func errorCode(service, code string, status int) string {
	switch {
	case service == "ec2" && status >= 500:
		return "Server." + code
	case service == "ec2":
		return "Client." + code
	case code == "AccessDeniedException":
		return "AccessDenied"
	}
	return code
}
