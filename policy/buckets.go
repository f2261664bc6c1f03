package policy

import (
	"slices"

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

// settings returns a bucket's settings of a kind.
func (s *Stack) settings(bucket *Resource, types []string) (found []*Resource) {
	for _, t := range types {
		found = append(found, s.about(bucket, t, "bucket")...)
	}
	return found
}

func blocksAll(r *Resource) bool {
	return r.on("blockPublicAcls") && r.on("blockPublicPolicy") && r.on("ignorePublicAcls") && r.on("restrictPublicBuckets")
}

func (s *Stack) blocksPublic(bucket *Resource) bool {
	return slices.ContainsFunc(s.settings(bucket, bucketBlock), blocksAll)
}

func (s *Stack) logged(bucket *Resource) bool { return len(s.settings(bucket, bucketLogging)) > 0 }

func bucketsPrivate(s *Stack, f *findings) {
	for _, b := range s.all(bucketTypes...) {
		f.want(b, s.blocksPublic(b), "may be made public: block public access in all four ways")
	}
	if f.applies {
		f.inAccount(slices.ContainsFunc(s.all(accountS3), blocksAll), "does not block public access to all of its buckets: turn S3's block on for the account")
	}
}

func bucketsTLS(s *Stack, f *findings) {
	for _, b := range s.all(bucketTypes...) {
		secure := slices.ContainsFunc(s.settings(b, bucketPolicy), func(p *Resource) bool {
			d, err := p.document("policy")
			return err == nil && slices.ContainsFunc(d, func(s statement) bool { return s.tlsOnly("s3") })
		})
		f.want(b, secure, "is not known to refuse plain HTTP: deny s3:* when aws:SecureTransport is false")
		owned := slices.ContainsFunc(s.settings(b, bucketOwnership), func(o *Resource) bool { return o.text("rule.objectOwnership") == "BucketOwnerEnforced" })
		f.want(b, owned && len(s.settings(b, bucketACL)) == 0, "has access control lists: set the ownership to BucketOwnerEnforced")
	}
}

func bucketsKept(s *Stack, f *findings) {
	for _, b := range s.all(bucketTypes...) {
		ciphered := slices.ContainsFunc(s.settings(b, bucketCipher), func(c *Resource) bool {
			return slices.ContainsFunc(c.list("rules"), func(v property.Value) bool {
				return text(at(v, "applyServerSideEncryptionByDefault.sseAlgorithm")) == "aws:kms" && !at(v, "applyServerSideEncryptionByDefault.kmsMasterKeyId").IsNull()
			})
		})
		f.want(b, ciphered, "is not encrypted with a key of the account's own: set aws:kms and a key")
		versioned := slices.ContainsFunc(s.settings(b, bucketVersions), func(v *Resource) bool { return v.text("versioningConfiguration.status") == "Enabled" })
		f.want(b, versioned, "forgets what is overwritten: turn versions on")
		f.want(b, len(s.settings(b, bucketLifecycle)) > 0, "keeps everything for ever: add a lifecycle")
		f.want(b, s.logged(b), "keeps no record of who reads it: log access to it")
		f.want(b, len(s.settings(b, bucketEvents)) > 0, "tells nobody of what happens in it: add a notification, to EventBridge at least")
	}
}
