//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const preamble = `# Benchmarks

Written by ` + "`make bench`" + ` (test/bench) from test/bench/history.jsonl, which has every run with all its figures. Everything runs on a lab, a stack and a directory of their own.
A cold toolchain is built only with ` + "`COLD=1 make bench`" + `, the end-to-end suite run with ` + "`SUITE=1 make bench`" + `. ` + "`make soak`" + ` deploys and destroys the stack of test/small a hundred times in one lab, and looks at what is left when the lab
has come to rest. Unscaled waits are those that the provider makes on AWS. Throughput is over 32 connections; latency is that of one request at a time, in brackets what it
has more than the upstream alone. Of three rounds the best counts, and of the shares of nginx's throughput the median. Orders go through the whole chain, from a client
outside, with two servers in each fleet; their latency counts from when they were due, so that a stall is charged with all who would have come meanwhile. Load averages over the number of cores mean that
other work took its share, and then the tail latencies say little.
`

const dateLayout = "2006-01-02 15:04 UTC"

// main figures are those that the trend shows, with what heads their columns.
func mainFigures() [][2]string {
	return [][2]string{
		{upFigure, "`make up`"}, {idleFigure, "preview"}, {downFigure, "`make down`"}, {unscaledFigure, "up, unscaled"},
		{steadyFigure, "orders, 300/s"}, {limitFigure, "the most orders"}, {keepAliveFigure, "of nginx, keep-alive"}, {cyclesFigure, "SQS"},
	}
}

// document shows the newest run in full, what only earlier runs measured, and how the main figures changed. Runs come oldest first.
func document(runs []run) string {
	if len(runs) == 0 {
		return preamble
	}
	newest := runs[len(runs)-1]
	return preamble + newest.section() + earlier(runs).section("Measured by earlier runs only") + trend(runs).section("Trend")
}

func (r run) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s, commit %s\n%s. Load average before: %s, after: %s.\n", r.Date.UTC().Format(dateLayout), r.Commit, r.Machine, r.LoadBefore, r.LoadAfter)
	if r.Note != "" {
		b.WriteString(r.Note + "\n")
	}
	b.WriteString("\n" + r.table().markdown())
	if len(r.Missing) > 0 {
		b.WriteString("\nNot measured: " + strings.Join(r.Missing, "; ") + ".\n")
	}
	for _, t := range r.Tables {
		b.WriteString("\n### " + t.Title + "\n\n" + t.markdown())
	}
	return b.String()
}

func (r run) table() table {
	t := table{Columns: []string{"what", "measured", "target", "met"}}
	for _, f := range r.Figures {
		t.Rows = append(t.Rows, []string{f.What, f.Measured, f.Target, f.verdict()})
	}
	return t
}

func (f figure) verdict() string {
	switch {
	case f.Target == "":
		return ""
	case f.Met:
		return "yes"
	}
	return "**no**"
}

// of returns the run's figure of a name.
func (r run) of(what string) (figure, bool) {
	i := slices.IndexFunc(r.Figures, func(f figure) bool { return f.What == what })
	if i < 0 {
		return figure{}, false
	}
	return r.Figures[i], true
}

// earlier has the figures that not every run measures, of the last run that did: a cold toolchain, the end-to-end suite, a soak, or everything else when the newest run is a soak.
func earlier(runs []run) table {
	t := table{Columns: []string{"what", "measured", "target", "met", "on"}}
	seen := map[string]bool{}
	for i, r := range slices.Backward(runs) {
		_, soak := r.of(soaked)
		for _, f := range r.Figures {
			rare := soak || f.What == coldTools || f.What == suiteFigure
			if i < len(runs)-1 && !seen[f.What] && (rare || !seen[upFigure]) {
				t.Rows = append(t.Rows, []string{f.What, f.Measured, f.Target, f.verdict(), r.Date.UTC().Format(dateLayout)})
			}
		}
		for _, f := range r.Figures {
			seen[f.What] = true
		}
	}
	return t
}

// trend has a row for each run that deployed the stack, newest first.
func trend(runs []run) table {
	t := table{Columns: []string{"run", "commit", "load before"}}
	for _, f := range mainFigures() {
		t.Columns = append(t.Columns, f[1])
	}
	for _, r := range slices.Backward(runs) {
		if _, deployed := r.of(upFigure); !deployed {
			continue
		}
		load, _, _ := strings.Cut(r.LoadBefore, " ")
		row := []string{r.Date.UTC().Format(dateLayout), r.Commit, load}
		for _, m := range mainFigures() {
			f, _ := r.of(m[0])
			row = append(row, cmp.Or(f.Measured, "-"))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// section is a table under a heading, and nothing when it has no rows.
func (t table) section(heading string) string {
	if len(t.Rows) == 0 {
		return ""
	}
	return "\n## " + heading + "\n\n" + t.markdown()
}

func (t table) markdown() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Columns)
	b.WriteString(strings.Repeat("|---", len(t.Columns)) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}
