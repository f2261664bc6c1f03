//go:build linux

package small

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Stack is the small stack of a clone in a lab of its own.
type Stack struct {
	Clone  string   // see Clone
	LabDir string   // of the lab
	Env    []string // names the lab (LAB_DIR, LAB_PORT), and PULUMI_BACKEND_URL and PULUMI_HOME
	env    []string // of Pulumi
	config string
}

// settled is how long the lab gets to clear away what it clears away by itself.
const settled = 90 * time.Second

// Repeat starts the lab, and deploys and destroys the stack so many times after two that warm it up. It returns the footprints after these two and at the end, each
// taken when the lab had come to rest, and tells after every repetition how long it took.
func (s *Stack) Repeat(ctx context.Context, times int, tell func(repetition int, took time.Duration)) (before, after Footprint, err error) {
	if err := s.start(ctx); err != nil {
		return before, after, err
	}
	for n := -1; n <= times; n++ {
		if n == 1 {
			if before, err = s.rest(ctx, Footprint{}); err != nil {
				return before, after, err
			}
		}
		begin := time.Now()
		for _, operation := range []string{"up", "destroy"} {
			if err := s.run(ctx, "pulumi", operation, "--yes", "--skip-preview", "--stack", "lab", "--config-file", s.config); err != nil {
				return before, after, fmt.Errorf("repetition %d: %w", n, err)
			}
		}
		if n > 0 {
			tell(n, time.Since(begin))
		}
	}
	after, err = s.rest(ctx, before)
	return before, after, err
}

// rest waits until the lab holds no more than it did, or for settled if it never does, and measures. Without a former footprint it waits until nothing changes any more.
func (s *Stack) rest(ctx context.Context, former Footprint) (f Footprint, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for deadline := time.Now().Add(settled); ; {
		last := f
		if f, err = Measure(ctx, s.LabDir); err != nil {
			return f, err
		}
		limit := former
		if former == (Footprint{}) {
			limit = last
		}
		if len(f.More(limit)) == 0 || time.Now().After(deadline) {
			return f, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return f, ctx.Err()
		}
	}
}

// start starts the lab and makes the stack.
func (s *Stack) start(ctx context.Context) error {
	s.env = append(os.Environ(), s.Env...)
	if err := s.run(ctx, "lab", "up"); err != nil {
		return err
	}
	show := exec.CommandContext(ctx, filepath.Join(s.Clone, "bin", "lab"), "env")
	show.Env = s.env
	exports, err := show.Output()
	if err != nil {
		return fmt.Errorf("asking the lab for its credentials: %w", err)
	}
	temporary := filepath.Join(s.Clone, "tmp")
	s.env = append(s.env, "STOREFRONT_WAIT_SCALE=0.01", "PULUMI_CONFIG_PASSPHRASE=lab", "PULUMI_SKIP_UPDATE_CHECK=true", "TMPDIR="+temporary,
		"PATH="+filepath.Join(s.Clone, "bin")+":"+os.Getenv("PATH"))
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return err
	}
	committed := filepath.Join(s.Clone, settings, "Pulumi.lab.yaml")
	text, err := os.ReadFile(committed)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(exports)) {
		key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		if key == "AWS_ENDPOINT_URL" { // which is a setting of the stack
			text = []byte(strings.Replace(string(text), "http://127.0.0.1:4566", value, 1))
		} else {
			s.env = append(s.env, key+"="+value)
		}
	}
	s.config = filepath.Join(s.Clone, "Pulumi.lab.yaml")
	if err := os.WriteFile(s.config, text, 0o600); err != nil {
		return err
	}
	return s.run(ctx, "pulumi", "stack", "select", "--create", "lab")
}

// run runs a program of the clone.
func (s *Stack) run(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, filepath.Join(s.Clone, "bin", program), args...)
	c.Dir, c.Env = s.Clone, s.env
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", program, args[0], err, out)
	}
	return nil
}
