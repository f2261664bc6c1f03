//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// What a run measures only when it is asked to.
const (
	coldTools   = "`make tools`, cold: everything built from modules"
	suiteFigure = "the end-to-end suite"
)

// tools measures `make tools` when there is nothing to do.
func (b *bench) tools(ctx context.Context) error {
	if _, err := b.command(ctx, b.root, nil, "make", "-s", "tools"); err != nil {
		return err
	}
	_, took, err := b.timed(ctx, b.root, nil, "make", "-s", "tools")
	b.add(atMost("`make tools`, warm", took, time.Second))
	return err
}

// coldTools measures it in a fresh clone with empty caches: nothing downloaded, nothing compiled.
func (b *bench) coldTools(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "storefront-bench-cold")
	if err != nil {
		return err
	}
	clone := filepath.Join(dir, "clone")
	env := []string{"TOOLCHAIN=build", "GOFLAGS=-modcacherw", "XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"GOCACHE=" + filepath.Join(dir, "build"), "GOMODCACHE=" + filepath.Join(dir, "modules")}
	defer func() {
		if remove := os.RemoveAll(dir); remove != nil && err == nil {
			err = fmt.Errorf("removing the caches of the cold build: %w", remove)
		}
	}()
	if _, err := git(ctx, b.root, "clone", "--quiet", b.root, clone); err != nil {
		return err
	}
	_, took, err := b.timed(ctx, clone, env, "make", "-s", "tools")
	b.add(atMost(coldTools, took, 12*time.Minute))
	return err
}

// suite measures the end-to-end suite, which has to end well.
func (b *bench) suite(ctx context.Context) error {
	_, took, err := b.timed(ctx, b.root, nil, "go", "test", "-count=1", "-timeout", "40m", "./test/e2e")
	b.add(atMost(suiteFigure, took, 25*time.Minute))
	return err
}

func (b *bench) add(f figure) { b.run.Figures = append(b.run.Figures, f) }
