package s3

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed body is the content cut into chunks, each under AES-256-GCM with its number as nonce, so that any range can be read alone.
// Every body has a data key of its own, so that a nonce never repeats under one key.
const (
	chunkSize = 64 << 10
	tagSize   = 16
)

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("a data key of %d bytes: %w", len(key), err)
	}
	return cipher.NewGCM(block)
}

func nonce(chunk int64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 4), uint64(chunk)) }

// sealer encrypts what is written to it. Close writes the last chunk.
type sealer struct {
	out   io.Writer
	aead  cipher.AEAD
	chunk int64
	buf   []byte
}

func newSealer(out io.Writer, key []byte) (*sealer, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return &sealer{out: out, aead: aead, buf: make([]byte, 0, chunkSize)}, nil
}

func (s *sealer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), chunkSize-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p, written = p[n:], written+n
		if len(s.buf) == chunkSize {
			if err := s.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (s *sealer) flush() error {
	_, err := s.out.Write(s.aead.Seal(nil, nonce(s.chunk), s.buf, nil))
	s.chunk, s.buf = s.chunk+1, s.buf[:0]
	return err
}

func (s *sealer) Close() error {
	if len(s.buf) == 0 {
		return nil
	}
	return s.flush()
}

// opener reads the content of a sealed body, from any offset.
type opener struct {
	in    io.ReaderAt
	aead  cipher.AEAD
	size  int64 // of the content
	chunk int64 // in buf, or -1
	buf   []byte
}

func newOpener(in io.ReaderAt, key []byte, size int64) (*opener, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return &opener{in: in, aead: aead, size: size, chunk: -1}, nil
}

// ReadAt implements io.ReaderAt. It is not safe for concurrent use.
func (o *opener) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for len(p) > 0 {
		if off >= o.size {
			return read, io.EOF
		}
		if err := o.load(off / chunkSize); err != nil {
			return read, err
		}
		n := copy(p, o.buf[off%chunkSize:])
		p, off, read = p[n:], off+int64(n), read+n
	}
	return read, nil
}

func (o *opener) load(chunk int64) error {
	if chunk == o.chunk {
		return nil
	}
	length := min(chunkSize, o.size-chunk*chunkSize)
	sealed := make([]byte, length+tagSize)
	if _, err := o.in.ReadAt(sealed, chunk*(chunkSize+tagSize)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	plain, err := o.aead.Open(sealed[:0], nonce(chunk), sealed, nil)
	if err != nil {
		return fmt.Errorf("chunk %d of a sealed body: %w", chunk, err)
	}
	o.chunk, o.buf = chunk, plain
	return nil
}
