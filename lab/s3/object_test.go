package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestObjectRoundTrip(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "things")
	key := "a b/ü+%/..x//y"
	put := must(f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("hello"), ContentType: str("text/plain"), CacheControl: str("no-store"),
		Metadata: map[string]string{"Color": "blue"}, Tagging: str("a=1&b=x%20y")}))(t)
	sum := md5.Sum([]byte("hello"))
	if want := `"` + hex.EncodeToString(sum[:]) + `"`; *put.ETag != want || put.ServerSideEncryption != "AES256" || put.VersionId != nil {
		t.Errorf("got %+v, want ETag %s", put, want)
	}
	got := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: &key}))(t)
	if body := read(t, got.Body); body != "hello" || *got.ContentType != "text/plain" || *got.CacheControl != "no-store" || got.Metadata["color"] != "blue" ||
		*got.TagCount != 2 || *got.ContentLength != 5 || *got.ETag != *put.ETag || *got.AcceptRanges != "bytes" {
		t.Errorf("got %q, %+v", body, got)
	}
	head := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: &key}))(t)
	if *head.ContentLength != 5 || head.Metadata["color"] != "blue" || !head.LastModified.Equal(f.now.Truncate(time.Second)) {
		t.Errorf("got %+v", head)
	}
	tags := must(f.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: &key}))(t)
	if len(tags.TagSet) != 2 || *tags.TagSet[1].Value != "x y" {
		t.Errorf("got %+v", tags.TagSet)
	}
	f.put(t, b, key, "")
	if body := f.get(t, b, key); body != "" {
		t.Errorf("got %q after an overwrite with nothing", body)
	}
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: &key}))(t)
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: &key}))(t)
	_, err := f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: &key})
	wantCode(t, err, "NoSuchKey")
	_, err = f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: &key})
	wantCode(t, err, "NotFound")
}

func TestRanges(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "ranged")
	f.put(t, b, "k", "0123456789")
	for header, want := range map[string]string{"bytes=0-0": "0", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=5-99": "56789", "bytes=-99": "0123456789"} {
		got := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), Range: &header}))(t)
		if body := read(t, got.Body); body != want || got.ContentRange == nil || !strings.HasSuffix(*got.ContentRange, "/10") {
			t.Errorf("%s: got %q (%v), want %q", header, body, aws.ToString(got.ContentRange), want)
		}
	}
	for _, header := range []string{"bytes=10-", "bytes=-0"} {
		_, err := f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), Range: &header})
		wantCode(t, err, "InvalidRange")
	}
	for _, ignored := range []string{"bytes=4-2", "lines=1-2", "bytes=0-1,3-4"} {
		got := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), Range: &ignored}))(t)
		if body := read(t, got.Body); body != "0123456789" || got.ContentRange != nil {
			t.Errorf("%s: got %q", ignored, body)
		}
	}
}

func TestConditions(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "conditional")
	etag := f.put(t, b, "k", "v").ETag
	before, after := f.now.Add(-time.Hour), f.now.Add(time.Hour)
	for name, c := range map[string]struct {
		in   s3.GetObjectInput
		code string
	}{
		"match":                    {s3.GetObjectInput{IfMatch: etag}, ""},
		"no match":                 {s3.GetObjectInput{IfMatch: str("x")}, "PreconditionFailed"},
		"none match":               {s3.GetObjectInput{IfNoneMatch: etag}, "NotModified"},
		"modified":                 {s3.GetObjectInput{IfModifiedSince: &before}, ""},
		"not modified":             {s3.GetObjectInput{IfModifiedSince: &after}, "NotModified"},
		"unmodified":               {s3.GetObjectInput{IfUnmodifiedSince: &after}, ""},
		"not unmodified":           {s3.GetObjectInput{IfUnmodifiedSince: &before}, "PreconditionFailed"},
		"match wins over the time": {s3.GetObjectInput{IfMatch: etag, IfUnmodifiedSince: &before}, ""},
		"tag wins over the time":   {s3.GetObjectInput{IfNoneMatch: str("x"), IfModifiedSince: &after}, ""},
	} {
		c.in.Bucket, c.in.Key = b, str("k")
		out, err := f.GetObject(ctx, &c.in)
		if c.code != "" {
			wantCode(t, err, c.code)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			read(t, out.Body)
		}
	}
	_, err := f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Body: strings.NewReader("w"), IfNoneMatch: str("*")})
	wantCode(t, err, "PreconditionFailed")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Body: strings.NewReader("w"), IfMatch: str("x")})
	wantCode(t, err, "PreconditionFailed")
	must(f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Body: strings.NewReader("w"), IfMatch: etag}))(t)
}

