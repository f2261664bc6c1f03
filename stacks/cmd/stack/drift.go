package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	known "storefront/internal/drift"
	"storefront/internal/plan"
)

// checkError says that the check for drift itself failed.
type checkError struct{ error }

func (e *checkError) Unwrap() error { return e.error }

// drift asks the provider for every resource, as a refresh does, and changes nothing.
func drift(ctx context.Context, w *workspace) error {
	report, err := w.findDrift(ctx)
	if err != nil {
		return &checkError{err}
	}
	write := report.WriteText
	switch {
	case w.json:
		write = report.WriteJSON
	case w.markdown:
		write = func(out io.Writer) error { return report.WriteMarkdown(out, mostLines) }
	}
	if err := write(w.out); err != nil {
		return &checkError{err}
	}
	if len(report.Drifted) > 0 {
		return errDrift
	}
	return nil
}

func (w *workspace) findDrift(ctx context.Context) (*known.Report, error) {
	list, err := known.Committed()
	if err != nil {
		return nil, err
	}
	release, err := w.openQuietly(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	dir, err := os.MkdirTemp("", "storefront-drift")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	events := filepath.Join(dir, "events")
	refresh := w.operate(ctx, "refresh", "--preview-only", "--non-interactive", "--event-log", events)
	refresh.Env = append(refresh.Env, "PULUMI_DEBUG_COMMANDS=true") // where Pulumi keeps --event-log, which its Automation API lives on
	failed := quiet(refresh)
	log, err := os.Open(events)
	if failed != nil && errors.Is(err, os.ErrNotExist) { // before there was an engine
		return nil, failed
	}
	if err != nil {
		return nil, errors.Join(failed, fmt.Errorf("reading the engine's events: %w", err))
	}
	defer log.Close()
	found, err := plan.Refresh(log)
	if failed != nil && (err == nil || errors.Is(err, plan.ErrFormat) || errors.Is(err, plan.ErrNothing)) { // otherwise the reason is in err
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	return known.Compare(found, list), nil
}
