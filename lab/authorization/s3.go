package authorization

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/wire"
)

// s3 tells what the calls of Amazon S3 ask for.
type s3 struct {
	actions  map[string]string // of operations that are not named like their actions
	versions map[string]string // actions on a version that a request names
}

// newS3 makes the tables, from "Actions, resources, and condition keys for Amazon S3".
func newS3() s3 {
	return s3{actions: map[string]string{
		"CompleteMultipartUpload": "PutObject", "CopyObject": "PutObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "UploadPartCopy": "PutObject",
		"HeadObject": "GetObject", "DeleteObjects": "DeleteObject",
		"HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions", "ListBuckets": "ListAllMyBuckets",
		"ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts",
		"GetBucketAccelerateConfiguration": "GetAccelerateConfiguration", "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
		"GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration", "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration", "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
		"ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
		"GetBucketCors":                     "GetBucketCORS", "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS",
		"GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
		"GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration", "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
		"DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration", "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
		"GetBucketInventoryConfiguration": "GetInventoryConfiguration", "PutBucketInventoryConfiguration": "PutInventoryConfiguration", "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
		"ListBucketInventoryConfigurations": "GetInventoryConfiguration",
		"GetBucketLifecycleConfiguration":   "GetLifecycleConfiguration", "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration", "DeleteBucketLifecycle": "PutLifecycleConfiguration",
		"GetBucketMetricsConfiguration": "GetMetricsConfiguration", "PutBucketMetricsConfiguration": "PutMetricsConfiguration", "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
		"ListBucketMetricsConfigurations":    "GetMetricsConfiguration",
		"GetBucketNotificationConfiguration": "GetBucketNotification", "PutBucketNotificationConfiguration": "PutBucketNotification",
		"DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
		"GetPublicAccessBlock":          "GetBucketPublicAccessBlock", "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
		"GetBucketReplication": "GetReplicationConfiguration", "PutBucketReplication": "PutReplicationConfiguration", "DeleteBucketReplication": "PutReplicationConfiguration",
		"DeleteBucketTagging":        "PutBucketTagging",
		"GetObjectLockConfiguration": "GetBucketObjectLockConfiguration", "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
	}, versions: map[string]string{
		"GetObject": "GetObjectVersion", "GetObjectAcl": "GetObjectVersionAcl", "GetObjectAttributes": "GetObjectVersionAttributes", "GetObjectTagging": "GetObjectVersionTagging",
		"PutObjectAcl": "PutObjectVersionAcl", "PutObjectTagging": "PutObjectVersionTagging", "DeleteObject": "DeleteObjectVersion", "DeleteObjectTagging": "DeleteObjectVersionTagging",
	}}
}

const s3ARN = "arn:aws:s3:::"

func (s s3) asks(operation string, input any) []Ask {
	action := operation
	if other, ok := s.actions[operation]; ok {
		action = other
	}
	bucket, key, version := member(input, "Bucket"), member(input, "Key"), member(input, "VersionId")
	context := s3Context(input)
	ask := func(action, resource string) Ask {
		return Ask{Action: "s3:" + action, Resource: resource, Context: context}
	}
	switch in := input.(type) {
	case *api.ListBucketsInput:
		return []Ask{ask(action, "*")}
	case *api.DeleteObjectsInput:
		var asks []Ask
		for _, o := range in.Delete.Objects {
			asks = append(asks, ask(s.versioned(action, wire.Value(o.VersionId)), s3ARN+bucket+"/"+wire.Value(o.Key)))
			if wire.Value(in.BypassGovernanceRetention) {
				asks = append(asks, ask("BypassGovernanceRetention", s3ARN+bucket+"/"+wire.Value(o.Key)))
			}
		}
		return asks
	case *api.CopyObjectInput:
		return append(s.askSource(ask, in.CopySource), s.also(ask, input, []Ask{ask(action, s3ARN+bucket+"/"+key)})...)
	case *api.UploadPartCopyInput:
		return append(s.askSource(ask, in.CopySource), ask(action, s3ARN+bucket+"/"+key))
	}
	if key == "" {
		return s.also(ask, input, []Ask{ask(action, s3ARN+bucket)})
	}
	return s.also(ask, input, []Ask{ask(s.versioned(action, version), s3ARN+bucket+"/"+key)})
}