func TestChecksums(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "summed")
	// Check values of "123456789", from the catalogue of parametrised CRC algorithms and from sha*sum.
	for algorithm, want := range map[types.ChecksumAlgorithm]string{
		"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=", "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	} {
		key := string(algorithm)
		must(f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("123456789"), ChecksumAlgorithm: algorithm}))(t)
		head := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: &key, ChecksumMode: "ENABLED"}))(t)
		got := map[types.ChecksumAlgorithm]*string{"CRC32": head.ChecksumCRC32, "CRC32C": head.ChecksumCRC32C, "CRC64NVME": head.ChecksumCRC64NVME, "SHA1": head.ChecksumSHA1, "SHA256": head.ChecksumSHA256}[algorithm]
		if aws.ToString(got) != want || head.ChecksumType != "FULL_OBJECT" {
			t.Errorf("%s: got %q of type %q, want %q", algorithm, aws.ToString(got), head.ChecksumType, want)
		}
		attributes := must(f.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: b, Key: &key, ObjectAttributes: []types.ObjectAttributes{"Checksum", "ObjectSize", "ETag"}}))(t)
		if *attributes.ObjectSize != 9 || attributes.Checksum == nil {
			t.Errorf("%s: got %+v", algorithm, attributes)
		}
	}
	_, err := f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("bad"), Body: strings.NewReader("x"), ChecksumSHA256: str(base64.StdEncoding.EncodeToString(make([]byte, 32)))})
	wantCode(t, err, "BadDigest")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("bad"), Body: strings.NewReader("x"), ContentMD5: str(base64.StdEncoding.EncodeToString(make([]byte, 16)))})
	wantCode(t, err, "BadDigest")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("bad"), Body: strings.NewReader("x"), ContentMD5: str("short")})
	wantCode(t, err, "InvalidDigest")
	_, err = f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("bad")})
	wantCode(t, err, "NoSuchKey")
}

func TestPresigned(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "signed")
	p := s3.NewPresignClient(f.Client)
	put := must(p.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("dir/k v")}))(t)
	r := must(http.NewRequest(put.Method, put.URL, bytes.NewReader([]byte("by url"))))(t)
	for name, values := range put.SignedHeader {
		r.Header[name] = values
	}
	if res := must(http.DefaultClient.Do(r))(t); res.StatusCode != 200 {
		t.Fatalf("PUT: %s: %s", res.Status, read(t, res.Body))
	} else {
		res.Body.Close()
	}
	get := must(p.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("dir/k v"), ResponseContentType: str("text/x")}, s3.WithPresignExpires(time.Minute)))(t)
	res := must(http.Get(get.URL))(t)
	if body := read(t, res.Body); res.StatusCode != 200 || body != "by url" || res.Header.Get("Content-Type") != "text/x" {
		t.Errorf("GET: %s %q", res.Status, body)
	}
	res = must(http.Get(strings.Replace(get.URL, "text%2Fx", "text%2Fy", 1)))(t)
	if body := read(t, res.Body); res.StatusCode != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("changed URL: %s %q", res.Status, body)
	}
}

func TestCopy(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "copies")
	must(f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("from key"), Body: strings.NewReader("data"), Metadata: map[string]string{"a": "1"}, ContentType: str("text/a"), Tagging: str("t=1")}))(t)
	out := must(f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: str("kept"), CopySource: str("copies/from%20key")}))(t)
	if out.CopyObjectResult == nil || *out.CopyObjectResult.ETag == "" {
		t.Errorf("got %+v", out)
	}
	kept := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("kept")}))(t)
	if read(t, kept.Body) != "data" || kept.Metadata["a"] != "1" || *kept.ContentType != "text/a" || *kept.TagCount != 1 {
		t.Errorf("got %+v", kept)
	}
	must(f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: str("new"), CopySource: str("/copies/from%20key"), MetadataDirective: "REPLACE", TaggingDirective: "REPLACE", Metadata: map[string]string{"b": "2"}}))(t)
	replaced := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: str("new")}))(t)
	if replaced.Metadata["a"] != "" || replaced.Metadata["b"] != "2" || *replaced.ContentType != "binary/octet-stream" {
		t.Errorf("got %+v", replaced)
	}
	_, err := f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: str("kept"), CopySource: str("copies/kept")})
	wantCode(t, err, "InvalidRequest")
	_, err = f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: str("x"), CopySource: str("copies/absent")})
	wantCode(t, err, "NoSuchKey")
	_, err = f.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: str("x"), CopySource: str("copies/kept"), CopySourceIfMatch: str("y")})
	wantCode(t, err, "PreconditionFailed")
}

func TestLimits(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "limited")
	_, err := f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str(strings.Repeat("k", 1025)), Body: strings.NewReader("")})
	wantCode(t, err, "KeyTooLongError")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Metadata: map[string]string{"m": strings.Repeat("x", 2048)}})
	wantCode(t, err, "MetadataTooLarge")
	_, err = f.PutObject(ctx, &s3.PutObjectInput{Bucket: str("missing"), Key: str("k"), Body: strings.NewReader("x")})
	wantCode(t, err, "NoSuchBucket")
}
