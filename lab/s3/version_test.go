package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (f *fixture) versioning(t *testing.T, b *string, status types.BucketVersioningStatus) {
	t.Helper()
	must(f.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: status}}))(t)
}

func TestVersions(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "versioned")
	f.put(t, b, "k", "before")
	f.versioning(t, b, "Enabled")
	one, two := f.put(t, b, "k", "one").VersionId, f.put(t, b, "k", "two").VersionId
	if aws.ToString(one) == "" || *one == *two {
		t.Fatalf("got versions %v, %v", one, two)
	}
	if got := f.get(t, b, "k"); got != "two" {
		t.Errorf("got %q, want the newest", got)
	}
	for id, want := range map[string]string{*one: "one", *two: "two", "null": "before"} {
		out := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), VersionId: &id}))(t)
		if got := read(t, out.Body); got != want {
			t.Errorf("version %s: got %q, want %q", id, got, want)
		}
	}
	_, err := f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), VersionId: str("none")})
	wantCode(t, err, "NoSuchVersion")

	marker := must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k")}))(t)
	if !aws.ToBool(marker.DeleteMarker) || marker.VersionId == nil {
		t.Fatalf("got %+v, want a delete marker", marker)
	}
	_, err = f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k")})
	wantCode(t, err, "NoSuchKey")
	_, err = f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), VersionId: marker.VersionId})
	wantCode(t, err, "MethodNotAllowed")
	if list := must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b}))(t); len(list.Contents) != 0 {
		t.Errorf("a deleted object is listed: %+v", list.Contents)
	}
	list := must(f.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b}))(t)
	if len(list.Versions) != 3 || len(list.DeleteMarkers) != 1 || !*list.DeleteMarkers[0].IsLatest || *list.Versions[0].VersionId != *two || *list.Versions[0].IsLatest || *list.Versions[2].VersionId != "null" {
		t.Errorf("got %+v", list)
	}
	_, err = f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	undeleted := must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k"), VersionId: marker.VersionId}))(t)
	if !aws.ToBool(undeleted.DeleteMarker) || f.get(t, b, "k") != "two" {
		t.Errorf("got %+v", undeleted)
	}
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k"), VersionId: two}))(t)
	if got := f.get(t, b, "k"); got != "one" {
		t.Errorf("got %q after the newest version was deleted", got)
	}
}

func TestSuspendedVersioning(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "suspended")
	f.versioning(t, b, "Enabled")
	kept := f.put(t, b, "k", "kept")
	f.versioning(t, b, "Suspended")
	if out := f.put(t, b, "k", "null 1"); aws.ToString(out.VersionId) != "null" {
		t.Errorf("got version %v, want null", aws.ToString(out.VersionId))
	}
	f.put(t, b, "k", "null 2")
	if list := must(f.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b}))(t); len(list.Versions) != 2 {
		t.Errorf("got %d versions, want the null one replaced", len(list.Versions))
	}
	marker := must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k")}))(t)
	if aws.ToString(marker.VersionId) != "null" || !aws.ToBool(marker.DeleteMarker) {
		t.Errorf("got %+v", marker)
	}
	list := must(f.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b}))(t)
	if len(list.Versions) != 1 || *list.Versions[0].VersionId != *kept.VersionId || len(list.DeleteMarkers) != 1 {
		t.Errorf("got %+v", list)
	}
}

func TestVersionPages(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "paged")
	f.versioning(t, b, "Enabled")
	want := 0
	for _, key := range []string{"a", "b/1", "b/2", "c"} {
		for range 3 {
			f.put(t, b, key, key)
			want++
		}
	}
	seen := map[string]bool{}
	in := &s3.ListObjectVersionsInput{Bucket: b, MaxKeys: aws.Int32(2)}
	for pages := 0; ; pages++ {
		out := must(f.ListObjectVersions(ctx, in))(t)
		for _, v := range out.Versions {
			seen[*v.Key+*v.VersionId] = true
		}
		if !*out.IsTruncated {
			break
		}
		if pages > want {
			t.Fatal("the pages do not end")
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	if len(seen) != want {
		t.Errorf("got %d versions over all pages, want %d", len(seen), want)
	}
	rolled := must(f.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b, Delimiter: str("/")}))(t)
	if len(rolled.Versions) != 6 || len(rolled.CommonPrefixes) != 1 || *rolled.CommonPrefixes[0].Prefix != "b/" {
		t.Errorf("got %+v", rolled)
	}
}

func TestDeleteObjects(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "many")
	f.put(t, b, "a", "")
	f.put(t, b, "b", "")
	out := must(f.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: str("a")}, {Key: str("b")}, {Key: str("absent")}}}}))(t)
	if len(out.Deleted) != 3 || len(out.Errors) != 0 {
		t.Errorf("got %+v", out)
	}
	if list := must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b}))(t); *list.KeyCount != 0 {
		t.Errorf("got %d keys", *list.KeyCount)
	}
}

func TestObjectLock(t *testing.T) {
	f := serve(t)
	b := str("locked")
	must(f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, ObjectLockEnabledForBucket: aws.Bool(true)}))(t)
	put := f.put(t, b, "k", "v")
	until := f.now.AddDate(0, 0, 1)
	must(f.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: b, Key: str("k"), Retention: &types.ObjectLockRetention{Mode: "GOVERNANCE", RetainUntilDate: &until}}))(t)
	_, err := f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k"), VersionId: put.VersionId})
	wantCode(t, err, "AccessDenied")
	must(f.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: b, Key: str("k"), LegalHold: &types.ObjectLockLegalHold{Status: "ON"}}))(t)
	_, err = f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k"), VersionId: put.VersionId, BypassGovernanceRetention: aws.Bool(true)})
	wantCode(t, err, "AccessDenied")
	must(f.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: b, Key: str("k"), LegalHold: &types.ObjectLockLegalHold{Status: "OFF"}}))(t)
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k"), VersionId: put.VersionId, BypassGovernanceRetention: aws.Bool(true)}))(t)
}
