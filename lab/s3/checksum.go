package s3

import (
	"crypto/sha1" //nolint:gosec // one of S3's checksum algorithms
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"strings"

	"storefront/lab/wire"
)

// checksum is an object's additional checksum. The zero value is none.
type checksum struct {
	Algorithm string // "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"
	Value     string // base64, with "-N" after it for a composite of N parts
	Type      string // "FULL_OBJECT", "COMPOSITE"
}

const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
	crc64NVME  = "CRC64NVME"
)

// newHash returns the hash of an algorithm, or nil for one that S3 does not have.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case crc64NVME:
		return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) // NVM Express base specification, reflected
	case "SHA1":
		return sha1.New()
	case "SHA256":
		return sha256.New()
	}
	return nil
}

// checksumValues are the checksum headers of a request or answer, one of which may be set.
type checksumValues struct{ crc32, crc32c, crc64nvme, sha1, sha256 *string }

// named yields algorithm and value of those that are set.
func (c checksumValues) named() map[string]string {
	out := map[string]string{}
	for name, value := range map[string]*string{"CRC32": c.crc32, "CRC32C": c.crc32c, crc64NVME: c.crc64nvme, "SHA1": c.sha1, "SHA256": c.sha256} {
		if value != nil {
			out[name] = *value
		}
	}
	return out
}

// claim returns the one checksum that a client sent.
func (c checksumValues) claim() (checksum, error) {
	named := c.named()
	if len(named) > 1 {
		return checksum{}, invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	for algorithm, value := range named {
		return checksum{Algorithm: algorithm, Value: value, Type: fullObject}, nil
	}
	return checksum{}, nil
}

// values spreads a checksum over the members that outputs have.
func (c checksum) values() checksumValues {
	pick := func(algorithm string) *string {
		if c.Algorithm == algorithm && c.Value != "" {
			return new(c.Value)
		}
		return nil
	}
	return checksumValues{crc32: pick("CRC32"), crc32c: pick("CRC32C"), crc64nvme: pick(crc64NVME), sha1: pick("SHA1"), sha256: pick("SHA256")}
}

func (c checksum) kind() *string {
	if c.Value == "" {
		return nil
	}
	return new(c.Type)
}

// integrity is what a client says about the body that it sends.
type integrity struct {
	md5       *string // Content-MD5
	claimed   checksum
	algorithm string // of a checksum in the trailer, or asked for without a value
}

// newIntegrity reads the claims of a write. A checksum may follow the body in a trailer.
func newIntegrity(body io.Reader, md5 *string, values checksumValues, algorithm *string) (integrity, error) {
	claimed, err := values.claim()
	i := integrity{md5: md5, claimed: claimed, algorithm: claimed.Algorithm}
	if i.algorithm == "" {
		i.algorithm = wire.Value(algorithm)
	}
	if b, ok := body.(*wire.Body); ok && i.algorithm == "" {
		if name, found := strings.CutPrefix(b.Announced(), "x-amz-checksum-"); found {
			i.algorithm = strings.ToUpper(name)
		}
	}
	return i, err
}

// check compares the claims with what was found in the body, and returns the checksum to keep.
func (i integrity) check(body io.Reader, md5Sum []byte, digest string) (checksum, error) {
	if i.md5 != nil {
		want, err := base64.StdEncoding.DecodeString(*i.md5)
		if err != nil || len(want) != len(md5Sum) {
			return checksum{}, wire.Errorf(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if string(want) != string(md5Sum) {
			return checksum{}, wire.Errorf(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	found := checksum{Algorithm: i.algorithm, Value: digest, Type: fullObject}
	claimed := i.claimed.Value
	if b, ok := body.(*wire.Body); ok && claimed == "" {
		claimed = b.Trailer().Get("x-amz-checksum-" + strings.ToLower(i.algorithm))
	}
	if claimed != "" && claimed != digest {
		return found, wire.Errorf(400, "BadDigest", "The %s you specified did not match the calculated checksum.", i.algorithm)
	}
	return found, nil
}

// compose is the checksum of checksums of a multipart upload.
func compose(algorithm string, segments []segment) (checksum, error) {
	h := newHash(algorithm)
	for _, s := range segments {
		digest, err := base64.StdEncoding.DecodeString(s.Checksum.Value)
		if err != nil {
			return checksum{}, fmt.Errorf("checksum of part %d: %w", s.Number, err)
		}
		h.Write(digest)
	}
	return checksum{Algorithm: algorithm, Type: composite, Value: fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(segments))}, nil
}
