package s3_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// names lists keys and then common prefixes, in the order of the answer.
func names(contents []types.Object, prefixes []types.CommonPrefix) string {
	var all []string
	for _, o := range contents {
		all = append(all, *o.Key)
	}
	for _, p := range prefixes {
		all = append(all, *p.Prefix)
	}
	return strings.Join(all, " ")
}

func TestListings(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "listing")
	keys := []string{"a", "a/1", "a/2", "b/x/1", "b/y", "c d", "é"}
	for _, key := range keys {
		f.put(t, b, key, key)
	}
	for _, c := range []struct{ prefix, delimiter, after, want string }{
		{"", "", "", "a a/1 a/2 b/x/1 b/y c d é"},
		{"", "/", "", "a c d é a/ b/"},
		{"a/", "", "", "a/1 a/2"},
		{"a/", "/", "", "a/1 a/2"},
		{"b/", "/", "", "b/y b/x/"},
		{"", "/", "a/1", "c d é a/ b/"},
		{"", "", "b/y", "c d é"},
		{"none", "", "", ""},
	} {
		v2 := must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, Prefix: &c.prefix, Delimiter: &c.delimiter, StartAfter: &c.after}))(t)
		if got := names(v2.Contents, v2.CommonPrefixes); got != c.want || int(*v2.KeyCount) != len(v2.Contents)+len(v2.CommonPrefixes) {
			t.Errorf("%+v: got %q", c, got)
		}
		v1 := must(f.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b, Prefix: &c.prefix, Delimiter: &c.delimiter, Marker: &c.after}))(t)
		if got := names(v1.Contents, v1.CommonPrefixes); got != c.want {
			t.Errorf("v1 %+v: got %q", c, got)
		}
	}
	first := must(f.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b}))(t).Contents[0]
	if *first.Size != 1 || first.ETag == nil || first.Owner == nil || first.StorageClass != "STANDARD" || !first.LastModified.Equal(f.now.UTC().Truncate(1e9)) {
		t.Errorf("got %+v", first)
	}
}

func TestListPages(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "pages")
	for _, key := range []string{"a/1", "a/2", "b", "c/1", "c/2", "d"} {
		f.put(t, b, key, "")
	}
	for delimiter, want := range map[string][]string{"": {"a/1", "a/2", "b", "c/1", "c/2", "d"}, "/": {"a/", "b", "c/", "d"}} {
		for size := range int32(4) {
			pages := s3.NewListObjectsV2Paginator(f.Client, &s3.ListObjectsV2Input{Bucket: b, Delimiter: &delimiter, MaxKeys: aws.Int32(size + 1)})
			var got []string
			for pages.HasMorePages() {
				p := must(pages.NextPage(ctx))(t)
				got = append(got, strings.Fields(names(p.Contents, p.CommonPrefixes))...)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("delimiter %q, pages of %d: got %v, want %v", delimiter, size+1, got, want)
			}
		}
	}
	if none := must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(0)}))(t); *none.IsTruncated || *none.KeyCount != 0 {
		t.Errorf("got %+v", none)
	}
	_, err := f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(-1)})
	wantCode(t, err, "InvalidArgument")
	_, err = f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, ContinuationToken: str("?")})
	wantCode(t, err, "InvalidArgument")
	encoded := must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: f.bucket(t, "odd"), EncodingType: "url"}))(t)
	if len(encoded.Contents) != 0 {
		t.Errorf("got %+v", encoded)
	}
	f.put(t, str("odd"), "a b+c/\x01", "")
	encoded = must(f.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("odd"), EncodingType: "url"}))(t)
	if got := *encoded.Contents[0].Key; got != "a%20b%2Bc/%01" {
		t.Errorf("got %q", got)
	}
}
