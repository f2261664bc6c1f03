package rds

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day

	defaultBackup      = "03:00-03:30"
	defaultMaintenance = "sun:05:00-sun:05:30"
)

var (
	backupPattern      = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$`)
	maintenancePattern = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$`)
)

// windows checks the daily backup window and the weekly maintenance window, both UTC, and returns them as RDS keeps them.
func windows(backup, maintenance string) (string, string, error) {
	maintenance = strings.ToLower(maintenance)
	if !backupPattern.MatchString(backup) {
		return "", "", invalidValue("Invalid backup window format: %s. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 04:00-04:30", backup)
	}
	if !maintenancePattern.MatchString(maintenance) {
		return "", "", invalidValue("Invalid maintenance window format: %s. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15", maintenance)
	}
	from, to, _ := strings.Cut(maintenance, "-")
	start, length := instant(from), span(instant(from), instant(to), week)
	if length < 30*time.Minute || length > day {
		return "", "", invalidValue("The maintenance window must be between 30 minutes and 24 hours.")
	}
	from, to, _ = strings.Cut(backup, "-")
	backupLength := span(clock(from), clock(to), day)
	if backupLength < 30*time.Minute {
		return "", "", invalidValue("The backup window must be at least 30 minutes.")
	}
	for d := range 7 {
		b := time.Duration(d)*day + clock(from)
		if span(start, b, week) < length || span(b, start, week) < backupLength {
			return "", "", invalidCombination("The backup window and maintenance window must not overlap.")
		}
	}
	return backup, maintenance, nil
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
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	name, rest, _ := strings.Cut(s, ":")
	for i, d := range days {
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
