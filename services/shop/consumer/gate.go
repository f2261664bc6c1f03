package consumer

import (
	"context"
	"sync"
)

// gate is shut while anybody has shut it. The zero value is open.
type gate struct {
	mu   sync.Mutex
	shut int
	open chan struct{} // closed when the last one opens
}

// close shuts the gate until the function it returns is called, and reports whether it was open before.
func (g *gate) close() (open func(), first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == 0 {
		g.open = make(chan struct{})
	}
	g.shut++
	return g.release, g.shut == 1
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut--; g.shut == 0 {
		close(g.open)
	}
}

// wait waits until the gate is open and reports whether ctx is still alive.
func (g *gate) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		g.mu.Lock()
		shut, open := g.shut > 0, g.open
		g.mu.Unlock()
		if !shut {
			return true
		}
		select {
		case <-ctx.Done():
		case <-open:
		}
	}
	return false
}
