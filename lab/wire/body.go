package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"

	"storefront/lab/wire/sigv4"
)

// Body is the body of an input that streams, as the operation gets it: decoded when it came aws-chunked, and checked against the
// signature while it is read. Read fails with an *Error when the content is not what was signed.
type Body struct {
	io.Reader
	chunks    *sigv4.ChunkedReader
	length    int64
	read      int64
	announced string
}

// Length is the number of bytes that the client announced, or -1.
func (b *Body) Length() int64 { return b.length }

// Announced names the trailer that follows the body (X-Amz-Trailer), such as "x-amz-checksum-crc32", or is "".
func (b *Body) Announced() string { return b.announced }

// Trailer returns the headers after an aws-chunked body (such as X-Amz-Checksum-Crc32), once Read has returned io.EOF.
func (b *Body) Trailer() http.Header {
	if b.chunks == nil {
		return http.Header{}
	}
	return b.chunks.Trailer()
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	switch {
	case err == io.EOF && b.length >= 0 && b.read != b.length:
		return n, Errorf(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	case errors.Is(err, sigv4.ErrMismatch):
		return n, Errorf(http.StatusForbidden, "SignatureDoesNotMatch", messageMismatch)
	case errors.Is(err, sigv4.ErrChunk), errors.Is(err, io.ErrUnexpectedEOF):
		return n, Errorf(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	}
	return n, err
}

// Close implements io.Closer; the HTTP server closes the connection's side itself.
func (*Body) Close() error { return nil }

// decodedLength is the length of an aws-chunked body's content.
func decodedLength(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// hashReader checks the SHA-256 of what it reads when it ends.
type hashReader struct {
	in     io.Reader
	digest hash.Hash
	want   string
}

func newHashReader(in io.Reader, want string) *hashReader {
	return &hashReader{in: in, digest: sha256.New(), want: want}
}

func (h *hashReader) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	h.digest.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(h.digest.Sum(nil)); got != h.want {
			return n, contentMismatch(h.want, got)
		}
	}
	return n, err
}
