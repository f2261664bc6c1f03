package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Key names what a tool is built from: the Go release, the platform, and the content of dirs (Go sources without
// tests, go.mod, go.sum, embedded text), wherever they lie.
func Key(dirs ...string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, dir := range dirs {
		fsys := os.DirFS(dir)
		err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !isInput(d) {
				return err
			}
			text, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%s/%s %d\n", filepath.Base(dir), name, len(text))
			h.Write(text)
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("read the sources in %s: %w", dir, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func isInput(d fs.DirEntry) bool {
	name := d.Name()
	if d.IsDir() || strings.HasSuffix(name, "_test.go") {
		return false
	}
	switch filepath.Ext(name) {
	case ".go", ".mod", ".sum", ".txt", ".json":
		return true
	}
	return false
}
