package plan

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Summary tells the numbers in a line.
func (p *Plan) Summary() string {
	words := map[Kind]string{Replace: "replaced", Delete: "deleted", Update: "updated", Create: "created", Import: "imported"}
	var parts []string
	for _, k := range Kinds() {
		if n := p.Count(k); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[k]))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no changes"}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d unchanged", p.Unchanged)), ", ")
}

// WriteJSON writes the plan as an object.
func (p *Plan) WriteJSON(w io.Writer) error {
	counts := map[Kind]int{}
	for _, k := range Kinds() {
		counts[k] = p.Count(k)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Summary map[Kind]int `json:"summary"`
		*Plan
	}{counts, p})
}

// WriteText writes the summary, then a line for each resource with its properties below. Of what is created only the names are shown.
func (p *Plan) WriteText(w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.Join(append([]string{p.Summary()}, p.lines()...), "\n"))
	return err
}

// lines returns the changes with a sign in the first column, as those of a patch, which most viewers colour.
func (p *Plan) lines() (lines []string) {
	sign := map[Kind]string{Replace: "!", Delete: "-", Update: " ", Create: "+", Import: "+"}
	for _, c := range p.Changes {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", sign[c.Kind], c.Type, c.Name, c.Kind))
		if c.Kind == Create || c.Kind == Import {
			continue
		}
		for _, property := range c.Properties {
			lines = append(lines, sign[c.Kind]+"   "+property.String())
		}
	}
	return lines
}

// String is one line: the path and what becomes of the value, long ones cut to where they differ.
func (p Property) String() string {
	old, new := brief(show(p.Old), show(p.New))
	s := fmt.Sprintf("%s: %s -> %s", p.Path, old, new)
	if p.Forces {
		s += " (forces the replacement)"
	}
	return s
}

// show returns a value as JSON, but a text in base64, as user-data is, in plain words, and the masks as they are.
func show(v any) string {
	switch v {
	case nil:
		return "none"
	case Secret, Unknown, Deployed:
		return v.(string)
	}
	if text, ok := v.(string); ok && len(text) > 2*context {
		if plain, err := base64.StdEncoding.DecodeString(text); err == nil && utf8.Valid(plain) {
			v = string(plain)
		}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return Unknown // no value that came out of JSON
	}
	return strings.TrimSpace(b.String())
}

// context is how many characters are shown around what differs.
const context = 30

// brief cuts what two long texts have in common at their beginning and end.
func brief(old, new string) (string, string) {
	a, b := []rune(old), []rune(new)
	if max(len(a), len(b)) <= 4*context {
		return old, new
	}
	begin, end := 0, 0
	for begin < min(len(a), len(b)) && a[begin] == b[begin] {
		begin++
	}
	for end < min(len(a), len(b))-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return cut(a, begin, end), cut(b, begin, end)
}

func cut(text []rune, begin, end int) string {
	from, to := max(0, begin-context), min(len(text), len(text)-end+context)
	if to-from > 4*context {
		to = from + 4*context
	}
	s := string(text[from:to])
	if from > 0 {
		s = "…" + s
	}
	if to < len(text) {
		s += "…"
	}
	return s
}

// WriteMarkdown writes the plan for a comment: what is replaced or deleted first, and announced. At most limit lines of changes are
// written; how many are left out is told.
func (p *Plan) WriteMarkdown(w io.Writer, limit int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n", p.Summary())
	if replaced, deleted := p.Count(Replace), p.Count(Delete); replaced+deleted > 0 {
		fmt.Fprintf(&b, "\n> [!CAUTION]\n> **%d replaced** and %d deleted: what they hold, and their addresses, would be lost. They come first.\n", replaced, deleted)
	}
	if lines := p.lines(); len(lines) > 0 {
		fmt.Fprintf(&b, "\n%s\n", Fence("diff", Cut(lines, limit)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Cut returns at most limit lines, and one that tells how many were left out.
func Cut(lines []string, limit int) []string {
	if left := len(lines) - limit; left > 0 {
		return append(lines[:limit:limit], fmt.Sprintf("  and %d more lines", left))
	}
	return lines
}

// Fence returns lines as a block of code of Markdown, whose fence is longer than any run of backticks in them: nothing in a value ends it.
func Fence(language string, lines []string) string {
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence
}
