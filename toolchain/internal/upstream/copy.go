package upstream

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// isSource leaves out what a build does not read: tests and their data, documentation, examples, CI.
func isSource(path string, d fs.DirEntry) bool {
	name := d.Name()
	if d.IsDir() {
		return name != "testdata" && name != "test-fixtures" && !strings.HasPrefix(name, ".")
	}
	return !strings.HasSuffix(name, "_test.go")
}

// copyTree copies the files and directories that keep accepts; path is relative to from, with slashes.
func copyTree(from, to string, keep func(path string, d fs.DirEntry) bool) error {
	return fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(path))
		switch {
		case path != "." && !keep(path, d) && d.IsDir():
			return fs.SkipDir
		case path != "." && !keep(path, d):
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		text, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
}

// replaceOnce changes the single place in file that reads old.
func replaceOnce(file, old, with string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte(old)); n != 1 {
		return fmt.Errorf("%s: %q is there %d times, not once: upstream has changed", file, old, n)
	}
	return os.WriteFile(file, bytes.Replace(text, []byte(old), []byte(with), 1), 0o644)
}
