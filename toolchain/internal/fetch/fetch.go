// Package fetch downloads Pulumi's own release of its command line.
package fetch

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// patience is how long a server may take to answer at all: a machine without internet must fall back within seconds.
const patience = 4 * time.Second

// Source is where releases are.
type Source struct {
	Archives  string // directory URL of the archives
	Checksums string // URL of the checksum file; %s stands for the version
}

// Official is Pulumi's own distribution; the checksums come from another host than the archives.
func Official() Source {
	return Source{
		Archives:  "https://get.pulumi.com/releases/sdk",
		Checksums: "https://github.com/pulumi/pulumi/releases/download/v%[1]s/pulumi-%[1]s-checksums.txt",
	}
}

// ErrUnreachable means that the server did not answer: there may be no internet.
var ErrUnreachable = errors.New("not reachable")

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: patience}).DialContext,
		TLSHandshakeTimeout:   patience,
		ResponseHeaderTimeout: patience,
	}}
}

// Reachable reports ErrUnreachable when the source does not answer in a few seconds.
func (s Source) Reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, s.Archives, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Archives, err)
	}
	response, err := client().Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Archives, ErrUnreachable)
	}
	return response.Body.Close()
}

// CLI downloads Pulumi's command line with its Go language host into dir.
func (s Source) CLI(ctx context.Context, version, dir string) error {
	name, err := archiveName(version)
	if err != nil {
		return err
	}
	want, err := s.checksum(ctx, version, name)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "download-")
	if err != nil {
		return fmt.Errorf("download %s: %w", name, err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	body, err := get(ctx, s.Archives+"/"+name)
	if err != nil {
		return err
	}
	defer body.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, sum), body); err != nil {
		return fmt.Errorf("download %s: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("download %s: its SHA-256 is %s, not %s", name, got, want)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	if err := unpack(file, dir, "pulumi", "pulumi-language-go"); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return nil
}

func archiveName(version string) (string, error) {
	arch, known := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if !known || runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return "", fmt.Errorf("Pulumi has no release for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return fmt.Sprintf("pulumi-v%s-%s-%s.tar.gz", version, runtime.GOOS, arch), nil
}

func (s Source) checksum(ctx context.Context, version, name string) (string, error) {
	url := fmt.Sprintf(s.Checksums, version)
	body, err := get(ctx, url)
	if err != nil {
		return "", err
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[1] == name {
			return fields[0], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", url, err)
	}
	return "", fmt.Errorf("%s: no checksum of %s", url, name)
}

func get(ctx context.Context, url string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	response, err := client().Do(r)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", url, ErrUnreachable, err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return response.Body, nil
}

// unpack writes the wanted programs out of a compressed archive into dir; all of them must be there.
func unpack(r io.Reader, dir string, wanted ...string) error {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	missing := map[string]bool{}
	for _, name := range wanted {
		missing[name] = true
	}
	for archive := tar.NewReader(zipped); len(missing) > 0; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%d of the programs %v are missing", len(missing), wanted)
		} else if err != nil {
			return err
		}
		name := path.Base(header.Name)
		if header.Typeflag != tar.TypeReg || !missing[name] {
			continue
		}
		if err := writeProgram(filepath.Join(dir, name), archive); err != nil {
			return err
		}
		delete(missing, name)
	}
	return nil
}

func writeProgram(file string, r io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
