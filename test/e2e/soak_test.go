package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"storefront/test/small"
)

// repetitions is how often TestRepetitionsLeakNothing deploys and destroys. `make soak` does it a hundred times, and writes down what it measured.
var repetitions = flag.Int("repetitions", 8, "of TestRepetitionsLeakNothing")

// TestRepetitionsLeakNothing deploys and destroys the small stack again and again in one lab. What the lab holds of the machine must not grow.
func TestRepetitionsLeakNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can look into the lab's namespaces")
	}
	t.Parallel()
	s := newSite(t)
	clone := filepath.Join(s.dir, "clone")
	if err := small.Clone(t.Context(), s.root, clone); err != nil {
		t.Fatal(err)
	}
	stack := &small.Stack{Clone: clone, LabDir: filepath.Join(s.dir, "lab"), Env: s.env()}
	if err := os.MkdirAll(filepath.Join(s.dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	before, after, err := stack.Repeat(t.Context(), *repetitions, func(n int, took time.Duration) { t.Logf("%d: %s", n, took.Round(time.Millisecond)) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("before: %+v", before)
	t.Logf("after:  %+v", after)
	for _, more := range after.More(before) {
		t.Error(more)
	}
}
