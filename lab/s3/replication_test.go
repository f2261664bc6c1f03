package s3_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
)

const replicator = "arn:aws:iam::000000000000:role/replication"

// mayReplicate are the statements of "Setting up permissions for live replication", for one pair of buckets.
var mayReplicate = []string{
	`{"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"arn:aws:s3:::source"}`,
	`{"Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl"],"Resource":"arn:aws:s3:::source/*"}`,
	`{"Effect":"Allow","Action":["s3:GetObjectRetention","s3:GetObjectLegalHold"],"Resource":"arn:aws:s3:::source/*"}`,
	`{"Effect":"Allow","Action":["s3:GetObjectVersionTagging"],"Resource":"arn:aws:s3:::source/*"}`,
	`{"Effect":"Allow","Action":["s3:ReplicateObject"],"Resource":"arn:aws:s3:::replica/*"}`,
	`{"Effect":"Allow","Action":["s3:ReplicateTags"],"Resource":"arn:aws:s3:::replica/*"}`,
	`{"Effect":"Allow","Action":["s3:ReplicateDelete"],"Resource":"arn:aws:s3:::replica/*"}`,
	`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::source/*"}}}`,
	`{"Effect":"Allow","Action":["kms:Encrypt"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::replica/*"}}}`,
}

// mirrored is a bucket whose versions are copied to another one, both with object lock.
type mirrored struct {
	*fixture
	*judged
	key      *string // of the replicas
	from, to *string
}

func mirror(t *testing.T, dir string, markers types.DeleteMarkerReplicationStatus) *mirrored {
	t.Helper()
	m := &mirrored{from: str("source"), to: str("replica")}
	m.fixture, m.judged = serveJudged(t, dir)
	m.key = must(m.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	m.role(t, "replication", "s3.amazonaws.com", strings.Join(mayReplicate, ","))
	for _, b := range []*string{m.from, m.to} {
		must(m.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, ObjectLockEnabledForBucket: aws.Bool(true)}))(t)
	}
	must(m.PutBucketReplication(ctx, m.rules(markers)))(t)
	return m
}

func (m *mirrored) rules(markers types.DeleteMarkerReplicationStatus) *s3.PutBucketReplicationInput {
	return &s3.PutBucketReplicationInput{Bucket: m.from, ReplicationConfiguration: &types.ReplicationConfiguration{Role: str(replicator), Rules: []types.ReplicationRule{{
		ID: str("all"), Priority: aws.Int32(1), Status: "Enabled", Filter: &types.ReplicationRuleFilter{Prefix: str("kept/")},
		DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: markers},
		SourceSelectionCriteria: &types.SourceSelectionCriteria{SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: "Enabled"}},
		Destination: &types.Destination{Bucket: str("arn:aws:s3:::replica"), StorageClass: "STANDARD_IA",
			EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: m.key}},
	}}}}
}

func (m *mirrored) replicate(t *testing.T) {
	t.Helper()
	if err := m.service.Replicate(ctx); err != nil {
		t.Fatal(err)
	}
}

func (m *mirrored) head(t *testing.T, bucket *string, key string) *s3.HeadObjectOutput {
	t.Helper()
	return must(m.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key}))(t)
}

