package s3_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	kmsapi "storefront/lab/api/kms"
)

// inventoried is a versioned bucket "source", of which inventories are delivered to the bucket "reports".
type inventoried struct {
	*fixture
	*judged
}

// monday is when the tests begin.
var monday = time.Date(2026, 11, 16, 10, 30, 0, 0, time.UTC)

// mayDeliver is the policy of "Granting permissions for S3 Inventory and S3 analytics".
const mayDeliver = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::reports/inventory/*",
	"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::source"},"StringEquals":{"aws:SourceAccount":"000000000000","s3:x-amz-acl":"bucket-owner-full-control"}}}]}`

func inventory(t *testing.T) *inventoried {
	t.Helper()
	f, j := serveJudged(t, t.TempDir())
	f.now = monday
	must(f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("source"), ObjectLockEnabledForBucket: aws.Bool(true)}))(t)
	f.bucket(t, "reports")
	return &inventoried{f, j}
}

func (i *inventoried) ask(t *testing.T, id string, edit func(*types.InventoryConfiguration)) error {
	t.Helper()
	c := &types.InventoryConfiguration{Id: &id, IsEnabled: aws.Bool(true), IncludedObjectVersions: "All", Schedule: &types.InventorySchedule{Frequency: "Daily"},
		Destination: &types.InventoryDestination{S3BucketDestination: &types.InventoryS3BucketDestination{Bucket: str("arn:aws:s3:::reports"), Format: "CSV", Prefix: str("inventory"), AccountId: str("000000000000")}}}
	if edit != nil {
		edit(c)
	}
	_, err := i.PutBucketInventoryConfiguration(ctx, &s3.PutBucketInventoryConfigurationInput{Bucket: str("source"), Id: &id, InventoryConfiguration: c})
	return err
}

// take delivers what is due, and returns the keys of all manifests that are there.
func (i *inventoried) take(t *testing.T) (manifests []string) {
	t.Helper()
	if err := i.service.TakeInventories(ctx); err != nil {
		t.Fatal(err)
	}
	for _, o := range must(i.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("reports")}))(t).Contents {
		if strings.HasSuffix(*o.Key, "/manifest.json") {
			manifests = append(manifests, *o.Key)
		}
	}
	return manifests
}

type inventoryManifest struct {
	SourceBucket, DestinationBucket, Version, CreationTimestamp, FileFormat, FileSchema string
	Files                                                                               []struct {
		Key         string
		Size        int
		MD5checksum string
	}
}

// read reads a report by its manifest, and checks what describes it.
func (i *inventoried) read(t *testing.T, key string) (m inventoryManifest, rows [][]string) {
	t.Helper()
	text := i.get(t, str("reports"), key)
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	if sum := i.get(t, str("reports"), strings.TrimSuffix(key, "json")+"checksum"); sum != fmt.Sprintf("%x", md5.Sum([]byte(text))) {
		t.Errorf("checksum of the manifest: %s", sum)
	}
	if len(m.Files) != 1 {
		t.Fatalf("files: %+v", m.Files)
	}
	list := i.get(t, str("reports"), m.Files[0].Key)
	if len(list) != m.Files[0].Size || fmt.Sprintf("%x", md5.Sum([]byte(list))) != m.Files[0].MD5checksum {
		t.Errorf("the list has %d bytes, the manifest says %+v", len(list), m.Files[0])
	}
	plain := must(io.ReadAll(must(gzip.NewReader(strings.NewReader(list)))(t)))(t)
	return m, must(csv.NewReader(bytes.NewReader(plain)).ReadAll())(t)
}

func TestInventory(t *testing.T) {
	i := inventory(t)
	must(i.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("reports"), Policy: str(mayDeliver)}))(t)
	key := must(i.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	old := i.put(t, str("source"), "a b/ü", "old")
	now := i.put(t, str("source"), "a b/ü", "newer")
	sealed := must(i.PutObject(ctx, &s3.PutObjectInput{Bucket: str("source"), Key: str("sealed"), Body: strings.NewReader("x"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: key, BucketKeyEnabled: aws.Bool(true),
		StorageClass: "STANDARD_IA", ChecksumAlgorithm: "SHA256", ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: aws.Time(monday.AddDate(1, 0, 0)), ObjectLockLegalHoldStatus: "ON"}))(t)
	i.put(t, str("source"), "x,\"gone\"", "x")
	gone := must(i.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: str("source"), Key: str("x,\"gone\"")}))(t)
	fields := []types.InventoryOptionalField{"Size", "ObjectLockMode", "LastModifiedDate", "StorageClass", "ETag", "IsMultipartUploaded", "ReplicationStatus", "EncryptionStatus", "ObjectLockRetainUntilDate",
		"ObjectLockLegalHoldStatus", "IntelligentTieringAccessTier", "BucketKeyStatus", "ChecksumAlgorithm", "ObjectOwner"}
	if err := i.ask(t, "all", func(c *types.InventoryConfiguration) { c.OptionalFields = fields }); err != nil {
		t.Fatal(err)
	}
	if err := i.ask(t, "current", func(c *types.InventoryConfiguration) {
		c.IncludedObjectVersions, c.Schedule.Frequency, c.OptionalFields = "Current", "Weekly", []types.InventoryOptionalField{"Size"}
		c.Filter = &types.InventoryFilter{Prefix: str("a ")}
	}); err != nil {
		t.Fatal(err)
	}
	manifests := i.take(t)
	if diff := cmp.Diff([]string{"inventory/source/all/2026-11-16T10-30Z/manifest.json", "inventory/source/current/2026-11-16T10-30Z/manifest.json"}, manifests); diff != "" {
		t.Fatalf("manifests (-want +got):\n%s", diff)
	}
	m, rows := i.read(t, manifests[0])
	if m.SourceBucket != "source" || m.DestinationBucket != "arn:aws:s3:::reports" || m.Version != "2016-11-30" || m.CreationTimestamp != fmt.Sprint(monday.UnixMilli()) || m.FileFormat != "CSV" ||
		m.FileSchema != "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus, EncryptionStatus, ObjectLockRetainUntilDate, "+
			"ObjectLockMode, ObjectLockLegalHoldStatus, IntelligentTieringAccessTier, BucketKeyStatus, ChecksumAlgorithm, ObjectOwner" {
		t.Errorf("manifest: %+v", m)
	}
	const owner, at = "0000000000000000000000000000000000000000000000000000000000000000", "2026-11-16T10:30:00.000Z"
	etag := func(quoted *string) string { return strings.Trim(*quoted, `"`) }
	want := [][]string{
		{"source", "a+b/%C3%BC", *now.VersionId, "true", "false", "5", at, etag(now.ETag), "STANDARD", "false", "", "SSE-S3", "", "", "OFF", "", "DISABLED", "CRC32", owner},
		{"source", "a+b/%C3%BC", *old.VersionId, "false", "false", "3", at, etag(old.ETag), "STANDARD", "false", "", "SSE-S3", "", "", "OFF", "", "DISABLED", "CRC32", owner},
		{"source", "sealed", *sealed.VersionId, "true", "false", "1", at, etag(sealed.ETag), "STANDARD_IA", "false", "", "SSE-KMS", "2027-11-16T10:30:00.000Z", "GOVERNANCE", "ON", "", "ENABLED", "SHA256", owner},
		{"source", "x%2C%22gone%22", *gone.VersionId, "true", "true", "", at, "", "", "", "", "", "", "", "", "", "", "", ""},
	}
	if len(rows) != 5 {
		t.Fatalf("%d rows", len(rows))
	}
	if diff := cmp.Diff(want, rows[:4]); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	_, rows = i.read(t, manifests[1])
	if diff := cmp.Diff([][]string{{"source", "a+b/%C3%BC", "5"}}, rows); diff != "" {
		t.Errorf("rows of current objects (-want +got):\n%s", diff)
	}
	if link := i.get(t, str("reports"), "inventory/source/all/hive/dt=2026-11-16-10-30/symlink.txt"); link != "s3://reports/"+m.Files[0].Key {
		t.Errorf("symlink: %s", link)
	}
}

// Daily reports come every midnight and weekly ones on Sundays, once each.
func TestInventorySchedule(t *testing.T) {
	i := inventory(t)
	must(i.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("reports"), Policy: str(mayDeliver)}))(t)
	for id, frequency := range map[string]types.InventoryFrequency{"d": "Daily", "w": "Weekly"} {
		if err := i.ask(t, id, func(c *types.InventoryConfiguration) { c.Schedule.Frequency = frequency }); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.ask(t, "off", func(c *types.InventoryConfiguration) { c.IsEnabled = aws.Bool(false) }); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at   time.Time
		want int // reports that there are
	}{
		{monday, 2}, {monday.Add(time.Hour), 2}, {monday.Add(13*time.Hour + 29*time.Minute), 2}, {monday.Add(13*time.Hour + 30*time.Minute), 3}, {monday.AddDate(0, 0, 5), 4},
		{time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 6}, {time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), 6}, {time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), 8},
	} {
		i.now = step.at
		if got := i.take(t); len(got) != step.want {
			t.Errorf("%v: reports %v, want %d", step.at, got, step.want)
		}
	}
}

func TestInventoryNeedsPermission(t *testing.T) {
	i := inventory(t)
	key := must(i.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	under := func(c *types.InventoryConfiguration) {
		c.Destination.S3BucketDestination.Encryption = &types.InventoryEncryption{SSEKMS: &types.SSEKMS{KeyId: key}}
	}
	for name, policy := range map[string]string{
		"no policy": "", "another source": strings.Replace(mayDeliver, "s3:::source", "s3:::other", 1), "another account": strings.Replace(mayDeliver, `"000000000000"`, `"111111111111"`, 1),
		"another prefix": strings.Replace(mayDeliver, "/inventory/", "/elsewhere/", 1), "denied": strings.Replace(mayDeliver, `[{`, `[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::reports/*"},{`, 1),
		"the key's policy": mayDeliver,
	} {
		if policy != "" {
			must(i.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("reports"), Policy: &policy}))(t)
		}
		if err := i.ask(t, "report", under); err != nil {
			t.Fatal(err)
		}
		if got := i.take(t); got != nil {
			t.Errorf("%s: delivered %v", name, got)
		}
	}
	must(i.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("reports"), Policy: str(mayDeliver)}))(t)
	must(i.keys.PutKeyPolicy(ctx, &kmsapi.PutKeyPolicyInput{KeyId: key, Policy: str(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnLike":{"aws:SourceARN":"arn:aws:s3:::source"}}}]}`)}))(t)
	if err := i.ask(t, "report", under); err != nil {
		t.Fatal(err)
	}
	got := i.take(t)
	if len(got) != 1 {
		t.Fatalf("delivered %v", got)
	}
	if h := must(i.HeadObject(ctx, &s3.HeadObjectInput{Bucket: str("reports"), Key: &got[0]}))(t); h.SSEKMSKeyId == nil || *h.SSEKMSKeyId != *key {
		t.Errorf("encrypted under %v", h.SSEKMSKeyId)
	}
}

func TestInventoryRefusals(t *testing.T) {
	i := inventory(t)
	for name, edit := range map[string]func(*types.InventoryConfiguration){
		"orc":     func(c *types.InventoryConfiguration) { c.Destination.S3BucketDestination.Format = "ORC" },
		"parquet": func(c *types.InventoryConfiguration) { c.Destination.S3BucketDestination.Format = "Parquet" },
		"account": func(c *types.InventoryConfiguration) {
			c.Destination.S3BucketDestination.AccountId = str("111111111111")
		},
		"acl": func(c *types.InventoryConfiguration) {
			c.OptionalFields = []types.InventoryOptionalField{"ObjectAccessControlList"}
		},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, i.ask(t, "report", edit), "NotImplemented") })
	}
	wantCode(t, i.ask(t, "report", func(c *types.InventoryConfiguration) { c.Destination.S3BucketDestination.Bucket = str("reports") }), "InvalidArgument")
}
