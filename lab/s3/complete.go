package s3

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // S3's entity tags are MD5 digests
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// minPart is the least size of all parts but the last.
const minPart = 5 << 20

// CompleteMultipartUpload implements the operation of that name. The parts stay the files that they are: the object refers to them.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *api.CompleteMultipartUploadInput) (*api.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, malformedXML("at least one Part is needed")
	}
	claimed, err := checksumValues{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256}.claim()
	if err != nil {
		return nil, err
	}
	var u upload
	var v version
	err = s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		if u, err = getUpload(tx, b.Name, *in.Key, *in.UploadId); err != nil {
			return err
		}
		v, err = assemble(tx, u, in.MultipartUpload.Parts)
		return err
	})
	if err != nil {
		return nil, err
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != v.Size {
		return nil, invalidRequest(fmt.Sprintf("The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize, v.Size))
	}
	if v.Checksum, err = s.checksumOf(ctx, u, v); err != nil {
		return nil, err
	}
	if claimed.Value != "" && (claimed.Algorithm != v.Checksum.Algorithm || claimed.Value != v.Checksum.Value) {
		return nil, wire.Errorf(400, "BadDigest", "The %s you specified did not match the calculated checksum.", claimed.Algorithm)
	}
	v.Modified = seconds(s.now())
	b, err := s.finish(u, &v, writeCondition{in.IfMatch, in.IfNoneMatch})
	if err != nil {
		return nil, err
	}
	c := v.Checksum.values()
	out := &api.CompleteMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, ETag: &v.ETag, Location: new("/" + v.Bucket + "/" + v.Key), VersionId: b.versionID(v),
		ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256, ChecksumType: v.Checksum.kind()}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	return out, nil
}

// assemble checks the list of parts against what was uploaded, and makes the object's version of it.
func assemble(tx *state.Tx, u upload, list []api.CompletedPart) (version, error) {
	v := u.Template
	v.Multipart = true
	inOrder := slices.IsSortedFunc(list, func(a, b api.CompletedPart) int {
		return cmp.Or(cmp.Compare(wire.Value(a.PartNumber), wire.Value(b.PartNumber)), -1) // the same number twice is out of order
	})
	if !inOrder {
		return v, wire.Errorf(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	}
	sum := md5.New()
	for i, wanted := range list {
		number := wire.Value(wanted.PartNumber)
		p, ok, err := parts.Get(tx, partKey(u.ID, number))
		if err != nil {
			return v, err
		}
		if !ok || !etagMatches(wire.Value(wanted.ETag), p.ETag) || !partMatches(wanted, p.Segment.Checksum) {
			return v, &wire.Error{Status: 400, Code: "InvalidPart", Message: "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
				Fields: map[string]string{"UploadId": u.ID, "PartNumber": strconv.FormatInt(number, 10), "ETag": wire.Value(wanted.ETag)}}
		}
		if p.Segment.Size < minPart && i < len(list)-1 {
			return v, &wire.Error{Status: 400, Code: "EntityTooSmall", Message: "Your proposed upload is smaller than the minimum allowed size",
				Fields: map[string]string{"ProposedSize": strconv.FormatInt(p.Segment.Size, 10), "MinSizeAllowed": strconv.Itoa(minPart), "PartNumber": strconv.FormatInt(number, 10), "ETag": p.ETag}}
		}
		sum.Write(p.MD5)
		v.Segments = append(v.Segments, p.Segment)
		v.Size += p.Segment.Size
	}
	v.ETag = fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(sum.Sum(nil)), len(list))
	return v, nil
}

// partMatches compares the checksums that a client repeats when it completes an upload.
func partMatches(p api.CompletedPart, c checksum) bool {
	for algorithm, value := range (checksumValues{p.ChecksumCRC32, p.ChecksumCRC32C, p.ChecksumCRC64NVME, p.ChecksumSHA1, p.ChecksumSHA256}).named() {
		if algorithm != c.Algorithm || value != c.Value {
			return false
		}
	}
	return true
}

// checksumOf computes the checksum of an assembled object. Without an algorithm of the client's choice S3 keeps the CRC-64 of the whole.
func (s *Service) checksumOf(ctx context.Context, u upload, v version) (checksum, error) {
	algorithm, kind := u.Algorithm, u.ChecksumType
	if algorithm == "" {
		algorithm, kind = crc64NVME, fullObject
	}
	if kind == composite {
		return compose(algorithm, v.Segments)
	}
	in, err := s.read(ctx, v, 0, v.Size)
	if err != nil {
		return checksum{}, err
	}
	defer in.Close()
	h := newHash(algorithm)
	if _, err := io.Copy(h, in); err != nil {
		return checksum{}, err
	}
	return checksum{Algorithm: algorithm, Type: fullObject, Value: base64.StdEncoding.EncodeToString(h.Sum(nil))}, nil
}

// finish turns the upload into the newest version of its key, and drops the parts that the client left out. An upload that changed since
// it was read is refused: another request aborted or completed it, or sent one of the parts again.
func (s *Service) finish(u upload, v *version, c writeCondition) (b bucket, err error) {
	var gone []segment
	err = s.store.Update(func(tx *state.Tx) error {
		if b, err = getBucket(tx, v.Bucket); err != nil {
			return err
		}
		if _, err := getUpload(tx, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		if err := c.check(tx, v.Bucket, v.Key); err != nil {
			return err
		}
		uploaded, err := closeUpload(tx, u)
		if err != nil {
			return err
		}
		if gone, err = without(uploaded, v.Segments); err != nil {
			return err
		}
		replaced, err := s.insert(tx, b, v)
		gone = append(gone, replaced...)
		return err
	})
	if err != nil {
		return b, err
	}
	return b, s.bodies.remove(gone)
}

// without returns the segments of all that are not used; every used one must be among them.
func without(all, used []segment) ([]segment, error) {
	keep := map[string]bool{}
	for _, s := range used {
		keep[s.Body] = true
	}
	var rest []segment
	for _, s := range all {
		if keep[s.Body] {
			delete(keep, s.Body)
		} else {
			rest = append(rest, s)
		}
	}
	if len(keep) > 0 {
		return nil, wire.Errorf(409, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Please try again.")
	}
	return rest, nil
}
