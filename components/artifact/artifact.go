// Package artifact keeps the files that servers fetch at boot in a private, versioned bucket, each under a key that contains
// its SHA-256: another content is another key, so whoever names the key names the content.
//
// Files that were replaced stay: a rollback must still find them, and servers of the old version may start at any time. A
// destroy deletes them when the bucket may be deleted with its content. Not a deployment pipeline: retention is the bucket's.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/bucket"
	"storefront/components/internal/policy"
)

// Type is the component's type token.
const Type = "storefront:artifact:Store"

// ErrFile says that a file cannot be read; the text tells which.
var ErrFile = errors.New("artifact file")

// Args describe a store.
type Args struct {
	Files        map[string]string // local paths by a stable name, which begins the object's key
	ForceDestroy bool              // let a destroy delete the bucket with the files in it
}

// Store is a bucket of files.
type Store struct {
	pulumi.ResourceState

	Bucket pulumi.StringOutput `pulumi:"bucket"`
	Files  map[string]File

	bucket *s3.BucketV2
}

// File is a stored file.
type File struct {
	Key    string // the object's key
	SHA256 string // of the content, in hexadecimal digits
	// URL is s3://bucket/key, known once the file is there.
	URL pulumi.StringOutput
}

// NewStore makes a store and puts the files into it. The error of a file that cannot be read is ErrFile.
func NewStore(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Store, error) {
	sums := map[string]string{}
	for file, path := range args.Files {
		sum, err := sum(path)
		if err != nil {
			return nil, err
		}
		sums[file] = sum
	}
	s := &Store{Files: map[string]File{}}
	if err := ctx.RegisterComponentResource(Type, name, s, opts...); err != nil {
		return nil, err
	}
	b, err := bucket.New(ctx, name, bucket.Args{Versioned: true, NoncurrentDays: 30, ForceDestroy: args.ForceDestroy}, pulumi.Parent(s))
	if err != nil {
		return nil, err
	}
	s.bucket, s.Bucket = b.Bucket, b.Bucket.Bucket
	for file, path := range args.Files {
		key := file + "-" + sums[file]
		object, err := s3.NewBucketObjectv2(ctx, name+"-"+file, &s3.BucketObjectv2Args{
			Bucket:      b.Bucket.Bucket,
			Key:         pulumi.String(key),
			Source:      pulumi.NewFileAsset(path),
			SourceHash:  pulumi.String(sums[file]),
			ContentType: pulumi.String("application/octet-stream"),
		}, pulumi.Parent(s), pulumi.RetainOnDelete(true), pulumi.DependsOn([]pulumi.Resource{b.Policy}))
		if err != nil {
			return nil, fmt.Errorf("storing %s: %w", file, err)
		}
		s.Files[file] = File{Key: key, SHA256: sums[file], URL: pulumi.Sprintf("s3://%s/%s", object.Bucket, object.Key)}
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"bucket": s.Bucket})
}

// GrantRead returns the policy document that lets a role read the files of this store that begin with one of the names given.
func (s *Store) GrantRead(names ...string) pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document {
		var objects policy.Strings
		for _, name := range names {
			objects = append(objects, v[0]+"/"+name+"-*")
		}
		return policy.Document{{Action: policy.Strings{"s3:GetObject"}, Resource: objects}}
	}, s.bucket.Arn)
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%w: %w", ErrFile, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