func TestReplication(t *testing.T) {
	m := mirror(t, t.TempDir(), "Disabled")
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	put := must(m.PutObject(ctx, &s3.PutObjectInput{Bucket: m.from, Key: str("kept/k"), Body: bytes.NewReader([]byte("content")), ContentType: str("text/plain"), Metadata: map[string]string{"a": "b"},
		Tagging: str("class=dump"), ServerSideEncryption: "aws:kms", ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: &until}))(t)
	m.put(t, m.from, "other", "stays")
	if h := m.head(t, m.from, "kept/k"); h.ReplicationStatus != "PENDING" {
		t.Errorf("status %q before the copy", h.ReplicationStatus)
	}
	m.replicate(t)
	if h := m.head(t, m.from, "kept/k"); h.ReplicationStatus != "COMPLETED" {
		t.Errorf("status %q after the copy", h.ReplicationStatus)
	}
	h := m.head(t, m.to, "kept/k")
	if h.ReplicationStatus != "REPLICA" || *h.VersionId != *put.VersionId || h.StorageClass != "STANDARD_IA" || *h.SSEKMSKeyId != *m.key || *put.SSEKMSKeyId == *m.key ||
		*h.ContentType != "text/plain" || h.Metadata["a"] != "b" || h.ObjectLockMode != "GOVERNANCE" || !h.ObjectLockRetainUntilDate.Equal(until) {
		t.Errorf("replica: %+v", h)
	}
	if got := m.get(t, m.to, "kept/k"); got != "content" {
		t.Errorf("got %q", got)
	}
	_, err := m.HeadObject(ctx, &s3.HeadObjectInput{Bucket: m.to, Key: str("other")})
	wantCode(t, err, "NotFound")
	if h := m.head(t, m.from, "other"); h.ReplicationStatus != "" {
		t.Errorf("what no rule selects has the status %q", h.ReplicationStatus)
	}

	must(m.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: m.from, Key: str("kept/k"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: str("class"), Value: str("old")}}}}))(t)
	must(m.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: m.from, Key: str("kept/k"), LegalHold: &types.ObjectLockLegalHold{Status: "ON"}}))(t)
	m.replicate(t)
	tags := must(m.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: m.to, Key: str("kept/k")}))(t)
	if *tags.TagSet[0].Value != "old" || m.head(t, m.to, "kept/k").ObjectLockLegalHoldStatus != "ON" {
		t.Errorf("tags %v, hold %q", tags.TagSet, m.head(t, m.to, "kept/k").ObjectLockLegalHoldStatus)
	}
	list := must(m.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: m.to}))(t)
	if len(list.Versions) != 1 {
		t.Errorf("%d versions after changes of tags and locks", len(list.Versions))
	}
	if n := bodies(t, m.fixture); n != 3 {
		t.Errorf("%d bodies, want those of two objects and a replica", n)
	}
}

// Multipart objects stay in parts, so that their ETag and part reads are those of the source.
func TestReplicationOfParts(t *testing.T) {
	m := mirror(t, t.TempDir(), "Disabled")
	content := make([]byte, 5<<20+100)
	_, _ = rand.Read(content)
	key := str("kept/parts")
	u := must(m.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: m.from, Key: key}))(t)
	var done []types.CompletedPart
	for i, part := range [][]byte{content[:5<<20], content[5<<20:]} {
		out := must(m.UploadPart(ctx, &s3.UploadPartInput{Bucket: m.from, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(part)}))(t)
		done = append(done, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(int32(i + 1))})
	}
	whole := must(m.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: m.from, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}))(t)
	m.replicate(t)
	if got := m.get(t, m.to, *key); got != string(content) {
		t.Errorf("got %d other bytes", len(got))
	}
	part := must(m.HeadObject(ctx, &s3.HeadObjectInput{Bucket: m.to, Key: key, PartNumber: aws.Int32(2)}))(t)
	if *part.ETag != *whole.ETag || *part.ContentLength != 100 || *part.PartsCount != 2 {
		t.Errorf("got %+v", part)
	}
}

func TestReplicationOfDeleteMarkers(t *testing.T) {
	for markers, gone := range map[types.DeleteMarkerReplicationStatus]bool{"Enabled": true, "Disabled": false} {
		m := mirror(t, t.TempDir(), markers)
		m.put(t, m.from, "kept/k", "content")
		must(m.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: m.from, Key: str("kept/k")}))(t)
		m.replicate(t)
		_, err := m.HeadObject(ctx, &s3.HeadObjectInput{Bucket: m.to, Key: str("kept/k")})
		if (err != nil) != gone {
			t.Errorf("markers %s: %v", markers, err)
		}
	}
}

