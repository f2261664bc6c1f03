package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const partSize = 5 << 20

func (f *fixture) upload(t *testing.T, b, key, id *string, number int32, content []byte) types.CompletedPart {
	t.Helper()
	out := must(f.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: key, UploadId: id, PartNumber: &number, Body: bytes.NewReader(content)}))(t)
	return types.CompletedPart{ETag: out.ETag, PartNumber: &number, ChecksumCRC32: out.ChecksumCRC32}
}

func (f *fixture) complete(b, key, id *string, parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	return f.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
}

func TestMultipart(t *testing.T) {
	f := serve(t)
	b, key := f.bucket(t, "parts"), str("dir/big file")
	created := must(f.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: key, ContentType: str("text/big"), Metadata: map[string]string{"m": "1"}}))(t)
	id := created.UploadId
	content := [][]byte{bytes.Repeat([]byte("a"), partSize), bytes.Repeat([]byte("b"), partSize), []byte("tail")}
	var done []types.CompletedPart
	sums := md5.New()
	for i, c := range content {
		f.upload(t, b, key, id, int32(2*i+1), []byte("first try"))
		done = append(done, f.upload(t, b, key, id, int32(2*i+1), c))
		sum := md5.Sum(c)
		sums.Write(sum[:])
	}
	f.upload(t, b, key, id, 9, []byte("left out"))
	list := must(f.ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: key, UploadId: id, MaxParts: aws.Int32(2)}))(t)
	if len(list.Parts) != 2 || !*list.IsTruncated || *list.NextPartNumberMarker != "3" || *list.Parts[0].Size != partSize {
		t.Errorf("got %+v", list)
	}
	if ups := must(f.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b}))(t); len(ups.Uploads) != 1 || *ups.Uploads[0].UploadId != *id || *ups.Uploads[0].Key != *key {
		t.Errorf("got %+v", ups)
	}
	out := must(f.complete(b, key, id, done...))(t)
	if want := fmt.Sprintf(`"%s-3"`, hex.EncodeToString(sums.Sum(nil))); *out.ETag != want {
		t.Errorf("got ETag %s, want %s", *out.ETag, want)
	}
	if got := f.get(t, b, *key); got != strings.Repeat("a", partSize)+strings.Repeat("b", partSize)+"tail" {
		t.Errorf("got %d bytes", len(got))
	}
	across := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, Range: str(fmt.Sprintf("bytes=%d-%d", partSize-2, 2*partSize+1))}))(t)
	if got := read(t, across.Body); got != "aa"+strings.Repeat("b", partSize)+"ta" {
		t.Errorf("got %d bytes over the seams", len(got))
	}
	second := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: key, PartNumber: aws.Int32(3)}))(t)
	if *second.ContentLength != 4 || *second.PartsCount != 3 || *second.ContentType != "text/big" || second.Metadata["m"] != "1" {
		t.Errorf("got %+v", second)
	}
	_, err := f.complete(b, key, id, done...)
	wantCode(t, err, "NoSuchUpload")
	if n := bodies(t, f); n != 3 {
		t.Errorf("%d bodies are left, want the 3 of the object", n)
	}
}

func TestMultipartRefusals(t *testing.T) {
	f := serve(t)
	b, key := f.bucket(t, "refused"), str("k")
	id := must(f.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: key}))(t).UploadId
	one, two := f.upload(t, b, key, id, 1, []byte("small")), f.upload(t, b, key, id, 2, []byte("last"))
	_, err := f.complete(b, key, id, one, two)
	wantCode(t, err, "EntityTooSmall")
	_, err = f.complete(b, key, id, two, one)
	wantCode(t, err, "InvalidPartOrder")
	_, err = f.complete(b, key, id, one, one)
	wantCode(t, err, "InvalidPartOrder")
	_, err = f.complete(b, key, id, types.CompletedPart{ETag: str("x"), PartNumber: aws.Int32(1)})
	wantCode(t, err, "InvalidPart")
	_, err = f.complete(b, key, str("no-upload"), one)
	wantCode(t, err, "NoSuchUpload")
	_, err = f.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: key, UploadId: id, PartNumber: aws.Int32(10001), Body: strings.NewReader("")})
	wantCode(t, err, "InvalidArgument")
	_, err = f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	must(f.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: b, Key: key, UploadId: id}))(t)
	if n := bodies(t, f); n != 0 {
		t.Errorf("%d bodies are left after the abort", n)
	}
	must(f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b}))(t)
}

func TestMultipartChecksumsAndCopies(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "sums")
	f.put(t, b, "source", strings.Repeat("s", partSize))
	for kind, algorithm := range map[types.ChecksumType]types.ChecksumAlgorithm{"COMPOSITE": "CRC32", "FULL_OBJECT": "CRC32"} {
		key := str(string(kind))
		id := must(f.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: key, ChecksumAlgorithm: algorithm, ChecksumType: kind}))(t).UploadId
		copied := must(f.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: key, UploadId: id, PartNumber: aws.Int32(1), CopySource: str("sums/source")}))(t)
		ranged := must(f.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: key, UploadId: id, PartNumber: aws.Int32(2), CopySource: str("sums/source"), CopySourceRange: str("bytes=0-9")}))(t)
		out := must(f.complete(b, key, id, types.CompletedPart{ETag: copied.CopyPartResult.ETag, PartNumber: aws.Int32(1), ChecksumCRC32: copied.CopyPartResult.ChecksumCRC32},
			types.CompletedPart{ETag: ranged.CopyPartResult.ETag, PartNumber: aws.Int32(2), ChecksumCRC32: ranged.CopyPartResult.ChecksumCRC32}))(t)
		if out.ChecksumType != kind || strings.HasSuffix(aws.ToString(out.ChecksumCRC32), "-2") != (kind == "COMPOSITE") {
			t.Errorf("%s: got %s of type %s", kind, aws.ToString(out.ChecksumCRC32), out.ChecksumType)
		}
		if kind == "FULL_OBJECT" { // the client checks the whole body against the checksum
			whole := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, ChecksumMode: "ENABLED"}))(t)
			if got := read(t, whole.Body); len(got) != partSize+10 {
				t.Errorf("got %d bytes", len(got))
			}
		}
	}
}
