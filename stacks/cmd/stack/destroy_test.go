package main

import (
	"slices"
	"testing"
)

// Events are those of the engine after a destroy that S3 refused.
func TestLockedBuckets(t *testing.T) {
	const head, tail = `{"sequence":1,"diagnosticEvent":{"urn":"urn:pulumi:lab::storefront::aws:s3/bucketV2:BucketV2::b","message":"deleting: 1 error occurred:\\n\\t* emptying S3 Bucket (`, `","severity":"error"}}` + "\n"
	const locked = `): deleting S3 bucket object versions: api error AccessDenied: Access Denied because object protected by object lock.`
	for events, want := range map[string][]string{
		head + "dumps-2" + locked + tail + head + "dumps-1" + locked + tail + head + "dumps-2" + locked + tail: {"dumps-1", "dumps-2"},
		head + "dumps): api error AccessDenied: Access Denied" + tail + head + "x" + tail:                      nil,
		"": nil,
	} {
		if got := lockedBuckets([]byte(events)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", events, got, want)
		}
	}
}