// A version that was written before a stop is copied after the next start.
func TestReplicationIsDurable(t *testing.T) {
	dir := t.TempDir()
	m := mirror(t, dir, "Disabled")
	m.put(t, m.from, "kept/k", "content")
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := serveJudged(t, dir)
	if err := again.service.Replicate(ctx); err != nil {
		t.Fatal(err)
	}
	if got := again.get(t, m.to, "kept/k"); got != "content" {
		t.Errorf("got %q", got)
	}
}

func TestReplicationFails(t *testing.T) {
	m := mirror(t, t.TempDir(), "Disabled")
	must(m.keys.DisableKey(ctx, &kmsapi.DisableKeyInput{KeyId: m.key}))(t)
	must(m.PutObject(ctx, &s3.PutObjectInput{Bucket: m.from, Key: str("kept/k"), Body: bytes.NewReader([]byte("x")), ServerSideEncryption: "aws:kms"}))(t)
	m.put(t, m.from, "kept/plain", "still copied")
	m.replicate(t)
	if h := m.head(t, m.from, "kept/k"); h.ReplicationStatus != "FAILED" {
		t.Errorf("status %q with a key that cannot be used", h.ReplicationStatus)
	}
	if got := m.get(t, m.to, "kept/plain"); got != "still copied" {
		t.Errorf("got %q", got)
	}
	if n := bodies(t, m.fixture); n != 3 {
		t.Errorf("%d bodies, want 3", n)
	}
}

