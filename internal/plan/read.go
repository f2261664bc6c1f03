package plan

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// step is one step of the engine, in a preview or in an event.
type step struct {
	op       apitype.OpType
	urn      string
	old, new values
	diffs    []string                        // top-level properties
	forcing  []string                        // top-level properties that force a replacement
	detail   map[string]apitype.PropertyDiff // by path
	refresh  bool                            // new is what was found, not what is wanted
}

// values are the properties of a resource, as they are in JSON.
type values struct{ Inputs, Outputs map[string]any }

// Read reads a file of any of the two kinds that can be kept: what `pulumi preview --json` wrote, or `pulumi preview --save-plan`. The
// error is ErrFormat, or what the preview failed with.
func Read(file []byte) (*Plan, error) {
	var kind struct {
		Plan          json.RawMessage `json:"plan"`
		ResourcePlans json.RawMessage `json:"resourcePlans"`
	}
	if err := json.Unmarshal(file, &kind); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case kind.ResourcePlans != nil:
		return saved(file)
	case kind.Plan != nil:
		return saved(kind.Plan)
	}
	return preview(file)
}

// preview reads what `pulumi preview --json` writes.
func preview(file []byte) (*Plan, error) {
	var digest struct {
		Steps []struct {
			Op             apitype.OpType
			URN            string
			OldState       values
			NewState       values
			DiffReasons    []string
			ReplaceReasons []string
			DetailedDiff   map[string]struct {
				Kind      apitype.DiffKind
				InputDiff bool
			}
		}
		ChangeSummary map[apitype.OpType]int
		Diagnostics   []struct{ Message, Severity string }
	}
	if err := json.Unmarshal(file, &digest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	var problems []error
	for _, d := range digest.Diagnostics {
		if d.Severity == "error" {
			problems = append(problems, errors.New(strings.TrimSpace(strings.TrimPrefix(d.Message, "error: "))))
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("the preview failed: %w", errors.Join(problems...))
	}
	if digest.ChangeSummary == nil {
		return nil, fmt.Errorf("%w: neither steps nor a plan are there", ErrFormat)
	}
	var steps []step
	for _, s := range digest.Steps {
		detail := map[string]apitype.PropertyDiff{}
		for path, d := range s.DetailedDiff {
			detail[path] = apitype.PropertyDiff{Kind: d.Kind, InputDiff: d.InputDiff}
		}
		steps = append(steps, step{s.Op, s.URN, s.OldState, s.NewState, s.DiffReasons, s.ReplaceReasons, detail, false})
	}
	p, err := collect(steps)
	if err != nil {
		return nil, err
	}
	p.Unchanged = digest.ChangeSummary[apitype.OpSame] // steps of what stays are there with --show-sames only
	return p, nil
}

// Refreshed is what a refresh found.
type Refreshed struct {
	Plan                     // Update: a resource is not as it was deployed; Delete: it is gone
	Has  map[string][]string // top-level properties of all resources, by type
}

// Refresh reads the engine's event log of a refresh, a JSON object a line. The error is ErrFormat, ErrNothing, or what the refresh failed with.
func Refresh(log io.Reader) (*Refreshed, error) {
	var steps []step
	r := &Refreshed{Has: map[string][]string{}}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e apitype.EngineEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == "error" {
			return nil, fmt.Errorf("the refresh failed: %s", strings.TrimSpace(e.DiagnosticEvent.Message))
		}
		if e.ResOutputsEvent == nil {
			continue
		}
		m := e.ResOutputsEvent.Metadata
		s := step{op: m.Op, urn: m.URN, diffs: m.Diffs, detail: m.DetailedDiff, refresh: true}
		if m.Old != nil {
			s.old = values{m.Old.Inputs, m.Old.Outputs}
			r.note(m.Type, s.old)
		}
		if m.New != nil {
			s.new = values{m.New.Inputs, m.New.Outputs}
			r.note(m.Type, s.new)
		}
		s.leaveFound()
		steps = append(steps, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	p, err := collect(steps)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		return nil, ErrNothing
	}
	r.Plan = *p
	return r, nil
}

// leaveFound leaves those differences of a refresh whose properties were found to be other than the state has them. The provider also compares what was wanted with what it
// found, element by element; where an earlier refresh brought a set into another order, as that of a web ACL's rules, this finds differences and nothing has changed.
func (s *step) leaveFound() {
	if s.op != apitype.OpUpdate {
		return
	}
	as := func(path string) bool {
		key := path
		if end := strings.IndexAny(path, ".["); end > 0 {
			key = path[:end]
		}
		old, known := s.old.Outputs[key]
		return known && Property{Old: mask(old), New: mask(s.new.Outputs[key])}.same()
	}
	maps.DeleteFunc(s.detail, func(path string, _ apitype.PropertyDiff) bool { return as(path) })
	s.diffs = slices.DeleteFunc(s.diffs, as)
	if len(s.detail)+len(s.diffs) == 0 {
		s.op = apitype.OpSame
	}
}

func (r *Refreshed) note(kind string, v values) {
	for _, m := range []map[string]any{v.Inputs, v.Outputs} {
		for key := range m {
			if !slices.Contains(r.Has[kind], key) {
				r.Has[kind] = append(r.Has[kind], key)
			}
		}
	}
}

// collect makes one change of all steps of a resource.
func collect(steps []step) (*Plan, error) {
	p := &Plan{Changes: []Change{}}
	at := map[string]int{}
	for _, s := range steps {
		kind, changes, err := kindOf(s.op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.urn, err)
		}
		if !changes {
			p.Unchanged++
			continue
		}
		c := Change{URN: s.urn, Type: typeOf(s.urn), Name: nameOf(s.urn), Kind: kind, Properties: s.properties(kind)}
		i, known := at[s.urn]
		switch {
		case !known:
			at[s.urn] = len(p.Changes)
			p.Changes = append(p.Changes, c)
		case s.op == apitype.OpReplace: // between the steps that make and that delete, with all that there is to say
			p.Changes[i] = c
		}
	}
	p.sort()
	return p, nil
}

// kindOf returns what a step does to its resource, if anything.
func kindOf(op apitype.OpType) (kind Kind, changes bool, err error) {
	switch op {
	case apitype.OpSame, apitype.OpRead, apitype.OpReadReplacement, apitype.OpReadDiscard, apitype.OpDiscardReplaced, apitype.OpRefresh, apitype.OpRemovePendingReplace:
		return "", false, nil
	case apitype.OpCreate:
		return Create, true, nil
	case apitype.OpUpdate:
		return Update, true, nil
	case apitype.OpDelete, apitype.OpDeleteReplaced: // alone, the latter ends a replacement that was interrupted
		return Delete, true, nil
	case apitype.OpReplace, apitype.OpCreateReplacement, apitype.OpImportReplacement:
		return Replace, true, nil
	case apitype.OpImport:
		return Import, true, nil
	}
	return "", false, fmt.Errorf("%w: the operation %q is new to this program", ErrFormat, op)
}
