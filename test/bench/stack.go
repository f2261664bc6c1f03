//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"storefront/lab/control"
)

// labMemory is the most that the lab's daemon may hold when nothing happens, without PostgreSQL and Redis.
const labMemory = 100 << 20

// overFloor is how much longer an unscaled deployment may take than the provider's waiters pause, along what has to happen one after the other.
const overFloor = 1.15

// settle is how long the daemon is left alone before its memory is read.
const settle = 10 * time.Second

const (
	upFigure       = "`make up`: from nothing to a served page"
	idleFigure     = "`make preview`, empty"
	downFigure     = "`make down`: stack destroyed, lab gone"
	unscaledFigure = "`make up`, unscaled waits"
)

// phase is one command on the stack. Those after the deployment have nothing to change.
type phase struct {
	what, target string
	within       time.Duration
	idle         bool
}

// scaled measures the stack's life as `make up` has it in the lab.
func (b *bench) scaled(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		if err := s.walk(ctx, []phase{{upFigure, "up", 45 * time.Second, false}}); err != nil {
			return err
		}
		if err := s.memory(ctx, "lab memory, the stack deployed"); err != nil {
			return err
		}
		return s.walk(ctx, []phase{
			{"`make up` again: nothing to do", "up", 0, true},
			{idleFigure, "preview", 5 * time.Second, true},
			{"`make drift`, none", "drift", 0, false},
			{downFigure, "down", 30 * time.Second, false},
		})
	}, "STOREFRONT_WAIT_SCALE=0.01")
}

// unscaled measures it with the provider's waits as long as they are on AWS. The targets are those of the lab: there are none here.
func (b *bench) unscaled(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		p, took, err := s.profiled(ctx)
		if err != nil {
			return err
		}
		b.run.Tables = append(b.run.Tables, p.critical("The critical path of it with unscaled waits"))
		b.add(atMost(unscaledFigure, took.all(), 0))
		floor := p.floor()
		over := float64(took.all()) / float64(floor)
		b.add(figure{What: "`make up`, unscaled waits, in times of the provider's own pauses", Measured: fmt.Sprintf("%.2f times %s", over, seconds(floor)),
			Target: fmt.Sprintf("≤ %.2f", overFloor), Met: over <= overFloor})
		return s.walk(ctx, []phase{
			{"`make preview`, unscaled waits", "preview", 0, true},
			{"`make drift`, unscaled waits", "drift", 0, false},
			{"`make down`, unscaled waits", "down", 0, false},
		})
	}, "STOREFRONT_WAIT_SCALE=1")
}

// profile tells where a scaled deployment spends its time. It is one of its own: being traced takes time too.
func (b *bench) profile(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		p, took, err := s.profiled(ctx)
		if err != nil {
			return err
		}
		b.run.Tables = append(b.run.Tables, p.phases(took.begin, took.end, took.processor), p.critical("The critical path of it"), p.costliest())
		return nil
	}, "STOREFRONT_WAIT_SCALE=0.01")
}

// taken is when a command ran, with the time of processors that it and what it waited for used.
type taken struct {
	begin, end time.Time
	processor  time.Duration
}

func (t taken) all() time.Duration { return t.end.Sub(t.begin) }

// profiled deploys the stack with a trace.
func (s *site) profiled(ctx context.Context) (*profile, taken, error) {
	trace := filepath.Join(s.dir, "trace.json")
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &before); err != nil {
		return nil, taken{}, err
	}
	t := taken{begin: time.Now()}
	if _, _, err := s.b.timed(ctx, s.b.root, s.env, "make", "-s", "up", "TRACE="+trace); err != nil {
		return nil, t, err
	}
	t.end = time.Now()
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &after); err != nil {
		return nil, t, err
	}
	t.processor = time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	export, err := s.b.command(ctx, s.b.root, append(s.env, "PULUMI_CONFIG_PASSPHRASE=lab"), filepath.Join("bin", "pulumi"), "stack", "export", "--stack", "lab")
	if err != nil {
		return nil, t, err
	}
	p, err := readProfile(trace, export)
	return p, t, err
}

func (s *site) walk(ctx context.Context, phases []phase) error {
	for _, p := range phases {
		out, took, err := s.make(ctx, p.target)
		if err != nil {
			return err
		}
		if p.idle && !unchanged(out) {
			return fmt.Errorf("make %s had something to do, so its time says nothing:\n%s", p.target, out)
		}
		s.b.add(atMost(p.what, took, p.within))
	}
	return nil
}

var summary = regexp.MustCompile(`(?m)^Resources:\n((?:    .*\n)+)`)

var onlyUnchanged = regexp.MustCompile(`^    \d+ unchanged\n$`)

// unchanged reports whether Pulumi's summary says that nothing was, or is, to be done.
func unchanged(out string) bool {
	m := summary.FindStringSubmatch(out)
	return m != nil && onlyUnchanged.MatchString(m[1])
}

// memory leaves the lab alone for a moment and reads what its daemon holds.
func (s *site) memory(ctx context.Context, what string) error {
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	status, err := control.NewClient(s.labDir()).Status(ctx)
	if err != nil {
		return err
	}
	f := memory(what, status.MemoryBytes, labMemory)
	s.b.say("%s: %s", f.What, f.Measured)
	s.b.add(f)
	return nil
}
