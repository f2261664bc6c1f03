package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"storefront/internal/plan"
)

// mostLines is how many lines of changes fit into a comment of GitHub, which has room for 65,536 characters.
const mostLines = 400

// preview shows what up would change: with Pulumi's own display, or summed up.
func preview(ctx context.Context, w *workspace) error {
	args := []string{"preview"}
	if w.plan != "" {
		args = append(args, "--save-plan", w.plan)
	}
	if !w.json && !w.markdown && w.save == "" {
		release, err := w.open(ctx)
		if err != nil {
			return err
		}
		defer release()
		return w.show(w.operate(ctx, args...))
	}
	release, err := w.openQuietly(ctx)
	if err != nil {
		return err
	}
	defer release()
	var out, problems bytes.Buffer
	c := w.operate(ctx, append(args, "--json", "--show-sames", "--non-interactive")...)
	c.Stdout, c.Stderr = &out, &problems
	failed := c.Run()
	p, err := plan.Read(out.Bytes())
	if failed != nil && (err == nil || errors.Is(err, plan.ErrFormat)) { // otherwise the reason is in err
		return fmt.Errorf("pulumi preview: %w\n%s", failed, problems.Bytes())
	}
	if err != nil {
		return err
	}
	if w.save != "" {
		if err := os.WriteFile(w.save, out.Bytes(), 0o600); err != nil {
			return fmt.Errorf("keeping the preview: %w", err)
		}
	}
	return w.write(p)
}

// showPlan shows a preview or a plan that was kept in a file.
func showPlan(_ context.Context, w *workspace) error {
	text, err := os.ReadFile(w.file)
	if err != nil {
		return err
	}
	p, err := plan.Read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", w.file, err)
	}
	return w.write(p)
}

func (w *workspace) write(p *plan.Plan) error {
	switch {
	case w.json:
		return p.WriteJSON(w.out)
	case w.markdown:
		return p.WriteMarkdown(w.out, mostLines)
	}
	return p.WriteText(w.out)
}

// export prints the state, as Pulumi does: what is secret in it stays encrypted.
func export(ctx context.Context, w *workspace) error {
	release, err := w.openQuietly(ctx)
	if err != nil {
		return err
	}
	defer release()
	c := w.pulumi(ctx, "stack", "export", "--stack", w.stack)
	c.Stdout, c.Stderr = w.out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("reading the stack's state: %w", err)
	}
	return nil
}
