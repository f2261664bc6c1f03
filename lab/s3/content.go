package s3

import (
	"context"
	"errors"
	"io"
	"os"
)

// content reads a range of an object, segment by segment.
type content struct {
	open     func(segment) (io.ReaderAt, io.Closer, error)
	segments []segment // still to read, the first from skip on
	skip     int64
	left     int64
	reader   io.Reader
	file     io.Closer
}

// read opens length bytes of a version from offset on. The first file is opened at once, so that a deletion after that does not cut the
// answer short.
func (s *Service) read(ctx context.Context, v version, offset, length int64) (*content, error) {
	c := &content{segments: v.Segments, skip: offset, left: length}
	c.open = func(seg segment) (io.ReaderAt, io.Closer, error) {
		f, err := s.bodies.open(seg.Body)
		if err != nil || seg.SealedKey == nil {
			return f, f, err
		}
		return s.unseal(ctx, v, seg, f)
	}
	if length == 0 {
		return c, nil
	}
	return c, c.next()
}

func (s *Service) unseal(ctx context.Context, v version, seg segment, f *os.File) (io.ReaderAt, io.Closer, error) {
	if s.keys == nil {
		return nil, nil, errors.Join(notImplemented("x-amz-server-side-encryption: aws:kms"), f.Close())
	}
	key, err := s.keys.Decrypt(ctx, seg.SealedKey, sealContext(v.Bucket, v.Key))
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	o, err := newOpener(f, key, seg.Size)
	return o, f, err
}

// next opens the segment that holds the next byte.
func (c *content) next() error {
	for len(c.segments) > 0 && c.skip >= c.segments[0].Size {
		c.skip -= c.segments[0].Size
		c.segments = c.segments[1:]
	}
	if len(c.segments) == 0 {
		return io.ErrUnexpectedEOF
	}
	seg := c.segments[0]
	at, file, err := c.open(seg)
	if err != nil {
		return err
	}
	c.reader, c.file = io.NewSectionReader(at, c.skip, seg.Size-c.skip), file
	c.segments, c.skip = c.segments[1:], 0
	return nil
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.reader == nil {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n, err := c.reader.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = c.Close()
	}
	return n, err
}

// Close implements io.Closer.
func (c *content) Close() error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file, c.reader = nil, nil
	return err
}
