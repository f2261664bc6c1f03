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
	made, pending, err := w.contents(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(w.firstFile()); err == nil && (pending > 0 || made == 0) {
		w.first = true
		return w.emptyRegion(ctx)
	}
	if pending == 0 {
		return nil
	}
	fmt.Fprintf(w.out, "stack: the last deployment was killed while it made %d resources; if this one meets them, `make down` clears everything away\n", pending)
	if err := os.WriteFile(w.unknownFile(), nil, 0o600); err != nil {
		return fmt.Errorf("noting the deployment: %w", err)
	}
	return quiet(w.operate(ctx, "refresh", "--yes", "--skip-preview", "--clear-pending-creates"))
}

// emptyRegion takes away what a killed first deployment made.
func (w *workspace) emptyRegion(ctx context.Context) error {
	lab, err := regionOf(ctx, w.bin("lab"))
	if err != nil || len(lab.Resources) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "stack: the first deployment was killed halfway; it begins again, in an empty region")
	return w.beginAnew(ctx)
}

// unsaved is what Pulumi is told for a first deployment: to write its state once, at its end. It writes all of it before and after every resource otherwise,
// which was half of the processor's time of `make up`. When it is killed, the region begins anew in any case; interrupted or failed it still writes.
func unsaved() []string { return []string{"PULUMI_EXPERIMENTAL=true", "PULUMI_SKIP_CHECKPOINTS=true"} }

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

// unknownFile exists in a region in which an update was killed while it made resources, which Pulumi's state no longer tells after the next deployment.
func (w *workspace) unknownFile() string { return filepath.Join(w.stateDir(), "unknown") }

// hasUnknown reports whether there may be resources that Pulumi does not know, since their making was cut off.
func (w *workspace) hasUnknown(ctx context.Context) (bool, error) {
	if _, err := os.Stat(w.unknownFile()); err == nil {
		return true, nil
	}
	_, pending, err := w.contents(ctx)
	return pending > 0, err
}

// contents counts what the stack's state knows: resources, and those whose making was cut off.
func (w *workspace) contents(ctx context.Context) (made, pending int, err error) {
	out, err := w.pulumi(ctx, "stack", "export", "--stack", w.stack).Output()
	if err != nil {
		return 0, 0, fmt.Errorf("reading the stack's state: %w", err)
	}
	return countContents(out)
}

func countContents(export []byte) (made, pending int, err error) {
	var state struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal(export, &state); err != nil {
		return 0, 0, fmt.Errorf("reading the stack's state: %w", err)
	}
	for _, o := range state.Deployment.PendingOperations {
		if o.Type == apitype.OperationTypeCreating {
			pending++
		}
	}
	return len(state.Deployment.Resources), pending, nil
}
