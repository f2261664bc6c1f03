//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"storefront/test/small"
)

// soakTimes is how often the small stack is deployed and destroyed in one lab.
const soakTimes = 100

// soaked is the figure by which a run of nothing else is known.
const soaked = "up and destroy of the small stack, 100 times in one lab"

// soak measures what a lab holds of its machine before and after many deployments that came and went.
func (b *bench) soak(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		clone := filepath.Join(s.dir, "clone")
		if err := small.Clone(ctx, b.root, clone); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(s.dir, "state"), 0o700); err != nil {
			return err
		}
		stack := &small.Stack{Clone: clone, LabDir: s.labDir(), Env: s.env}
		var all []time.Duration
		before, after, err := stack.Repeat(ctx, soakTimes, func(n int, took time.Duration) {
			b.say("up and destroy, %d of %d: %s", n, soakTimes, seconds(took))
			all = append(all, took)
		})
		if err != nil {
			return err
		}
		slices.Sort(all)
		b.add(figure{What: soaked, Measured: fmt.Sprintf("p50 %s, slowest %s", seconds(all[len(all)/2]), seconds(all[len(all)-1]))})
		b.grown(before, after)
		return nil
	})
}

// grown adds what was held before and after.
func (b *bench) grown(before, after small.Footprint) {
	former, now := before.Held(), after.Held()
	for _, what := range slices.Sorted(maps.Keys(now)) {
		b.add(figure{What: "held after them: " + what, Measured: fmt.Sprintf("%d, before %d", now[what], former[what]), Target: "no more", Met: now[what] <= former[what]})
	}
	b.add(figure{What: "lab memory after them", Measured: fmt.Sprintf("%d MB, before %d MB", after.Memory>>20, before.Memory>>20), Target: fmt.Sprintf("< %d MB", labMemory>>20), Met: after.Memory < labMemory})
	for _, grows := range []struct {
		what          string
		before, after int64
	}{
		{"the state's file", before.State, after.State},
		{"the lab's log", before.Log, after.Log},
		{"audit events and what else the lab keeps", before.Bytes - before.State - before.Log, after.Bytes - after.State - after.Log},
	} {
		b.add(figure{What: grows.what + ", for each repetition", Measured: fmt.Sprintf("%.1f KB (%d KB in all)", float64(grows.after-grows.before)/soakTimes/1024, grows.after>>10)})
	}
}
