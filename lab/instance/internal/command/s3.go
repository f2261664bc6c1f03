package command

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"storefront/lab/wire/sigv4"
)

// copy is aws s3 cp of one object, down or up. "-" is standard output or input.
func (in invocation) copy() error {
	if err := in.only(); err != nil {
		return usageError(err.Error())
	}
	if len(in.words) != 4 {
		return usageError("usage: aws s3 cp s3://BUCKET/KEY PATH, or PATH s3://BUCKET/KEY")
	}
	from, to := in.words[2], in.words[3]
	down := strings.HasPrefix(from, "s3://")
	if down == strings.HasPrefix(to, "s3://") {
		return usageError("exactly one of the two must be an object (s3://BUCKET/KEY); the lab's aws copies single objects")
	}
	c, err := in.newClient()
	if err != nil {
		return err
	}
	if down {
		err = c.download(from, to)
	} else {
		err = c.upload(from, to)
	}
	if err != nil {
		return fmt.Errorf("copy failed: %s to %s: %w", from, to, err)
	}
	if in.options["quiet"] == "" && in.options["only-show-errors"] == "" && to != "-" {
		fmt.Printf("%s: %s to %s\n", map[bool]string{true: "download", false: "upload"}[down], from, to)
	}
	return nil
}

// object returns the URL of an object: virtual-hosted style on AWS, path style at another endpoint and for names that no certificate covers.
func (c *client) object(address string) (*url.URL, error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(address, "s3://"), "/")
	if !ok || bucket == "" || key == "" {
		return nil, usageError(fmt.Sprintf("%s names no object: s3://BUCKET/KEY", address))
	}
	base, path := fmt.Sprintf("https://%s.s3.%s.amazonaws.com", bucket, c.region), "/"+key
	if c.endpoint != "" || strings.Contains(bucket, ".") {
		base, path = firstOf(c.endpoint, "https://s3."+c.region+".amazonaws.com"), "/"+bucket+"/"+key
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the endpoint: %w", err)
	}
	u.Path, u.RawPath = path, escape(path)
	return u, nil
}

// escape percent-encodes a path as Signature Version 4 wants it: all but letters, digits, "-_.~" and "/".
func escape(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// download gets an object. A file appears complete or not at all.
func (c *client) download(from, to string) (err error) {
	u, err := c.object(from)
	if err != nil {
		return err
	}
	response, err := c.do("s3", sigv4.EmptyPayload, func() (*http.Request, error) { return http.NewRequest(http.MethodGet, u.String(), nil) })
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if to == "-" {
		_, err := io.Copy(os.Stdout, response.Body)
		return err
	}
	if info, statErr := os.Stat(to); statErr == nil && info.IsDir() || strings.HasSuffix(to, "/") {
		to = filepath.Join(to, path.Base(from))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(to), ".aws-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = io.Copy(file, response.Body)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), to)
}

// upload puts an object in one request; S3 takes at most 5 GB so.
func (c *client) upload(from, to string) error {
	if strings.HasSuffix(to, "/") {
		to += path.Base(from)
	}
	u, err := c.object(to)
	if err != nil {
		return err
	}
	body, size, err := source(from)
	if err != nil {
		return err
	}
	if closer, ok := body.(io.Closer); ok {
		defer closer.Close()
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, body); err != nil {
		return err
	}
	response, err := c.do("s3", hex.EncodeToString(digest.Sum(nil)), func() (*http.Request, error) {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		request, err := http.NewRequest(http.MethodPut, u.String(), io.NopCloser(body))
		if err != nil {
			return nil, err
		}
		request.ContentLength = size
		if size == 0 {
			request.Body = http.NoBody
		}
		return request, nil
	})
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// source opens what is uploaded.
func source(from string) (io.ReadSeeker, int64, error) {
	if from == "-" {
		data, err := io.ReadAll(os.Stdin)
		return bytes.NewReader(data), int64(len(data)), err
	}
	file, err := os.Open(from)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}
