package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// A Pulumi that is killed while resources are being made does not learn their IDs. It remembers only that it had begun, and the next deployment makes
// them a second time, which fails for what has a fixed name, range or port. In the lab, a region that held nothing before its first deployment can
// simply begin anew. Everything else is kept, and Pulumi's own way out is taken.

// mend prepares a stack whose last deployment was killed for the next one.
func (w *workspace) mend(ctx context.Context) error {
	if !w.isLab() {
		return nil // Pulumi warns, and the operator decides
	}
	pending, err := w.pendingCreates(ctx)
	if err != nil || pending == 0 {
		return err
	}
	if _, err := os.Stat(w.firstFile()); err == nil {
		fmt.Fprintln(w.out, "stack: the first deployment was killed halfway; it begins again, in an empty region")
		return w.beginAnew(ctx)
	}
	fmt.Fprintf(w.out, "stack: the last deployment was killed while it made %d resources; if this one meets them, `make down` clears everything away\n", pending)
	return quiet(w.operate(ctx, "refresh", "--yes", "--skip-preview", "--clear-pending-creates"))
}

func (w *workspace) beginAnew(ctx context.Context) error {
	if err := w.dropState(ctx); err != nil {
		return err
	}
	if err := quiet(exec.CommandContext(ctx, w.bin("lab"), "reset")); err != nil {
		return err
	}
	if err := os.Remove(w.regionFile()); err != nil {
		return fmt.Errorf("forgetting the region: %w", err)
	}
	return w.prepare(ctx)
}

// firstFile exists from the first deployment's start to its end, if the region was empty at its start.
func (w *workspace) firstFile() string { return filepath.Join(w.stateDir(), "first") }

func (w *workspace) noteFirst(first bool) error {
	if first {
		return os.WriteFile(w.firstFile(), nil, 0o600)
	}
	if err := os.Remove(w.firstFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("noting the deployment: %w", err)
	}
	return nil
}

// pendingCreates counts the resources whose making was cut off.
func (w *workspace) pendingCreates(ctx context.Context) (int, error) {
	out, err := w.pulumi(ctx, "stack", "export", "--stack", w.stack).Output()
	if err != nil {
		return 0, fmt.Errorf("reading the stack's state: %w", err)
	}
	return countPending(out)
}

func countPending(export []byte) (n int, err error) {
	var state struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal(export, &state); err != nil {
		return 0, fmt.Errorf("reading the stack's state: %w", err)
	}
	for _, o := range state.Deployment.PendingOperations {
		if o.Type == apitype.OperationTypeCreating {
			n++
		}
	}
	return n, nil
}
