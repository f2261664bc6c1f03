package policy

import (
	"slices"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// A bucket's settings are resources of their own; the provider has two generations of each token.
var (
	bucketTypes     = []string{"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"}
	bucketBlock     = []string{"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"}
	bucketPolicy    = []string{"aws:s3/bucketPolicy:BucketPolicy"}
	bucketOwnership = []string{"aws:s3/bucketOwnershipControls:BucketOwnershipControls"}
	bucketACL       = []string{"aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucketAcl:BucketAcl"}
	bucketCipher    = []string{
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		"aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
	}
	bucketVersions  = []string{"aws:s3/bucketVersioningV2:BucketVersioningV2", "aws:s3/bucketVersioning:BucketVersioning"}
	bucketLifecycle = []string{
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
	}
	bucketLogging = []string{"aws:s3/bucketLoggingV2:BucketLoggingV2", "aws:s3/bucketLogging:BucketLogging"}
	bucketEvents  = []string{"aws:s3/bucketNotification:BucketNotification"}
)

// settingsOf returns a bucket's settings of a kind.
func settingsOf(s *inventory.Stack, bucket *inventory.Resource, types []string) (found []*inventory.Resource) {
	for _, t := range types {
		found = append(found, s.About(bucket, t, "bucket")...)
	}
	return found
}

func blocksAll(r *inventory.Resource) bool {
	return r.On("blockPublicAcls") && r.On("blockPublicPolicy") && r.On("ignorePublicAcls") && r.On("restrictPublicBuckets")
}

func blocksPublic(s *inventory.Stack, bucket *inventory.Resource) bool {
	return slices.ContainsFunc(settingsOf(s, bucket, bucketBlock), blocksAll)
}

func logged(s *inventory.Stack, bucket *inventory.Resource) bool {
	return len(settingsOf(s, bucket, bucketLogging)) > 0
}

func bucketsPrivate(s *inventory.Stack, f *findings) {
	for _, b := range s.All(bucketTypes...) {
		f.want(b, blocksPublic(s, b), "may be made public: block public access in all four ways")
	}
	if f.applies {
		f.inAccount(slices.ContainsFunc(s.All(accountS3), blocksAll), "does not block public access to all of its buckets: turn S3's block on for the account")
	}
}

func bucketsTLS(s *inventory.Stack, f *findings) {
	for _, b := range s.All(bucketTypes...) {
		secure := slices.ContainsFunc(settingsOf(s, b, bucketPolicy), func(p *inventory.Resource) bool {
			d, err := documentOf(p, "policy")
			return err == nil && slices.ContainsFunc(d, func(s statement) bool { return s.tlsOnly("s3") })
		})
		f.want(b, secure, "is not known to refuse plain HTTP: deny s3:* when aws:SecureTransport is false")
		owned := slices.ContainsFunc(settingsOf(s, b, bucketOwnership), func(o *inventory.Resource) bool { return o.Text("rule.objectOwnership") == "BucketOwnerEnforced" })
		f.want(b, owned && len(settingsOf(s, b, bucketACL)) == 0, "has access control lists: set the ownership to BucketOwnerEnforced")
	}
}

func bucketsKept(s *inventory.Stack, f *findings) {
	for _, b := range s.All(bucketTypes...) {
		ciphered := slices.ContainsFunc(settingsOf(s, b, bucketCipher), func(c *inventory.Resource) bool {
			return slices.ContainsFunc(c.List("rules"), func(v property.Value) bool {
				return inventory.Text(inventory.At(v, "applyServerSideEncryptionByDefault.sseAlgorithm")) == "aws:kms" && !inventory.At(v, "applyServerSideEncryptionByDefault.kmsMasterKeyId").IsNull()
			})
		})
		f.want(b, ciphered, "is not encrypted with a key of the account's own: set aws:kms and a key")
		versioned := slices.ContainsFunc(settingsOf(s, b, bucketVersions), func(v *inventory.Resource) bool { return v.Text("versioningConfiguration.status") == "Enabled" })
		f.want(b, versioned, "forgets what is overwritten: turn versions on")
		f.want(b, len(settingsOf(s, b, bucketLifecycle)) > 0, "keeps everything for ever: add a lifecycle")
		f.want(b, logged(s, b), "keeps no record of who reads it: log access to it")
		f.want(b, len(settingsOf(s, b, bucketEvents)) > 0, "tells nobody of what happens in it: add a notification, to EventBridge at least")
	}
}
