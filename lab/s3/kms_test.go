package s3_test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	kmsapi "storefront/lab/api/kms"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/s3"
)

func TestKMSEncryption(t *testing.T) {
	var keys *kms.Service
	f := serve(t, func(o *lab.Options) {
		keys = kms.New(o.Store, region.Default(), time.Now)
		o.Keys = lab.KMS(keys)
	})
	key := must(keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata
	b := f.bucket(t, "sealed")
	must(f.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: key.KeyId}, BucketKeyEnabled: aws.Bool(true)}}}}))(t)
	content := make([]byte, 200_000)
	_, _ = rand.Read(content)
	copy(content, "a plain beginning")
	put := f.put(t, b, "k", string(content))
	if put.ServerSideEncryption != "aws:kms" || *put.SSEKMSKeyId != *key.Arn || !*put.BucketKeyEnabled {
		t.Errorf("got %+v", put)
	}
	if got := f.get(t, b, "k"); got != string(content) {
		t.Errorf("got %d other bytes", len(got))
	}
	for _, r := range [][2]int{{0, 0}, {65535, 65536}, {65536, 131072}, {100, 199_999}, {199_999, 199_999}} {
		out := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), Range: str("bytes=" + itoa(r[0]) + "-" + itoa(r[1]))}))(t)
		if got := read(t, out.Body); got != string(content[r[0]:r[1]+1]) {
			t.Errorf("range %v: got %d bytes", r, len(got))
		}
	}
	noPlainBodies(t, f, "a plain beginning")
	must(f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: f.bucket(t, "open"), Key: str("copy"), CopySource: str("sealed/k")}))(t)
	if head := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: str("open"), Key: str("copy")}))(t); head.ServerSideEncryption != "AES256" {
		t.Errorf("got %+v", head)
	}
	must(keys.DisableKey(ctx, &kmsapi.DisableKeyInput{KeyId: key.KeyId}))(t)
	_, err := f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k")})
	wantCode(t, err, "KMS.DisabledException")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("l"), Body: strings.NewReader("x")})
	wantCode(t, err, "KMS.DisabledException")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("l"), Body: strings.NewReader("x"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: str("00000000-0000-0000-0000-000000000000")})
	wantCode(t, err, "KMS.NotFoundException")
}

// noPlainBodies looks for a text in the files of the lab.
func noPlainBodies(t *testing.T, f *fixture, text string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(f.dir, "s3"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			t.Errorf("%s holds plain content", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
