package drift

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"storefront/internal/plan"
)

// WriteJSON writes the report as an object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteText writes each resource that drifted with its properties below, then what was left out and what the list says for nothing.
func (r *Report) WriteText(w io.Writer) error {
	lines := r.drifted()
	for _, k := range r.known() {
		lines = append(lines, "known: "+k)
	}
	for _, k := range r.Stale {
		lines = append(lines, fmt.Sprintf("stale: nothing of the stack has %s of %s: remove the entry from internal/drift/known.yaml", strings.Join(k.Properties, ", "), strings.Join(k.Types, ", ")))
	}
	_, err := fmt.Fprintln(w, strings.Join(append(lines, r.summary()), "\n"))
	return err
}

// WriteMarkdown writes the report for an issue: of what drifted, and of what is known, at most limit lines each; how many are left out is told.
func (r *Report) WriteMarkdown(w io.Writer, limit int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", r.summary())
	if len(r.Drifted) > 0 {
		fmt.Fprintf(&b, "\n%s\n", plan.Fence("", plan.Cut(r.drifted(), limit)))
	}
	if len(r.Known) > 0 {
		fmt.Fprintf(&b, "\nKnown, and not counted:\n\n%s\n", plan.Fence("", plan.Cut(r.known(), limit)))
	}
	if len(r.Stale) > 0 {
		fmt.Fprintf(&b, "\n%d entries of `internal/drift/known.yaml` are stale.\n", len(r.Stale))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) summary() string {
	if len(r.Drifted) == 0 {
		return fmt.Sprintf("no drift in %d resources", r.Looked)
	}
	return fmt.Sprintf("%d of %d resources drifted; `make up REFRESH=1` repairs what the program declares", len(r.Drifted), r.Looked)
}

func (r *Report) drifted() (lines []string) {
	for _, c := range r.Drifted {
		word := "changed"
		if c.Kind == plan.Delete {
			word = "gone"
		}
		lines = append(lines, fmt.Sprintf("%s: %s %s", word, c.Type, c.Name))
		for _, p := range c.Properties {
			lines = append(lines, "  "+p.String())
		}
	}
	return lines
}

func (r *Report) known() (lines []string) {
	for _, m := range r.Known {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", m.URN[strings.LastIndex(m.URN, "$")+1:], m.Property, m.Reason))
	}
	return lines
}

// Read reads what WriteJSON wrote.
func Read(text []byte) (*Report, error) {
	var r Report
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("reading a report of drift: %w", err)
	}
	return &r, nil
}
