package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"storefront/toolchain/internal/cache"
)

func write(text string) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, "tool"), []byte(text), 0o755)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "tool-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func open(t *testing.T) (cache.Cache, string) {
	t.Helper()
	dir := t.TempDir()
	c, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	c, dir := open(t)
	broken := errors.New("broken")
	_, err := c.Fill(t.Context(), "tool", "k", func() {}, func(ctx context.Context, d string) error {
		return errors.Join(write("half")(ctx, d), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("error is %v", err)
	}
	if _, found := c.Find("tool", "k"); found || len(names(t, dir)) != 0 {
		t.Errorf("left behind: %v", names(t, dir))
	}
}

func TestKilledBuildIsSweptAndRepeated(t *testing.T) {
	c, dir := open(t)
	if err := os.MkdirAll(filepath.Join(dir, "tool-k.unfinished", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := c.Fill(t.Context(), "tool", "k", func() {}, write("whole"))
	if err != nil {
		t.Fatal(err)
	}
	if all := names(t, dir); len(all) != 1 || all[0] != got {
		t.Errorf("entries are %v", all)
	}
}

func TestConcurrentRunsBuildOnce(t *testing.T) {
	c, _ := open(t)
	var builds, waits atomic.Int32
	var runs sync.WaitGroup
	release, started := make(chan struct{}), make(chan struct{})
	for range 4 {
		runs.Go(func() {
			_, err := c.Fill(t.Context(), "tool", "k", func() {
				if waits.Add(1) == 3 {
					close(release)
				}
			}, func(ctx context.Context, d string) error {
				if builds.Add(1) == 1 {
					close(started)
				}
				<-release
				return write("x")(ctx, d)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	<-started
	runs.Wait()
	if builds.Load() != 1 || waits.Load() != 3 {
		t.Errorf("%d builds, %d runs waited", builds.Load(), waits.Load())
	}
}

func TestWaitingForTheLockCanBeCancelled(t *testing.T) {
	c, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Fill(t.Context(), "tool", "k", func() {}, func(context.Context, string) error {
		_, err := c.Fill(ctx, "tool", "other", cancel, write("x"))
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestKey(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		key, err := cache.Key(dir)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := put("main.go", "package main")
	if put("main_test.go", "package main") != first {
		t.Error("a test changes the key")
	}
	if put("go.sum", "x") == first {
		t.Error("go.sum does not change the key")
	}
	if _, err := cache.Key(filepath.Join(dir, "none")); err == nil {
		t.Error("sources that are not there have a key")
	}
}