// A role that lacks a permission makes no replica; without the permission for tags it makes one without tags.
func TestReplicationNeedsItsRole(t *testing.T) {
	outcome := []string{"FAILED", "FAILED", "FAILED", "COMPLETED 0", "FAILED", "COMPLETED 0", "COMPLETED 1", "FAILED", "FAILED"} // without the statement of that number
	m := mirror(t, t.TempDir(), "Disabled")
	own := must(m.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	try := func() string {
		t.Helper()
		must(m.PutObject(ctx, &s3.PutObjectInput{Bucket: m.from, Key: str("kept/k"), Body: strings.NewReader("x"), Tagging: str("a=b"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: own,
			ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour))}))(t)
		m.replicate(t)
		h := m.head(t, m.from, "kept/k")
		if h.ReplicationStatus != "COMPLETED" {
			return string(h.ReplicationStatus)
		}
		tags := must(m.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: m.to, Key: str("kept/k"), VersionId: h.VersionId}))(t).TagSet
		return fmt.Sprint("COMPLETED ", len(tags))
	}
	for i, want := range outcome {
		m.allow(t, "replication", strings.Join(slices.Delete(slices.Clone(mayReplicate), i, i+1), ","))
		if got := try(); got != want {
			t.Errorf("without %s: %s, want %s", mayReplicate[i], got, want)
		}
	}
	m.allow(t, "replication", strings.Join(mayReplicate, ","))
	if got := try(); got != "COMPLETED 1" {
		t.Errorf("with everything: %s", got)
	}
	must(m.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: m.to, Policy: str(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateObject","Resource":"arn:aws:s3:::replica/*"}]}`)}))(t)
	if got := try(); got != "FAILED" {
		t.Errorf("with a policy of the destination that denies it: %s", got)
	}
	must(m.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: m.to}))(t)
	must(m.iam.UpdateAssumeRolePolicy(ctx, &iamapi.UpdateAssumeRolePolicyInput{RoleName: str("replication"),
		PolicyDocument: str(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::another"}}}}`)}))(t)
	if got := try(); got != "FAILED" {
		t.Errorf("with a role for another bucket: %s", got)
	}
}

func TestReplicationConfiguration(t *testing.T) {
	m := mirror(t, t.TempDir(), "Disabled")
	got := must(m.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: m.from}))(t)
	if r := got.ReplicationConfiguration; *r.Role != replicator || len(r.Rules) != 1 || *r.Rules[0].Filter.Prefix != "kept/" || *r.Rules[0].Destination.EncryptionConfiguration.ReplicaKmsKeyID != *m.key {
		t.Errorf("got %+v", r)
	}
	_, err := m.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: m.from, VersioningConfiguration: &types.VersioningConfiguration{Status: "Suspended"}})
	wantCode(t, err, "InvalidBucketState")
	plain := m.bucket(t, "plain")
	for name, c := range map[string]struct {
		change func(*s3.PutBucketReplicationInput)
		code   string
	}{
		"source without versions": {func(in *s3.PutBucketReplicationInput) { in.Bucket = plain }, "InvalidRequest"},
		"no such destination":     {func(in *s3.PutBucketReplicationInput) { destination(in).Bucket = str("arn:aws:s3:::nowhere") }, "InvalidRequest"},
		"unversioned destination": {func(in *s3.PutBucketReplicationInput) { destination(in).Bucket = str("arn:aws:s3:::plain") }, "InvalidRequest"},
		"itself":                  {func(in *s3.PutBucketReplicationInput) { destination(in).Bucket = str("arn:aws:s3:::source") }, "InvalidRequest"},
		"another account":         {func(in *s3.PutBucketReplicationInput) { destination(in).Account = str("111111111111") }, "NotImplemented"},
		"KMS without a key":       {func(in *s3.PutBucketReplicationInput) { destination(in).EncryptionConfiguration = nil }, "InvalidRequest"},
		"no word on delete markers": {func(in *s3.PutBucketReplicationInput) {
			in.ReplicationConfiguration.Rules[0].DeleteMarkerReplication = nil
		}, "InvalidRequest"},
		"no role": {func(in *s3.PutBucketReplicationInput) { in.ReplicationConfiguration.Role = str("replication") }, "InvalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			in := m.rules("Disabled")
			c.change(in)
			_, err := m.PutBucketReplication(ctx, in)
			wantCode(t, err, c.code)
		})
	}
	must(m.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: m.from}))(t)
	_, err = m.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: m.from})
	wantCode(t, err, "ReplicationConfigurationNotFoundError")
}

func destination(in *s3.PutBucketReplicationInput) *types.Destination {
	return in.ReplicationConfiguration.Rules[0].Destination
}

// What the AWS provider does to destroy a bucket with its content: governance and legal holds give way, compliance does not.
func TestLockedVersionsAndForceDestroy(t *testing.T) {
	f := serve(t)
	b := str("locked")
	must(f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, ObjectLockEnabledForBucket: aws.Bool(true)}))(t)
	lock := func(mode types.ObjectLockRetentionMode) {
		must(f.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: b, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: "Enabled",
			Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: mode, Days: aws.Int32(7)}}}}))(t)
	}
	remove := func(key string, id *string, bypass bool) *types.Error {
		out := must(f.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, BypassGovernanceRetention: &bypass,
			Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: &key, VersionId: id}}}}))(t)
		if len(out.Errors) == 1 {
			return &out.Errors[0]
		}
		return nil
	}
	const protected = "Access Denied because object protected by object lock."
	lock("GOVERNANCE")
	governed := f.put(t, b, "governed", "x").VersionId
	if e := remove("governed", governed, false); e == nil || *e.Code != "AccessDenied" || *e.Message != protected {
		t.Errorf("a governed version: %+v", e)
	}
	if e := remove("governed", governed, true); e != nil {
		t.Errorf("a bypass of governance: %+v", *e.Message)
	}
	lock("COMPLIANCE")
	compliant := f.put(t, b, "compliant", "x").VersionId
	if e := remove("compliant", compliant, true); e == nil || *e.Message != protected {
		t.Errorf("a version under compliance: %+v", e)
	}
	_, err := f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	f.now = f.now.AddDate(0, 0, 8)
	if e := remove("compliant", compliant, true); e != nil {
		t.Errorf("a version whose retention has ended: %+v", *e.Message)
	}
	must(f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b}))(t)
}
