//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
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

func TestDocumentKeepsHistoryNewestFirst(t *testing.T) {
	first := document(day(1, atMost("up", time.Second, 2*time.Second)), "")
	second := document(day(2, atMost("up", 3*time.Second, 2*time.Second)), first)
	want := preamble + `
## 2026-01-02 03:04 UTC, commit abc
2 cores. Load average before: 1 1 1, after: 2 2 2.

| what | measured | target | met |
|---|---|---|---|
| up | 3 s | ≤ 2 s | **no** |

## 2026-01-01 03:04 UTC, commit abc
2 cores. Load average before: 1 1 1, after: 2 2 2.

| what | measured | target | met |
|---|---|---|---|
| up | 1 s | ≤ 2 s | yes |
`
	if second != want {
		t.Errorf("got\n%s\nwant\n%s", second, want)
	}
}

func TestDocumentCarriesRareFigures(t *testing.T) {
	text := document(day(1, atMost(coldTools, 13*time.Minute, 12*time.Minute)), "")
	for n := 2; n <= 3; n++ {
		text = document(day(n, atMost("up", time.Second, 0)), text)
		if line := "| " + coldTools + " | 13 min (2026-01-01) | ≤ 12 min | **no** |\n"; !strings.Contains(text[:strings.LastIndex(text, "2026-01-0")], line) || strings.Count(text, line) != n-1 {
			t.Fatalf("run %d does not say once when the cold toolchain was measured:\n%s", n, text)
		}
	}
	text = document(day(4, atMost(coldTools, 11*time.Minute, 12*time.Minute)), text)
	if got := strings.Count(text, "| 11 min | ≤ 12 min | yes |"); got != 1 || strings.Count(text, coldTools) != 4 {
		t.Errorf("a new measurement does not replace the carried one:\n%s", text)
	}
}

func TestDocumentSaysWhatIsMissing(t *testing.T) {
	r := day(1)
	r.Missing = []string{"nginx"}
	if text := document(r, ""); !strings.HasSuffix(text, "\nNot measured: nginx.\n") {
		t.Errorf("got\n%s", text)
	}
}
