//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestBalancerIsLeftOutWithoutNginx(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b := &bench{out: io.Discard, begin: time.Now()}
	if err := b.balancer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.run.Figures) != 0 || len(b.run.Missing) != 1 || !strings.Contains(b.run.Missing[0], "apt-get install --no-install-recommends nginx wrk") {
		t.Errorf("got figures %v, missing %q", b.run.Figures, b.run.Missing)
	}
}

func TestSiteLeavesNothing(t *testing.T) {
	b := &bench{out: io.Discard, begin: time.Now(), root: t.TempDir()} // no bin/lab: ending the lab fails, and that is told
	dir := ""
	err := b.withSite(t.Context(), func(_ context.Context, s *site) error {
		dir = s.dir
		return errors.New("no luck")
	})
	if err == nil || !strings.Contains(err.Error(), "no luck") || !strings.Contains(err.Error(), "bin/lab") {
		t.Errorf("got %v, want both failures", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", dir, err)
	}
}
