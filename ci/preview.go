// Package ci is what continuous integration does with a stack: it runs the project's programs, writes what they answer into files, and
// composes the texts that people read. What runs it, GitHub or anything else, only calls make.
package ci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"storefront/internal/plan"
)

// room is how many bytes of a comment or an issue are used. GitHub takes 65,536 characters.
const room = 60_000

// Preview is what is told of a change before it is deployed.
type Preview struct {
	Stack   string
	Note    string     // what was looked at: "commit 1234567"
	Plan    *plan.Plan // nil: the preview failed
	Failure string     // why there is no plan
	Cost    string     // Markdown; empty: there is no estimate
	NoCost  string     // why there is no estimate
	Checks  []Check    // nil: nothing was checked
	NoCheck string     // why nothing was checked
}

// Check is a row of the security scoreboard, as `make check JSON=1` prints it.
type Check struct {
	Row      int    `json:"row"`
	Block    string `json:"block"`
	Meaning  string `json:"meaning"`
	Outcome  string `json:"outcome"`
	Problems []struct {
		Resource string `json:"resource"`
		Detail   string `json:"detail"`
	} `json:"problems"`
}

// Marker is the first line of everything that is posted about a stack, by which the next run finds it again.
func Marker(what, stack string) string { return fmt.Sprintf("<!-- storefront %s %s -->", what, stack) }

// Failed says whether the change should not be merged as it is.
func (p *Preview) Failed() bool { return p.Plan == nil || len(p.failed()) > 0 }

func (p *Preview) failed() (failed []Check) {
	for _, c := range p.Checks {
		if c.Outcome == "failed" {
			failed = append(failed, c)
		}
	}
	return failed
}

// WriteMarkdown writes the report: what would change, what that costs, and which checks fail. A plan is cut until the report fits into a
// comment.
func (p *Preview) WriteMarkdown(w io.Writer) error { return fit(w, p.write) }

// fit writes a report with as many lines of changes as there is room for.
func fit(w io.Writer, write func(b *bytes.Buffer, lines int) error) error {
	for lines := 400; ; lines /= 2 {
		var b bytes.Buffer
		if err := write(&b, lines); err != nil {
			return err
		}
		if b.Len() <= room || lines == 0 {
			_, err := w.Write(b.Bytes())
			return err
		}
	}
}

func (p *Preview) write(b *bytes.Buffer, lines int) error {
	fmt.Fprintf(b, "%s\n## Preview of `%s`\n", Marker("preview", p.Stack), p.Stack)
	if p.Note != "" {
		fmt.Fprintf(b, "%s\n", p.Note)
	}
	b.WriteString("\n")
	if p.Plan == nil {
		fmt.Fprintf(b, "**The preview failed.**\n\n%s\n", plan.Fence("", strings.Split(tail(p.Failure), "\n")))
	} else if err := p.Plan.WriteMarkdown(b, lines); err != nil {
		return err
	}
	b.WriteString("\n### Cost\n")
	if p.Cost != "" {
		b.WriteString(strings.TrimSpace(p.Cost) + "\n")
	} else {
		fmt.Fprintf(b, "No estimate: %s\n", tail(p.NoCost))
	}
	b.WriteString("\n### Checks\n")
	b.WriteString(p.checks())
	return nil
}

func (p *Preview) checks() string {
	if p.Checks == nil {
		return fmt.Sprintf("Nothing was checked: %s\n", tail(p.NoCheck))
	}
	failed := p.failed()
	if len(failed) == 0 {
		return fmt.Sprintf("None of %d rows of the scoreboard failed.\n", len(p.Checks))
	}
	var lines []string
	for _, c := range failed {
		lines = append(lines, fmt.Sprintf("%d %s: %s", c.Row, c.Block, c.Meaning))
		for _, problem := range c.Problems {
			lines = append(lines, fmt.Sprintf("   %s: %s", problem.Resource, problem.Detail))
		}
	}
	return fmt.Sprintf("**%d of %d rows of the scoreboard failed.**\n\n%s\n", len(failed), len(p.Checks), plan.Fence("", lines))
}

func parseChecks(text []byte) ([]Check, error) {
	var checks []Check
	if err := json.Unmarshal(text, &checks); err != nil {
		return nil, fmt.Errorf("reading the scoreboard: %w", err)
	}
	return checks, nil
}

// tail returns the end of what a program said, which has the reason.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	text = strings.Join(lines[max(0, len(lines)-30):], "\n")
	return strings.ToValidUTF8(text[max(0, len(text)-4000):], "")
}
