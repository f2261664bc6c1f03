package s3

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// bodies keeps the content of objects in files. A body is written under a temporary name and gets its own when it is complete.
type bodies struct{ dir string }

const temporary = "tmp"

func openBodies(dir string) (*bodies, error) {
	if err := os.RemoveAll(filepath.Join(dir, temporary)); err != nil {
		return nil, fmt.Errorf("clearing unfinished S3 bodies: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, temporary), 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of S3 bodies: %w", err)
	}
	return &bodies{dir}, nil
}

// path spreads bodies over 256 directories by the first two digits of their name.
func (b *bodies) path(name string) string { return filepath.Join(b.dir, name[:2], name) }

// create stores what write writes, and returns the body's name.
func (b *bodies) create(write func(io.Writer) error) (name string, err error) {
	f, err := os.CreateTemp(filepath.Join(b.dir, temporary), "")
	if err != nil {
		return "", fmt.Errorf("storing an S3 body: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = write(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return "", err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	name = hex.EncodeToString(id[:])
	if err = os.MkdirAll(filepath.Dir(b.path(name)), 0o700); err == nil {
		err = os.Rename(f.Name(), b.path(name))
	}
	return name, err
}

func (b *bodies) open(name string) (*os.File, error) { return os.Open(b.path(name)) }

// remove deletes bodies; one that an earlier crash already took is no error. Readers that have it open keep it.
func (b *bodies) remove(segments []segment) error {
	var failed []error
	for _, s := range segments {
		if err := os.Remove(b.path(s.Body)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// sweep removes every body that is not used.
func (b *bodies) sweep(used map[string]bool) error {
	return filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || used[d.Name()] {
			return err
		}
		return os.Remove(path)
	})
}
