package labs

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

const (
	limit    = 5 * time.Minute        // for a block of commands
	patience = 2 * time.Minute        // for one that is repeated, as docs/labs/README.md says
	pause    = 500 * time.Millisecond // before it is run again
)

// Run does the steps of a page in order. It ends at the first one that does not do what the page says, with an error that shows both.
func (p *Page) Run(ctx context.Context, sh *Shell) error {
	for _, s := range p.Steps {
		if err := s.run(ctx, sh); err != nil {
			return fmt.Errorf("%s:%d: %w", filepath.Base(p.File), s.Line, err)
		}
	}
	return nil
}

func (s Step) run(ctx context.Context, sh *Shell) error {
	long := limit
	if s.Until {
		long = patience
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for last := ""; ; {
		printed, status, err := sh.Run(ctx, s.Commands, s.Output == "")
		switch {
		case err != nil:
			return fmt.Errorf("%w\n%s\nprinted\n%s%s", err, s.Commands, last, printed)
		case s.Output == "" && status != 0:
			return fmt.Errorf("status %d\n%s\nprinted\n%s", status, s.Commands, printed)
		case s.Output == "" || s.Matches(printed):
			return nil
		case !s.Until:
			return fmt.Errorf("\n%s\nprinted\n%s\nthe page shows\n%s", s.Commands, printed, s.Output)
		}
		last = printed
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w\n%s\nprinted at last\n%s\nthe page shows\n%s", ctx.Err(), s.Commands, printed, s.Output)
		}
	}
}
