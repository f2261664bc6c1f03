package elasticache

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day

	defaultSnapshot    = "03:00-04:00"
	defaultMaintenance = "sun:05:00-sun:06:00"
)

var (
	snapshotPattern    = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$`)
	maintenancePattern = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$`)
)

// windows checks the daily snapshot window and the weekly maintenance window, both UTC and at least an hour long, and returns them as they are kept.
func windows(snapshot, maintenance string) (string, string, error) {
	maintenance = strings.ToLower(maintenance)
	if !snapshotPattern.MatchString(snapshot) {
		return "", "", invalidValue("Invalid snapshot window format: %s. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 05:00-09:00", snapshot)
	}
	if !maintenancePattern.MatchString(maintenance) {
		return "", "", invalidValue("Invalid maintenance window format: %s. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: sun:23:00-mon:01:30", maintenance)
	}
	from, to, _ := strings.Cut(maintenance, "-")
	start, length := instant(from), span(instant(from), instant(to), week)
	if length < time.Hour || length > day {
		return "", "", invalidValue("The maintenance window must be between 60 minutes and 24 hours.")
	}
	from, to, _ = strings.Cut(snapshot, "-")
	snapshotLength := span(clock(from), clock(to), day)
	if snapshotLength < time.Hour {
		return "", "", invalidValue("The snapshot window must be at least 60 minutes.")
	}
	for d := range 7 {
		at := time.Duration(d)*day + clock(from)
		if span(start, at, week) < length || span(at, start, week) < snapshotLength {
			return "", "", invalidCombination("The snapshot window and maintenance window must not overlap.")
		}
	}
	return snapshot, maintenance, nil
}

// span is the time from a to b on a clock that starts again after round.
func span(a, b, round time.Duration) time.Duration { return ((b-a)%round + round) % round }

// clock reads "hh:mm", which a pattern has checked.
func clock(s string) time.Duration {
	var h, m int
	fmt.Sscanf(s, "%d:%d", &h, &m)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// instant reads "ddd:hh:mm" as the time since Sunday midnight.
func instant(s string) time.Duration {
	name, rest, _ := strings.Cut(s, ":")
	for i, d := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		if d == name {
			return time.Duration(i)*day + clock(rest)
		}
	}
	return clock(rest)
}

// inWindow tells whether t lies in a maintenance window.
func inWindow(t time.Time, maintenance string) bool {
	from, to, _ := strings.Cut(maintenance, "-")
	t = t.UTC()
	now := time.Duration(t.Weekday())*day + time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	return span(instant(from), now, week) < span(instant(from), instant(to), week)
}
