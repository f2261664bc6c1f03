//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// figure is one measured value beside its target.
type figure struct {
	What     string
	Measured string
	Target   string // "" where there is none
	Met      bool   // of no meaning without a target
}

// run is what one run measured, and on what machine.
type run struct {
	Date       time.Time
	Commit     string // short; with "+changes" when the tree was not clean
	Machine    string
	LoadBefore string // load averages over 1, 5 and 15 minutes
	LoadAfter  string
	Figures    []figure
	Missing    []string // what could not be measured, and what to do
}

// atMost is a duration with its upper bound; none when target is 0.
func atMost(what string, d, target time.Duration) figure {
	f := figure{What: what, Measured: seconds(d)}
	if target > 0 {
		f.Target, f.Met = "≤ "+seconds(target), d <= target
	}
	return f
}

// memory is a size in bytes with its upper bound.
func memory(what string, bytes, target int64) figure {
	return figure{What: what, Measured: fmt.Sprintf("%d MB", bytes>>20), Target: fmt.Sprintf("< %d MB", target>>20), Met: bytes < target}
}

// seconds writes a duration with the digits that say something.
func seconds(d time.Duration) string {
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60), " 0 s")
	case d >= time.Second:
		return strings.Replace(fmt.Sprintf("%.1f s", d.Seconds()), ".0 s", " s", 1)
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
}

const preamble = `# Benchmarks

Written by ` + "`make bench`" + ` (test/bench): the newest run first. Everything runs on a lab, a stack and a directory of their own. A date beside a figure says
that an earlier run measured it: a cold toolchain is built only with ` + "`COLD=1 make bench`" + `. Unscaled waits are those that the provider makes on AWS. ` + "`make soak`" + `
deploys and destroys the stack of test/small a hundred times in one lab, and looks at what is left when the lab has come to rest.
Throughput is over 32 connections; latency is that of one request at a time, in brackets what it has more than the upstream alone. Of three rounds
the best counts, and of the shares of nginx's throughput the median. Orders go through the whole chain, from a client outside; their latency counts from when they
were due, so that a stall is charged with all who would have come meanwhile. Load averages over the number of cores mean that other work took its share, and
then the tail latencies say little.
`

const (
	dateLayout = "2006-01-02 15:04 UTC"
	columns    = "| what | measured | target | met |\n|---|---|---|---|\n"
)

// document puts a run in front of the runs that a former document holds.
func document(r run, before string) string {
	history := ""
	if i := strings.Index(before, "\n## "); i >= 0 {
		history = before[i:]
	}
	if f, ok := lastFigure(history, coldTools); ok && !r.measured(coldTools) && !r.measured(soaked) {
		r.Figures = append([]figure{f}, r.Figures...)
	}
	return preamble + r.section() + history
}

func (r run) measured(what string) bool {
	for _, f := range r.Figures {
		if f.What == what {
			return true
		}
	}
	return false
}

func (r run) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s, commit %s\n%s. Load average before: %s, after: %s.\n\n", r.Date.UTC().Format(dateLayout), r.Commit, r.Machine, r.LoadBefore, r.LoadAfter)
	b.WriteString(r.table())
	if len(r.Missing) > 0 {
		b.WriteString("\nNot measured: " + strings.Join(r.Missing, "; ") + ".\n")
	}
	return b.String()
}

func (r run) table() string {
	var b strings.Builder
	b.WriteString(columns)
	for _, f := range r.Figures {
		met := ""
		if f.Target != "" {
			met = map[bool]string{true: "yes", false: "**no**"}[f.Met]
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.What, f.Measured, f.Target, met)
	}
	return b.String()
}

// lastFigure finds the newest figure of a name in a document's runs, and adds the date of its run unless it has one.
func lastFigure(history, what string) (figure, bool) {
	date := ""
	for line := range strings.Lines(history) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			date, _, _ = strings.Cut(heading, " ")
		}
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || cells[0] != "| "+what {
			continue
		}
		f := figure{What: what, Measured: cells[1], Target: cells[2], Met: cells[3] == "yes |"}
		if !strings.HasSuffix(f.Measured, ")") {
			f.Measured += " (" + date + ")"
		}
		return f, true
	}
	return figure{}, false
}
