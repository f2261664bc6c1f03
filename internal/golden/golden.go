// Package golden compares what tests get with files of the project. Tests that use it have the flag -update.
package golden

import (
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files, and fail")

// Compare fails the test when a file holds something other than got, or is not there. With -update it writes the file, and the test fails all the same: somebody has to look at the difference.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	want, err := os.ReadFile(file)
	switch {
	case err != nil && !(*update && errors.Is(err, fs.ErrNotExist)):
		t.Fatal(err)
	case err == nil && string(want) == got:
	case *update:
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s was rewritten: look at the difference, then run without -update", file)
	default:
		t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, cmp.Diff(string(want), got))
	}
}

// Written is Compare for what a function writes.
func Written(t testing.TB, file string, write func(io.Writer) error) {
	t.Helper()
	var got strings.Builder
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	Compare(t, file, got.String())
}
