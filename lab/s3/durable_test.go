package s3_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bodies counts the files that hold content.
func bodies(t *testing.T, f *fixture) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(f.dir, "s3"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOverwriteAndDeleteFreeBodies(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "tidy")
	f.put(t, b, "k", "one")
	f.put(t, b, "k", "two")
	if n := bodies(t, f); n != 1 {
		t.Errorf("%d bodies after an overwrite", n)
	}
	_, err := f.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Body: strings.NewReader("x"), IfNoneMatch: str("*")})
	wantCode(t, err, "PreconditionFailed")
	if n := bodies(t, f); n != 1 {
		t.Errorf("%d bodies after a refused put", n)
	}
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k")}))(t)
	if n := bodies(t, f); n != 0 {
		t.Errorf("%d bodies after a delete", n)
	}
}

// TestReadersAndWriters overwrites an object while others read it: every reader sees one whole content.
func TestReadersAndWriters(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "busy")
	content := func(i int) string { return strings.Repeat(fmt.Sprint(i%10), 100_000) }
	f.put(t, b, "k", content(0))
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range 10 {
				if w%2 == 0 {
					f.put(t, b, "k", content(i))
				} else if got := f.get(t, b, "k"); got != strings.Repeat(got[:1], 100_000) {
					t.Errorf("a mixed content of %d bytes", len(got))
				}
			}
		})
	}
	group.Wait()
}

// TestKilled kills a process that serves S3 and opens what it left: every object that was acknowledged is there.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("S3_TEST_SERVE"); dir != "" {
		f := serveIn(t, dir)
		fmt.Println("URL", f.server.URL)
		time.Sleep(time.Minute) // until it is killed
		return
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "S3_TEST_SERVE="+dir)
	out := must(child.StdoutPipe())(t)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	var url string
	if _, err := fmt.Fscanf(out, "URL %s\n", &url); err != nil {
		t.Fatal(err)
	}
	remote := &fixture{}
	remote.Client = clientAt(url)
	b := remote.bucket(t, "survivor")
	const n = 50
	for i := range n {
		remote.put(t, b, fmt.Sprint("k", i), strings.Repeat("x", i*1000))
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	orphan := filepath.Join(dir, "s3", "ab", "ab"+strings.Repeat("0", 30))
	if err := os.MkdirAll(filepath.Dir(orphan), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(orphan, []byte("written but never acknowledged"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := serveIn(t, dir)
	for i := range n {
		if got := f.get(t, b, fmt.Sprint("k", i)); !bytes.Equal([]byte(got), bytes.Repeat([]byte("x"), i*1000)) {
			t.Errorf("k%d has %d bytes", i, len(got))
		}
	}
	if got := bodies(t, f); got != n {
		t.Errorf("%d bodies, want %d and no orphan", got, n)
	}
}
