package sigv4

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxChunk       = 1 << 30 // S3 itself sets no limit below the object's; this one guards the parser's arithmetic
	maxTrailerSize = 16 << 10
)

// ChunkedReader decodes an aws-chunked body and checks the signature of each chunk and of the trailer as it goes.
type ChunkedReader struct {
	in       *bufio.Reader
	auth     *Authorization
	key      []byte // nil: chunks are not signed
	previous string
	expected string // signature of the chunk being read
	digest   hash.Hash
	left     int64 // of the chunk being read
	trailers bool  // a trailer part follows the last chunk
	trailer  http.Header
	finished error // io.EOF after the last chunk, or what went wrong
	inAChunk bool
}

// NewChunkedReader decodes body, which a request with one of the STREAMING values in X-Amz-Content-Sha256 carries.
// secret is the key's secret; a body of unsigned chunks does not use it.
func NewChunkedReader(body io.Reader, a *Authorization, secret string) *ChunkedReader {
	c := &ChunkedReader{in: bufio.NewReader(body), auth: a, digest: sha256.New(), trailer: http.Header{},
		trailers: a.PayloadHash == StreamingPayloadTrailer || a.PayloadHash == StreamingUnsignedTrailer}
	if a.PayloadHash != StreamingUnsignedTrailer {
		c.key, c.previous = a.Scope.key(secret), a.Signature
	}
	return c
}

// Trailer returns the headers that followed the body. It is complete once Read has returned io.EOF.
func (c *ChunkedReader) Trailer() http.Header { return c.trailer }

// Read implements io.Reader. A wrong signature fails with ErrMismatch, a broken form with ErrChunk.
func (c *ChunkedReader) Read(p []byte) (int, error) {
	if c.finished != nil {
		return 0, c.finished
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			c.finished = err
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.key != nil {
		c.digest.Write(p[:n])
	}
	if err != nil {
		c.finished = malformed("the body ends inside a chunk", err)
		return n, c.finished
	}
	return n, nil
}

// next ends the chunk before and begins the one after it; io.EOF when there is none.
func (c *ChunkedReader) next() error {
	if c.inAChunk {
		if err := c.endChunk(); err != nil {
			return err
		}
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	if err != nil || n < 0 || n > maxChunk {
		return fmt.Errorf("%w: bad chunk size %q", ErrChunk, size)
	}
	c.expected = strings.TrimPrefix(extension, "chunk-signature=")
	c.left, c.inAChunk = n, true
	c.digest.Reset()
	if n > 0 {
		return nil
	}
	return c.end()
}

func (c *ChunkedReader) endChunk() error {
	c.inAChunk = false
	if err := c.checkChunk(); err != nil {
		return err
	}
	if line, err := c.line(); err != nil || line != "" {
		return malformed("no line end after a chunk", err)
	}
	return nil
}

func (c *ChunkedReader) checkChunk() error {
	if c.key == nil {
		return nil
	}
	return c.check(algorithm+"-PAYLOAD", EmptyPayload+"\n"+hex.EncodeToString(c.digest.Sum(nil)), c.expected)
}

// check compares one signature of the chain.
func (c *ChunkedReader) check(kind, hashes, got string) error {
	toSign := kind + "\n" + c.auth.Time.UTC().Format(timeFormat) + "\n" + c.auth.Scope.String() + "\n" + c.previous + "\n" + hashes
	want := hex.EncodeToString(sum(c.key, toSign))
	if !hmac.Equal([]byte(want), []byte(got)) {
		return fmt.Errorf("%w: chunk", ErrMismatch)
	}
	c.previous = want
	return nil
}

// end checks the last, empty chunk and reads the trailer.
func (c *ChunkedReader) end() error {
	if err := c.checkChunk(); err != nil {
		return err
	}
	if !c.trailers {
		if line, err := c.line(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || line != "" {
			return malformed("data after the last chunk", err)
		}
		return c.nothingMore()
	}
	var signed strings.Builder
	signature := ""
	for size := 0; ; {
		line, err := c.line()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if line == "" {
			break
		}
		if size += len(line); size > maxTrailerSize {
			return fmt.Errorf("%w: the trailer is too long", ErrChunk)
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok:
			return fmt.Errorf("%w: trailer line %q", ErrChunk, line)
		case name == "x-amz-trailer-signature":
			signature = value
		default:
			c.trailer.Add(name, value)
			signed.WriteString(name + ":" + value + "\n")
		}
	}
	if c.key != nil {
		if err := c.check(algorithm+"-TRAILER", Hash([]byte(signed.String())), signature); err != nil {
			return err
		}
	}
	return c.nothingMore()
}

// nothingMore returns io.EOF when the body ends here.
func (c *ChunkedReader) nothingMore() error {
	if _, err := c.in.ReadByte(); err == nil {
		return malformed("data after the end", nil)
	}
	return io.EOF
}

// line reads up to the next line end. At the end of the body it returns what is left and io.ErrUnexpectedEOF.
func (c *ChunkedReader) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	text := strings.TrimRight(string(line), "\r\n")
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%w: a line is too long", ErrChunk)
	case errors.Is(err, io.EOF):
		return text, malformed("the body ends early", io.ErrUnexpectedEOF)
	case err != nil:
		return "", err
	}
	return text, nil
}

// malformed wraps both ErrChunk and the cause.
func malformed(what string, cause error) error {
	if cause == nil {
		return fmt.Errorf("%w: %s", ErrChunk, what)
	}
	if errors.Is(cause, io.EOF) {
		cause = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %s: %w", ErrChunk, what, cause)
}
