package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"storefront/toolchain/internal/debian"
)

func TestStatus(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, 0},
		{t.Context(), flag.ErrHelp, 0},
		{t.Context(), errors.New("no"), 1},
		{t.Context(), usageError{errors.New("no")}, 2},
		{t.Context(), fmt.Errorf("%w: do this", debian.ErrManual), 3},
		{stopped, context.Canceled, 130},
	} {
		if got := status(c.ctx, c.err); got != c.want {
			t.Errorf("%v: status %d, want %d", c.err, got, c.want)
		}
	}
}

func TestWrongCalls(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"install", "more"}, {"-nonsense"}, {"-root", t.TempDir()}} {
		if err := run(t.Context(), args); !errors.As(err, new(usageError)) {
			t.Errorf("%v: error is %v", args, err)
		}
	}
	t.Setenv("TOOLCHAIN", "fast")
	if err := run(t.Context(), nil); !errors.As(err, new(usageError)) {
		t.Errorf("TOOLCHAIN=fast: error is %v", err)
	}
}

func TestFindRoot(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(root, "toolchain", "cmd")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "toolchain", "go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	if got, err := findRoot(""); err != nil || got != root {
		t.Errorf("found %q, %v", got, err)
	}
}
