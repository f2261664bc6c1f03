package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"storefront/internal/drift"
	"storefront/internal/plan"
)

// Job is a run for one stack.
type Job struct {
	Bin     string    // directory of the project's programs: stack, check, cost
	Stack   string    // lab, dev or prod
	Profile string    // whose settings are checked and priced: lab, dev or prod
	Plan    string    // where to keep the plan, so that exactly this can be deployed; empty: nowhere
	Note    string    // what is looked at: "commit 1234567"
	Out     string    // directory for what is found
	Log     io.Writer // what the programs say on the way
}

// Preview finds out what a deployment would change, what that costs and which checks fail, and writes report.md, preview.json, cost.md and
// checks.json. A preview that fails is part of the report, not an error. What the programs say of every resource stays out of the directory.
func (j *Job) Preview(ctx context.Context) (*Preview, error) {
	dir, err := os.MkdirTemp("", "storefront-ci")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := j.begin(); err != nil {
		return nil, err
	}
	p := &Preview{Stack: j.Stack, Note: j.Note}
	raw, state := filepath.Join(dir, "preview.json"), filepath.Join(dir, "state.json")
	if err := j.plan(ctx, p, raw); err != nil {
		return nil, err
	}
	if p.Plan == nil {
		p.NoCost = "there is no preview."
	} else if err := j.cost(ctx, p, raw, state); err != nil {
		return nil, err
	}
	if err := j.check(ctx, p); err != nil {
		return nil, err
	}
	return p, j.write("report.md", p.WriteMarkdown)
}

func (j *Job) plan(ctx context.Context, p *Preview, raw string) error {
	args := []string{"preview", "-save", raw, "-json"}
	if j.Plan != "" {
		args = append(args, "-plan", j.Plan)
	}
	_, status, said, err := j.run(ctx, "stack", append([]string{"-stack", j.Stack}, args...)...)
	if err != nil {
		return err
	}
	if status != 0 {
		p.Failure = said
		return nil
	}
	text, err := os.ReadFile(raw)
	if err != nil {
		return err
	}
	if p.Plan, err = plan.Read(text); err != nil {
		return err
	}
	return j.write("preview.json", p.Plan.WriteJSON)
}

// cost compares with what is deployed.
func (j *Job) cost(ctx context.Context, p *Preview, raw, state string) error {
	out, status, said, err := j.run(ctx, "stack", "-stack", j.Stack, "export")
	if err != nil {
		return err
	}
	if status != 0 {
		return fmt.Errorf("the state of %s: %s", j.Stack, tail(said))
	}
	if err := os.WriteFile(state, out, 0o600); err != nil {
		return err
	}
	out, status, said, err = j.run(ctx, "cost", "-profile", j.Profile, "-base", state, "-markdown", raw)
	if err != nil {
		return err
	}
	if status > 1 { // 1: something has no price, which the text says
		p.NoCost = said
		return nil
	}
	p.Cost = string(out)
	return j.write("cost.md", func(w io.Writer) error { _, err := w.Write(out); return err })
}

// check judges the settings of the profile without AWS, so that what AWS has not answered yet does not count as a fault.
func (j *Job) check(ctx context.Context, p *Preview) error {
	if j.Profile == "lab" {
		p.NoCheck = "the scoreboard is about dev and prod."
		return nil
	}
	out, status, said, err := j.run(ctx, "check", "-profile", j.Profile, "-json")
	if err != nil {
		return err
	}
	if status > 1 { // 1: rows failed
		return fmt.Errorf("the scoreboard: %s", tail(said))
	}
	if p.Checks, err = parseChecks(out); err != nil {
		return err
	}
	return j.write("checks.json", func(w io.Writer) error { _, err := w.Write(out); return err })
}

// Drift asks whether the stack is as it was deployed, and writes drift.json and report.md. That the question could not be answered is an error.
func (j *Job) Drift(ctx context.Context) (*drift.Report, error) {
	if err := j.begin(); err != nil {
		return nil, err
	}
	out, status, said, err := j.run(ctx, "stack", "-stack", j.Stack, "-json", "drift")
	if err != nil {
		return nil, err
	}
	if status > 1 {
		return nil, fmt.Errorf("looking for drift of %s: %s", j.Stack, tail(said))
	}
	report, err := drift.Read(out)
	if err != nil {
		return nil, err
	}
	if err := j.write("drift.json", report.WriteJSON); err != nil {
		return nil, err
	}
	return report, j.write("report.md", func(w io.Writer) error {
		return fit(w, func(b *bytes.Buffer, lines int) error {
			fmt.Fprintf(b, "%s\n", Marker("drift", j.Stack))
			if err := report.WriteMarkdown(b, lines); err != nil {
				return err
			}
			if j.Note != "" {
				fmt.Fprintf(b, "\n%s\n", j.Note)
			}
			return nil
		})
	})
}

// begin makes the directory, without what an earlier run found: of a run that ends early nothing is there that could be taken for its result.
func (j *Job) begin() error {
	for _, name := range []string{"report.md", "preview.json", "cost.md", "checks.json", "drift.json"} {
		if err := os.Remove(filepath.Join(j.Out, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.MkdirAll(j.Out, 0o755)
}

// run runs one of the project's programs, and returns what it printed, its exit status and what it said on standard error.
func (j *Job) run(ctx context.Context, program string, args ...string) (out []byte, status int, said string, err error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, filepath.Join(j.Bin, program), args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // a deployment ends in order
	c.Stdout, c.Stderr = &stdout, io.MultiWriter(&stderr, j.Log)
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return stdout.Bytes(), exit.ExitCode(), strings.TrimSpace(stderr.String()), nil
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return stdout.Bytes(), 0, "", err
}

func (j *Job) write(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.Out, name), b.Bytes(), 0o644)
}
