package progress_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"storefront/toolchain/internal/progress"
)

func TestStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := &progress.Log{Out: &out, Heartbeat: time.Minute}
		broken := errors.New("broken")
		err := log.Step(t.Context(), "build", func(context.Context) error {
			time.Sleep(150 * time.Second)
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
		want := "tools: build ...\ntools: build ... 1m0s\ntools: build ... 2m0s\ntools: build: failed after 2m30s\n"
		if out.String() != want {
			t.Errorf("said %q, want %q", out.String(), want)
		}
	})
}

func TestInterruptedStep(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	err := (&progress.Log{Out: &out}).Step(ctx, "build", func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	})
	if err == nil || !strings.Contains(out.String(), "build: interrupted") {
		t.Errorf("%v, said %q", err, &out)
	}
}
