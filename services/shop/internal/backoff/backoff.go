// Package backoff spaces repeated tries, so that what comes back is not met by everybody at once.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff doubles the pause between tries from Min to Max. It is for one goroutine.
type Backoff struct {
	Min, Max time.Duration
	next     time.Duration
}

// Wait pauses for a random half to whole of the next pause and reports whether ctx is still alive.
func (b *Backoff) Wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.Min), b.Max)
	return Sleep(ctx, b.next/2+rand.N(b.next/2+1))
}

// Reset makes the next pause the first again, after a success.
func (b *Backoff) Reset() { b.next = 0 }

// Sleep pauses for d and reports whether ctx is still alive.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
