package window_test

import (
	"testing"
	"time"

	"storefront/lab/window"
)

func TestLengths(t *testing.T) {
	for s, want := range map[string]time.Duration{"03:00-03:30": 30 * time.Minute, "23:45-00:15": 30 * time.Minute, "05:00-05:00": 0, "05:00-04:59": 24*time.Hour - time.Minute} {
		if w, ok := window.ParseDaily(s); !ok || w.Length() != want {
			t.Errorf("%s: got %s, %v, want %s", s, w.Length(), ok, want)
		}
	}
	for s, want := range map[string]time.Duration{"sun:05:00-sun:05:30": 30 * time.Minute, "sat:23:30-sun:00:30": time.Hour, "wed:10:00-tue:10:00": 6 * 24 * time.Hour} {
		if w, ok := window.ParseWeekly(s); !ok || w.Length() != want {
			t.Errorf("%s: got %s, %v, want %s", s, w.Length(), ok, want)
		}
	}
	for _, s := range []string{"", "03:00", "24:00-01:00", "3:00-4:00", "03:60-04:00", "Sun:05:00-Sun:06:00", "day:05:00-sun:06:00", "sun:05:00-06:00"} {
		if _, ok := window.ParseDaily(s); ok {
			t.Errorf("%q is a daily window", s)
		}
		if _, ok := window.ParseWeekly(s); ok {
			t.Errorf("%q is a weekly window", s)
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		weekly, daily string
		want          bool
	}{
		{"sun:05:00-sun:05:30", "03:00-03:30", false},
		{"sun:05:00-sun:05:30", "05:30-06:00", false}, // one ends as the other begins
		{"sun:05:00-sun:05:30", "04:00-05:01", true},
		{"wed:05:00-wed:05:30", "05:10-05:20", true},
		{"sun:00:15-sun:00:45", "23:45-00:15", false},
		{"sun:00:15-sun:00:45", "23:45-00:30", true}, // that of Saturday night
		{"sat:23:30-sun:00:30", "00:00-00:30", true},
	} {
		w, _ := window.ParseWeekly(c.weekly)
		d, _ := window.ParseDaily(c.daily)
		if got := w.Overlaps(d); got != c.want {
			t.Errorf("%s and %s overlap: %v", c.weekly, c.daily, got)
		}
	}
}

func TestOpen(t *testing.T) {
	saturday := time.Date(2026, 11, 21, 23, 45, 0, 0, time.UTC)
	for after, want := range map[time.Duration]bool{0: true, 30 * time.Minute: true, 45 * time.Minute: false, -20 * time.Minute: false} {
		at := saturday.Add(after).In(time.FixedZone("", 9*3600))
		if got := window.Open("sat:23:30-sun:00:30", at); got != want {
			t.Errorf("open at %s: %v", at, got)
		}
	}
	if window.Open("someday", saturday) {
		t.Error("what is no window is open")
	}
}

func TestSince(t *testing.T) {
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	w, _ := window.ParseDaily("23:30-00:30")
	for after, open := range map[time.Duration]bool{-31 * time.Minute: false, -30 * time.Minute: true, 0: true, 29 * time.Minute: true, 30 * time.Minute: false} {
		began, got := w.Since(midnight.Add(after).In(time.FixedZone("", 9*3600)))
		if got != open || open && !began.Equal(midnight.Add(-30*time.Minute)) {
			t.Errorf("%s after midnight: open %v, since %s", after, got, began)
		}
	}
}

func FuzzWindows(f *testing.F) {
	f.Add("03:00-03:30")
	f.Add("sun:05:00-sun:05:30")
	f.Fuzz(func(t *testing.T, s string) {
		if w, ok := window.ParseDaily(s); ok && (w.Length() < 0 || w.Length() >= 24*time.Hour) {
			t.Errorf("%q is %s long", s, w.Length())
		}
		if w, ok := window.ParseWeekly(s); ok && (w.Length() < 0 || w.Length() >= 7*24*time.Hour) {
			t.Errorf("%q is %s long", s, w.Length())
		}
	})
}
