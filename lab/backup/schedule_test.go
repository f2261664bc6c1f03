package backup

import (
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC) // a Wednesday
	for text, want := range map[string]string{
		"cron(0 5 ? * * *)":        "2026-11-19T05:00:00Z",
		"cron(15 12 * * ? *)":      "2026-11-18T12:15:00Z",
		"cron(0 18 ? * MON-FRI *)": "2026-11-18T18:00:00Z",
		"cron(0 5 ? * 1 *)":        "2026-11-22T05:00:00Z", // Sunday
		"cron(0 5 ? * 2#1 *)":      "2026-12-07T05:00:00Z", // the month's first Monday
		"cron(0 5 L * ? *)":        "2026-11-30T05:00:00Z",
		"cron(0 0/6 * * ? *)":      "2026-11-18T18:00:00Z",
		"cron(0 8 1 * ? 2028)":     "2028-01-01T08:00:00Z",
	} {
		s, err := parseSchedule(text, "Etc/UTC")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := s.next(now).Format(time.RFC3339); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	s, err := parseSchedule("cron(0 5 ? * * *)", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.next(now).Format(time.RFC3339); got != "2026-11-19T04:00:00Z" {
		t.Errorf("five in Berlin is %s", got)
	}
}

func FuzzSchedule(f *testing.F) {
	for _, text := range []string{"cron(0 5 ? * 2#1 *)", "cron(0/15 5-7 L * ? 2026-2030)", "cron(0 5 ? * 1/2 *)", "cron()"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSchedule(text, "Etc/UTC")
		if err != nil {
			return
		}
		if at := s.next(now); !at.IsZero() && !at.After(now) {
			t.Errorf("%q: %s is not after %s", text, at, now)
		}
	})
}
