package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/toolchain/internal/fetch"
)

// release serves an archive with the given files; the checksum file tells the truth unless lie is set.
func release(t *testing.T, lie bool, files ...string) fetch.Source {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for _, name := range files {
		header := &tar.Header{Name: "pulumi/" + name, Mode: 0o755, Size: int64(len(name)), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(packed.Bytes()))
	if lie {
		sum = strings.Repeat("0", 64)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sums-1.2.3" {
			for _, arch := range []string{"linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"} {
				fmt.Fprintf(w, "%s  pulumi-v1.2.3-%s.tar.gz\n", sum, arch)
			}
			return
		}
		w.Write(packed.Bytes())
	}))
	t.Cleanup(server.Close)
	return fetch.Source{Archives: server.URL, Checksums: server.URL + "/sums-%s"}
}

func TestCLI(t *testing.T) {
	dir := t.TempDir()
	source := release(t, false, "pulumi-watch", "pulumi", "pulumi-language-go")
	if err := source.CLI(t.Context(), "1.2.3", dir); err != nil {
		t.Fatal(err)
	}
	found, err := os.ReadDir(dir)
	if err != nil || len(found) != 2 {
		t.Fatalf("unpacked %v, %v", found, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "pulumi")); err != nil || string(text) != "pulumi" {
		t.Errorf("pulumi holds %q, %v", text, err)
	}
}

func TestCLIRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		source fetch.Source
		want   string
	}{
		"wrong checksum":  {release(t, true, "pulumi", "pulumi-language-go"), "SHA-256"},
		"missing program": {release(t, false, "pulumi"), "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := c.source.CLI(t.Context(), "1.2.3", dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v", err)
			}
			if name == "wrong checksum" {
				if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
					t.Errorf("left behind: %v, %v", left, err)
				}
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	source := fetch.Source{Archives: server.URL, Checksums: server.URL + "/%s"}
	if err := source.Reachable(t.Context()); err != nil {
		t.Errorf("a server that answers is unreachable: %v", err)
	}
	server.Close()
	if err := source.Reachable(t.Context()); !errors.Is(err, fetch.ErrUnreachable) {
		t.Errorf("error is %v", err)
	}
	if err := source.CLI(t.Context(), "1.2.3", t.TempDir()); !errors.Is(err, fetch.ErrUnreachable) {
		t.Errorf("error is %v", err)
	}
}
