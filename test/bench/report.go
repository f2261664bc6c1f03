//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// figure is one measured value beside its target.
type figure struct {
	What     string `json:"what"`
	Measured string `json:"measured"`
	Target   string `json:"target,omitempty"` // "" where there is none
	Met      bool   `json:"met,omitempty"`    // of no meaning without a target
}

// table is what one run tells in more than figures.
type table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// run is what one run measured, and on what machine.
type run struct {
	Date       time.Time `json:"date"`
	Commit     string    `json:"commit"` // short; with "+changes" when the tree was not clean
	Machine    string    `json:"machine"`
	LoadBefore string    `json:"loadBefore"` // load averages over 1, 5 and 15 minutes
	LoadAfter  string    `json:"loadAfter"`
	Figures    []figure  `json:"figures"`
	Tables     []table   `json:"tables,omitempty"`
	Missing    []string  `json:"missing,omitempty"` // what could not be measured, and what to do
	Note       string    `json:"note,omitempty"`    // written by hand: what disturbed the run
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
