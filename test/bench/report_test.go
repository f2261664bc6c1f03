//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00 ms", 2500 * time.Microsecond: "2.50 ms", 130 * time.Millisecond: "130 ms", 9340 * time.Millisecond: "9.3 s",
		45 * time.Second: "45 s", 12 * time.Minute: "12 min", 207 * time.Second: "3 min 27 s", 120*time.Second - time.Millisecond: "2 min",
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestFigures(t *testing.T) {
	for _, c := range []struct {
		got  figure
		want figure
	}{
		{atMost("a", time.Second, 2*time.Second), figure{"a", "1 s", "≤ 2 s", true}},
		{atMost("a", 3*time.Second, 2*time.Second), figure{"a", "3 s", "≤ 2 s", false}},
		{atMost("a", 3*time.Second, 0), figure{"a", "3 s", "", false}},
		{memory("m", 99<<20, 100<<20), figure{"m", "99 MB", "< 100 MB", true}},
		{memory("m", 100<<20, 100<<20), figure{"m", "100 MB", "< 100 MB", false}},
	} {
		if c.got != c.want {
			t.Errorf("got %+v, want %+v", c.got, c.want)
		}
	}
}

func day(n int, figures ...figure) run {
	return run{Date: time.Date(2026, 1, n, 3, 4, 0, 0, time.UTC), Commit: "abc", Machine: "2 cores", LoadBefore: "1 1 1", LoadAfter: "2 2 2", Figures: figures}
}

func TestDocument(t *testing.T) {
	soak := day(2, figure{What: soaked, Measured: "p50 8 s", Target: "", Met: false})
	newest := day(3, atMost(upFigure, 3*time.Second, 2*time.Second))
	newest.Missing, newest.Note = []string{"nginx"}, "A build ran beside it."
	newest.Tables = []table{{"Where the time goes", []string{"phase", "took"}, [][]string{{"lab", "1 s"}}}}
	got := document([]run{day(1, atMost(coldTools, 11*time.Minute, 12*time.Minute), atMost(upFigure, time.Second, 2*time.Second), atMost("gone", time.Second, 0)), soak, newest})
	want := preamble + `
## 2026-01-03 03:04 UTC, commit abc
2 cores. Load average before: 1 1 1, after: 2 2 2.
A build ran beside it.

| what | measured | target | met |
|---|---|---|---|
| ` + upFigure + ` | 3 s | ≤ 2 s | **no** |

Not measured: nginx.

### Where the time goes

| phase | took |
|---|---|
| lab | 1 s |

## Measured by earlier runs only

| what | measured | target | met | on |
|---|---|---|---|---|
| ` + soaked + ` | p50 8 s |  |  | 2026-01-02 03:04 UTC |
| ` + coldTools + ` | 11 min | ≤ 12 min | yes | 2026-01-01 03:04 UTC |

## Trend

| run | commit | load before | ` + "`make up`" + ` | preview | ` + "`make down`" + ` | up, unscaled | orders, 300/s | the most orders | of nginx, keep-alive | SQS |
|---|---|---|---|---|---|---|---|---|---|---|
| 2026-01-03 03:04 UTC | abc | 1 | 3 s | - | - | - | - | - | - | - |
| 2026-01-01 03:04 UTC | abc | 1 | 1 s | - | - | - | - | - | - | - |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if document(nil) != preamble {
		t.Error("no run at all")
	}
}

// A soak is newer than the last whole run: what that one measured is still there.
func TestDocumentAfterASoak(t *testing.T) {
	got := earlier([]run{day(1, atMost(upFigure, 2*time.Second, 0)), day(2, atMost(upFigure, time.Second, 0), atMost("other", time.Second, 0)), day(3, figure{What: soaked})})
	if len(got.Rows) != 2 || got.Rows[0][1] != "1 s" || got.Rows[1][0] != "other" {
		t.Errorf("got %v", got.Rows)
	}
}

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	want := []run{day(1, atMost("a < b", time.Second, 2*time.Second)), day(2)}
	want[1].Tables, want[1].Note = []table{{Title: "t", Columns: []string{"c"}, Rows: [][]string{{"r"}}}}, "note"
	for _, r := range want {
		if err := appendHistory(file, r); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := readHistory(file); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %s", err, cmp.Diff(want, got))
	}
	if err := os.WriteFile(file, []byte("{}\n{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readHistory(file); err == nil || !strings.Contains(err.Error(), "after 1 runs") {
		t.Errorf("a torn line: %v", err)
	}
}

// What is checked in is what the history says, without an edit by hand.
func TestDocumentIsOfTheHistory(t *testing.T) {
	runs, err := readHistory("history.jsonl")
	if err != nil || len(runs) == 0 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document(runs), string(text)); diff != "" {
		t.Errorf("docs/benchmarks.md is not of test/bench/history.jsonl; `go run ./test/bench -document` writes it:\n%s", diff)
	}
}
