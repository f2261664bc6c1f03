package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's entity tags are MD5 digests
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxSize is the largest object or part that one request may carry.
const maxSize = 5 << 30

// stored is a body that was written.
type stored struct {
	segment segment
	md5     []byte
	etag    string
}

// save writes a body, sealed when e asks for KMS, and checks what the client claimed of it. It fills in e's key ARN.
func (s *Service) save(ctx context.Context, body io.Reader, e *encryption, bucketName, key string, claims integrity) (stored, error) {
	var plainKey []byte
	out := stored{}
	if e.Algorithm == sseKMS {
		var err error
		if plainKey, out.segment.SealedKey, e.KeyARN, err = s.keys.GenerateDataKey(ctx, e.KeyARN, sealContext(bucketName, key)); err != nil {
			return out, err
		}
	}
	if claims.algorithm == "" {
		claims.algorithm = crc64NVME
	}
	sum, digest := md5.New(), newHash(claims.algorithm)
	if digest == nil {
		return out, invalidRequest("Checksum algorithm provided is unsupported.")
	}
	if body == nil {
		body = strings.NewReader("")
	}
	name, err := s.bodies.create(func(w io.Writer) error {
		var sealed *sealer
		if plainKey != nil {
			var err error
			if sealed, err = newSealer(w, plainKey); err != nil {
				return err
			}
			w = sealed
		}
		n, err := io.Copy(io.MultiWriter(w, sum, digest), io.LimitReader(body, maxSize+1))
		if err == nil && n > maxSize {
			err = wire.Errorf(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
		}
		if err == nil && sealed != nil {
			err = sealed.Close()
		}
		if err == nil {
			out.segment.Size, out.md5 = n, sum.Sum(nil)
			out.segment.Checksum, err = claims.check(body, out.md5, base64.StdEncoding.EncodeToString(digest.Sum(nil)))
		}
		return err
	})
	out.segment.Body, out.etag = name, `"`+hex.EncodeToString(out.md5)+`"`
	if e.Algorithm == sseKMS && err == nil { // not a digest of the content
		tag := md5.Sum(append(out.md5, out.segment.SealedKey...))
		out.etag = `"` + hex.EncodeToString(tag[:]) + `"`
	}
	return out, err
}

// commit makes v the newest version of its key. In a bucket that does not version it takes the place of the version before. The bodies
// of v are removed when it fails.
func (s *Service) commit(v *version, c writeCondition, also func(tx *state.Tx, b bucket) error) (bucket, error) {
	var b bucket
	var replaced []segment
	err := s.store.Update(func(tx *state.Tx) (err error) {
		if b, err = getBucket(tx, v.Bucket); err != nil {
			return err
		}
		if err := c.check(tx, v.Bucket, v.Key); err != nil {
			return err
		}
		if replaced, err = s.insert(tx, b, v); err != nil {
			return err
		}
		if also != nil {
			return also(tx, b)
		}
		return nil
	})
	if err != nil {
		return b, errors.Join(err, s.bodies.remove(v.Segments))
	}
	return b, s.bodies.remove(replaced)
}

// insert stores v as the newest version and returns the bodies that it replaces.
func (s *Service) insert(tx *state.Tx, b bucket, v *version) (replaced []segment, err error) {
	if v.Sequence, err = tx.Sequence("s3.version"); err != nil {
		return nil, err
	}
	v.ID = nullVersion
	if b.Versioning == "Enabled" {
		v.ID = versionIDOf(v.Sequence)
	} else if old, ok := byID(tx, v.Bucket, v.Key, nullVersion); ok {
		replaced = old.Segments
		if err := versions.Delete(tx, old.tableKey()); err != nil {
			return nil, err
		}
	}
	if v.Retention == nil && !v.DeleteMarker {
		v.Retention = defaultRetention(b, v.Modified)
	}
	if err := enqueue(tx, b, v); err != nil {
		return nil, err
	}
	return replaced, versions.Put(tx, v.tableKey(), *v)
}

// versionIDOf makes a version ID of 32 characters.
func versionIDOf(sequence uint64) string {
	var b [24]byte
	for i := range 8 {
		b[23-i] = byte(sequence >> (8 * i))
	}
	return base64.URLEncoding.EncodeToString(b[:])
}

// writeCondition is the If-Match or If-None-Match of a write.
type writeCondition struct{ ifMatch, ifNoneMatch *string }

func (c writeCondition) check(tx *state.Tx, bucketName, key string) error {
	if c.ifMatch == nil && c.ifNoneMatch == nil {
		return nil
	}
	if c.ifNoneMatch != nil && *c.ifNoneMatch != "*" {
		return notImplemented("If-None-Match")
	}
	v, ok := latest(tx, bucketName, key)
	exists := ok && !v.DeleteMarker
	switch {
	case c.ifNoneMatch != nil && exists:
		return preconditionFailed("If-None-Match")
	case c.ifMatch != nil && !exists:
		return &wire.Error{Status: 404, Code: "NoSuchKey", Message: "The specified key does not exist.", Fields: map[string]string{"Key": key}}
	case c.ifMatch != nil && !etagMatches(*c.ifMatch, v.ETag):
		return preconditionFailed("If-Match")
	}
	return nil
}

func preconditionFailed(condition string) *wire.Error {
	return &wire.Error{Status: 412, Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Fields: map[string]string{"Condition": condition}}
}

// etagMatches compares an entity tag with a list of them, or with "*".
func etagMatches(list, etag string) bool {
	for candidate := range strings.SplitSeq(list, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || strings.Trim(candidate, `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}

// checkKey applies S3's limits on keys.
func checkKey(key string) error {
	if len(key) > 1024 {
		return &wire.Error{Status: 400, Code: "KeyTooLongError", Message: "Your key is too long", Fields: map[string]string{"MaxSizeAllowed": "1024"}}
	}
	if strings.ContainsRune(key, 0) {
		return wire.Errorf(400, "InvalidURI", "Couldn't parse the specified URI.")
	}
	return nil
}

// checkMetadata applies the limit of 2 KB on user metadata.
func checkMetadata(metadata map[string]string) error {
	size := 0
	for name, value := range metadata {
		size += len(name) + len(value)
	}
	if size > 2<<10 {
		return &wire.Error{Status: 400, Code: "MetadataTooLarge", Message: "Your metadata headers exceed the maximum allowed metadata size", Fields: map[string]string{"MaxSizeAllowed": "2048"}}
	}
	return nil
}

// defaultRetention is the lock that a bucket's configuration puts on new objects.
func defaultRetention(b bucket, at time.Time) *api.ObjectLockRetention {
	if b.ObjectLock == nil || b.ObjectLock.Rule == nil || b.ObjectLock.Rule.DefaultRetention == nil {
		return nil
	}
	d := b.ObjectLock.Rule.DefaultRetention
	until := at.AddDate(int(wire.Value(d.Years)), 0, int(wire.Value(d.Days)))
	return &api.ObjectLockRetention{Mode: d.Mode, RetainUntilDate: &until}
}