// also adds what a request asks for besides its operation's action: tags, access control lists and locks that it sets, and governance that it bypasses.
func (s s3) also(ask func(action, resource string) Ask, input any, asks []Ask) []Ask {
	resource := asks[0].Resource
	add := func(wanted bool, action string) {
		if wanted && !slices.ContainsFunc(asks, func(a Ask) bool { return a.Action == "s3:"+action }) {
			asks = append(asks, ask(action, resource))
		}
	}
	writes := asks[0].Action == "s3:PutObject"
	add(writes && member(input, "Tagging") != "", "PutObjectTagging")
	add(writes && (member(input, "ACL") != "" || member(input, "GrantRead") != "" || member(input, "GrantFullControl") != ""), "PutObjectAcl")
	add(writes && member(input, "ObjectLockMode") != "", "PutObjectRetention")
	add(writes && member(input, "ObjectLockLegalHoldStatus") != "", "PutObjectLegalHold")
	switch in := input.(type) {
	case *api.DeleteObjectInput:
		add(wire.Value(in.BypassGovernanceRetention), "BypassGovernanceRetention")
	case *api.PutObjectRetentionInput:
		add(wire.Value(in.BypassGovernanceRetention), "BypassGovernanceRetention")
	case *api.CreateBucketInput:
		add(wire.Value(in.ObjectLockEnabledForBucket), "PutBucketObjectLockConfiguration")
		add(wire.Value(in.ObjectLockEnabledForBucket), "PutBucketVersioning")
	}
	return asks
}

func (s s3) versioned(action, version string) string {
	if other, ok := s.versions[action]; ok && version != "" {
		return other
	}
	return action
}

// askSource asks to read what is copied: "bucket/key" or "/bucket/key", escaped, with "?versionId=" for a version.
func (s s3) askSource(ask func(action, resource string) Ask, source *string) []Ask {
	path, version, _ := strings.Cut(wire.Value(source), "?versionId=")
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return nil // the operation refuses it
	}
	return []Ask{ask(s.versioned("GetObject", version), s3ARN+path)}
}

// s3Context are the condition keys that S3 fills from a request.
func s3Context(input any) map[string][]string {
	context := present(input, map[string]string{
		"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:versionid": "VersionId", "s3:x-amz-acl": "ACL", "s3:x-amz-server-side-encryption": "ServerSideEncryption",
		"s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId", "s3:x-amz-storage-class": "StorageClass", "s3:object-lock-mode": "ObjectLockMode",
		"s3:x-amz-copy-source": "CopySource",
	})
	if in, ok := input.(*api.ListObjectsV2Input); ok && in.MaxKeys != nil {
		context["s3:max-keys"] = []string{strconv.FormatInt(*in.MaxKeys, 10)}
	}
	for name, values := range objectTags(input) {
		context["s3:requestobjecttag/"+strings.ToLower(name)] = values
		context["s3:requestobjecttagkeys"] = append(context["s3:requestobjecttagkeys"], name)
	}
	return context
}

// objectTags are the tags that a request gives an object: in a document of their own, or in the form of a query.
func objectTags(input any) url.Values {
	if in, ok := input.(*api.PutObjectTaggingInput); ok && in.Tagging != nil {
		tags := url.Values{}
		for _, t := range in.Tagging.TagSet {
			tags.Set(wire.Value(t.Key), wire.Value(t.Value))
		}
		return tags
	}
	if member(input, "Key") == "" {
		return nil
	}
	tags, err := url.ParseQuery(member(input, "Tagging"))
	if err != nil {
		return nil // the operation refuses it
	}
	return tags
}
