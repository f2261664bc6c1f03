package artifact_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/artifact"
	"storefront/components/internal/componenttest"
)

const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		s, err := artifact.NewStore(ctx, "shop", &artifact.Args{Files: map[string]string{"shopd": path}}, pulumi.Provider(p))
		if err != nil {
			return err
		}
		pulumi.All(s.Files["shopd"].URL, s.GrantRead("shopd", "ca.pem")).ApplyT(func(v []any) error {
			if want := "s3://shop-0a1b2c3/shopd-" + sum; v[0] != want {
				t.Errorf("URL %v, want %s", v[0], want)
			}
			const read = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",` +
				`"Resource":["arn:aws:s3:::shop-0a1b2c3/shopd-*","arn:aws:s3:::shop-0a1b2c3/ca.pem-*"]}]}`
			if v[1] != read {
				t.Errorf("grant:\ngot  %v\nwant %s", v[1], read)
			}
			return nil
		})
		return nil
	})
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		"aws:s3/bucketV2:BucketV2": 1, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1, "aws:s3/bucketPolicy:BucketPolicy": 1,
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1, "aws:s3/bucketVersioningV2:BucketVersioningV2": 1,
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 1,
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       1,
		"aws:s3/bucketObjectv2:BucketObjectv2":                                                       1,
	}
	r.CheckCounts(t, want)
	object := r.One(t, "aws:s3/bucketObjectv2:BucketObjectv2", "shop-shopd")
	if object.Input("key") != "shopd-"+sum || object.Input("sourceHash") != sum || !object.Options.RetainOnDelete {
		t.Errorf("object: %v, %+v", object.Inputs, object.Options)
	}
	bucket := r.One(t, "aws:s3/bucketV2:BucketV2", "shop")
	if bucket.Input("forceDestroy") != false || bucket.Input("bucket") != nil {
		t.Errorf("bucket: %v", bucket.Inputs)
	}
	access := r.One(t, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "shop")
	for _, key := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		if access.Input(key) != true {
			t.Errorf("%s is %v", key, access.Input(key))
		}
	}
	const tls = `{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*",` +
		`"Resource":["arn:aws:s3:::shop-0a1b2c3","arn:aws:s3:::shop-0a1b2c3/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	if got := r.One(t, "aws:s3/bucketPolicy:BucketPolicy", "shop").Input("policy"); got != tls {
		t.Errorf("bucket policy:\ngot  %v\nwant %s", got, tls)
	}
}

func TestMissingFile(t *testing.T) {
	r, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := artifact.NewStore(ctx, "shop", &artifact.Args{Files: map[string]string{"shopd": filepath.Join(t.TempDir(), "none")}}, pulumi.Provider(p))
		if !errors.Is(err, artifact.ErrFile) || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want ErrFile and os.ErrNotExist", err)
		}
		return err
	})
	if err == nil || len(r.Counts()) != 0 {
		t.Errorf("error %v, resources %v", err, r.Counts())
	}
}
