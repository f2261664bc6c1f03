package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// destroy runs Pulumi's destroy with its own display. When S3 refuses it because of Object Lock, the error says in one line what stays and what to do.
func (w *workspace) destroy(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "storefront-destroy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	events := filepath.Join(dir, "events")
	c := w.operate(ctx, "destroy", "--yes", "--skip-preview", "--event-log", events)
	c.Env = append(c.Env, "PULUMI_DEBUG_COMMANDS=true") // where Pulumi keeps --event-log
	c.Stdout, c.Stderr = w.out, os.Stderr
	failed := c.Run()
	if failed == nil {
		return nil
	}
	log, err := os.ReadFile(events)
	if err != nil {
		return fmt.Errorf("pulumi destroy: %w (what it met is unknown: %w)", failed, err)
	}
	if buckets := lockedBuckets(log); len(buckets) > 0 {
		return fmt.Errorf("Object Lock keeps what is in %s until its retention ends, and in compliance mode nobody can end it early; what is left of the stack stays with it. "+
			"Run `make down` again then (`aws s3api get-object-retention` tells when), or keep the buckets: `pulumi state delete --target-dependents` takes them out of the stack", strings.Join(buckets, " and "))
	}
	return fmt.Errorf("pulumi destroy: %w", failed)
}

// lockRefusal is the provider's message about a bucket that cannot be emptied, with S3's in it.
var lockRefusal = regexp.MustCompile(`emptying S3 Bucket \(([a-z0-9.-]+)\)[^\n]*protected by object lock`)

// lockedBuckets finds the buckets that kept their objects in the engine's events, one on a line.
func lockedBuckets(events []byte) (names []string) {
	for _, found := range lockRefusal.FindAllSubmatch(events, -1) {
		names = append(names, string(found[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
