package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// checkError says that the check for drift itself failed.
type checkError struct{ error }

func (e *checkError) Unwrap() error { return e.error }

// change is one resource that is not as it was deployed.
type change struct {
	URN        string   `json:"urn"`
	Type       string   `json:"type"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`       // "changed" or "gone"
	Properties []string `json:"properties"` // paths of what changed
}

// drift asks the provider for every resource, as a refresh does, and changes nothing.
func drift(ctx context.Context, w *workspace) error {
	changes, err := w.findDrift(ctx)
	if err != nil {
		return &checkError{err}
	}
	if w.json {
		e := json.NewEncoder(w.out)
		e.SetIndent("", "  ")
		if err := e.Encode(changes); err != nil {
			return &checkError{err}
		}
	} else {
		printDrift(w, changes)
	}
	if len(changes) > 0 {
		return errDrift
	}
	return nil
}

func (w *workspace) findDrift(ctx context.Context) ([]change, error) {
	shown := w.out
	if w.json {
		w.out = os.Stderr
	}
	release, err := w.open(ctx)
	w.out = shown
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
	if err := quiet(refresh); err != nil {
		return nil, err
	}
	log, err := os.ReadFile(events)
	if err != nil {
		return nil, fmt.Errorf("reading the engine's events: %w", err)
	}
	return parseDrift(log)
}

// parseDrift reads the engine's event log of a refresh, a JSON object a line.
func parseDrift(log []byte) ([]change, error) {
	changes := []change{}
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e apitype.EngineEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("reading the engine's events: %w", err)
		}
		if e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == "error" {
			return nil, errors.New(strings.TrimSpace(e.DiagnosticEvent.Message))
		}
		if e.ResOutputsEvent == nil {
			continue
		}
		if c, changed := fromStep(e.ResOutputsEvent.Metadata); changed {
			changes = append(changes, c)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the engine's events: %w", err)
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.URN, b.URN) })
	return changes, nil
}

func fromStep(m apitype.StepEventMetadata) (change, bool) {
	name := m.URN[strings.LastIndex(m.URN, "::")+2:]
	c := change{URN: m.URN, Type: m.Type, Name: name, Kind: "changed", Properties: slices.Sorted(maps.Keys(m.DetailedDiff))}
	if len(c.Properties) == 0 {
		c.Properties = slices.Clone(m.Diffs)
	}
	switch m.Op {
	case apitype.OpDelete:
		c.Kind, c.Properties = "gone", []string{}
		return c, true
	case apitype.OpUpdate, apitype.OpReplace:
		return c, true
	}
	return c, false
}

func printDrift(w *workspace, changes []change) {
	for _, c := range changes {
		fmt.Fprintf(w.out, "%s: %s %s", c.Kind, c.Type, c.Name)
		if len(c.Properties) > 0 {
			fmt.Fprintf(w.out, ": %s", strings.Join(c.Properties, ", "))
		}
		fmt.Fprintln(w.out)
	}
	if len(changes) == 0 {
		fmt.Fprintln(w.out, "no drift")
		return
	}
	fmt.Fprintf(w.out, "%d of the stack's resources drifted; `make up` repairs what the program declares\n", len(changes))
}
