// Package window reads the windows in which a service works on its resources: a time of every day, "03:00-03:30", or of every week,
// "sun:05:00-sun:05:30", both in UTC. What lengths they may have differs between services.
package window

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var (
	dailyPattern  = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$`)
	weeklyPattern = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$`)
)

// Daily is a window of every day. It begins so long after midnight.
type Daily struct{ begin, length time.Duration }

// Weekly is a window of every week. It begins so long after Sunday's midnight.
type Weekly struct{ begin, length time.Duration }

// ParseDaily reads "hh:mm-hh:mm". ok is false when it is not that.
func ParseDaily(s string) (w Daily, ok bool) {
	if !dailyPattern.MatchString(s) {
		return w, false
	}
	from, to, _ := strings.Cut(s, "-")
	return Daily{clock(from), span(clock(from), clock(to), day)}, true
}

// ParseWeekly reads "ddd:hh:mm-ddd:hh:mm", in lower case. ok is false when it is not that.
func ParseWeekly(s string) (w Weekly, ok bool) {
	if !weeklyPattern.MatchString(s) {
		return w, false
	}
	from, to, _ := strings.Cut(s, "-")
	return Weekly{instant(from), span(instant(from), instant(to), week)}, true
}

// Length returns how long the window is: below a day, and 0 when it ends as it begins.
func (w Daily) Length() time.Duration { return w.length }

// Length returns how long the window is: below a week, and 0 when it ends as it begins.
func (w Weekly) Length() time.Duration { return w.length }

// Overlaps tells whether the window of the week meets that of any day.
func (w Weekly) Overlaps(d Daily) bool {
	for i := range 7 {
		at := time.Duration(i)*day + d.begin
		if span(w.begin, at, week) < w.length || span(at, w.begin, week) < d.length {
			return true
		}
	}
	return false
}

// Since returns when the window that t lies in began. open is false when t lies in none; a window's end does not lie in it.
func (w Daily) Since(t time.Time) (began time.Time, open bool) {
	began = t.UTC().Truncate(day).Add(w.begin)
	if began.After(t) {
		began = began.Add(-day)
	}
	return began, t.Sub(began) < w.length
}

// Contains tells whether t lies in the window. Its end does not.
func (w Weekly) Contains(t time.Time) bool {
	t = t.UTC()
	now := time.Duration(t.Weekday())*day + time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	return span(w.begin, now, week) < w.length
}

// Open tells whether the weekly window that weekly has in writing is open at t. What is no window is never open.
func Open(weekly string, t time.Time) bool {
	w, ok := ParseWeekly(weekly)
	return ok && w.Contains(t)
}

// span is the time from a to b on a clock that starts again after round.
func span(a, b, round time.Duration) time.Duration { return ((b-a)%round + round) % round }

// clock reads "hh:mm", which a pattern has checked.
func clock(s string) time.Duration {
	hours, minutes, _ := strings.Cut(s, ":")
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// instant reads "ddd:hh:mm", which a pattern has checked, as the time since Sunday's midnight.
func instant(s string) time.Duration {
	name, rest, _ := strings.Cut(s, ":")
	return time.Duration(strings.Index("sunmontuewedthufrisat", name)/3)*day + clock(rest)
}
