package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// deploy runs Pulumi's up. After one that did not end well it looks first at what is there: of a resource that failed halfway, Pulumi remembers what it
// wanted and not what it got, such as tags that were never written.
func (w *workspace) deploy(ctx context.Context) error {
	args := []string{"up", "--yes", "--skip-preview"}
	if w.plan != "" {
		args = append(args, "--plan", w.plan)
	} else if _, err := os.Stat(w.unfinishedFile()); err == nil && !w.refresh {
		fmt.Fprintln(w.out, "stack: the last deployment did not end well; this one looks first at what is there")
		w.refresh = true
	}
	if w.refresh {
		args = append(args, "--refresh")
	}
	if err := os.WriteFile(w.unfinishedFile(), nil, 0o600); err != nil {
		return fmt.Errorf("noting the deployment: %w", err)
	}
	if w.trace != "" { // has all that is sent to the plugin
		if err := os.WriteFile(w.trace, nil, 0o600); err != nil {
			return fmt.Errorf("the trace: %w", err)
		}
		args = append(args, "--otel-traces", "file://"+w.trace)
	}
	c := w.operate(ctx, args...)
	if w.first {
		c.Env = append(c.Env, unsaved()...)
	}
	if err := w.show(c); err != nil {
		return err
	}
	if err := os.Remove(w.unfinishedFile()); err != nil {
		return fmt.Errorf("noting the deployment: %w", err)
	}
	return w.noteFirst(false)
}

// unfinishedFile exists from the start of a deployment to its good end.
func (w *workspace) unfinishedFile() string {
	return filepath.Join(w.stateDir(), "unfinished-"+w.stack)
}

// dropCutAttributes removes attributes of the state's files that a killed Pulumi had begun to write: it replaces the files themselves in one step, but not
// what its library keeps beside them, and with half of that it takes the state for broken. Without it, it does well.
func (w *workspace) dropCutAttributes() error {
	err := filepath.WalkDir(filepath.Join(w.stateDir(), ".pulumi"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".attrs") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || json.Valid(text) {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking after the state: %w", err)
	}
	return nil
}
