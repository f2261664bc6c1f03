//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"storefront/test/small"
)

const (
	largeSize   = 500 // resources, at least
	largeWithin = 15 * time.Second
)

// large measures how long it takes to preview a stack of 500 resources: all of them new, and none changed.
func (b *bench) large(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		clone := filepath.Join(s.dir, "clone")
		if err := small.CloneWith(ctx, b.root, clone, "./test/bench/large"); err != nil {
			return err
		}
		stack := filepath.Join(clone, "bin", "stack")
		out, took, err := b.timed(ctx, clone, s.env, stack, "preview")
		if err != nil {
			return err
		}
		if n := planned(out); n < largeSize {
			return fmt.Errorf("the large stack has %d resources, want %d:\n%s", n, largeSize, out)
		}
		b.add(atMost("preview of a stack of 500 resources, all of them new", took, largeWithin))
		if _, _, err = b.timed(ctx, clone, s.env, stack, "up"); err != nil && !strings.Contains(err.Error(), "has no URL") { // nobody serves a page there
			return err
		}
		if out, took, err = b.timed(ctx, clone, s.env, stack, "preview"); err != nil {
			return err
		}
		if !unchanged(out) {
			return fmt.Errorf("the large stack has something to change:\n%s", out)
		}
		b.add(atMost("preview of a stack of 500 resources, none of them changed", took, largeWithin))
		return nil
	}, "STOREFRONT_WAIT_SCALE=0.01")
}

var toCreate = regexp.MustCompile(`(?m)^    \+ (\d+) to create$`)

// planned counts what a preview would create.
func planned(out string) int {
	m := toCreate.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // digits
	return n
}
