package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Count returns how many results have an outcome.
func Count(results []Result, o Outcome) (n int) {
	for _, r := range results {
		if r.Outcome == o {
			n++
		}
	}
	return n
}

// Summary is the last line of every report.
func Summary(results []Result) string {
	return fmt.Sprintf("%d met, %d failed, %d excepted, %d not applicable",
		Count(results, Met), Count(results, Failed), Count(results, Excepted), Count(results, NotApplicable))
}

// Details returns what there is to say about a result: each problem with the resources that have it, then the reasons.
func (r Result) Details() (lines []string) {
	for _, p := range r.Problems {
		var names []string
		for _, other := range r.Problems {
			if other.Detail == p.Detail && !slices.Contains(names, other.Resource) {
				names = append(names, other.Resource)
			}
		}
		line := strings.Join(names, ", ") + ": " + p.Detail
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, reason := range r.Reasons {
		lines = append(lines, "because "+reason)
	}
	return lines
}

// WriteTable writes a row a line, with its details below each other, and the summary.
func WriteTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROW\tBLOCK\tMEANING\tOUTCOME\tDETAIL")
	for _, r := range results {
		lines := append(r.Details(), "")
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", r.ID, r.Block, r.Meaning, r.Outcome, lines[0])
		for _, line := range lines[1:max(1, len(lines)-1)] {
			fmt.Fprintf(t, "\t\t\t\t%s\n", line)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, Summary(results))
	return err
}

// WriteJSON writes the rows as a list of objects.
func WriteJSON(w io.Writer, results []Result) error {
	type row struct {
		ID       int       `json:"row"`
		Block    string    `json:"block"`
		Meaning  string    `json:"meaning"`
		AWS      string    `json:"aws,omitempty"`
		Checkov  string    `json:"checkov,omitempty"`
		Outcome  Outcome   `json:"outcome"`
		Problems []Problem `json:"problems,omitempty"`
		Reasons  []string  `json:"reasons,omitempty"`
	}
	rows := make([]row, len(results))
	for i, r := range results {
		rows[i] = row{r.ID, r.Block, r.Meaning, r.AWS, r.Checkov, r.Outcome, r.Problems, r.Reasons}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
