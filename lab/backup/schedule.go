package backup

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// schedule is a cron expression of AWS: minutes, hours, day of month, month, day of week (1 is Sunday), year. See "Cron expressions" in the Amazon EventBridge User Guide.
type schedule struct {
	expression *cronexpr.Expression
	zone       *time.Location
}

var (
	cronForm = regexp.MustCompile(`^cron\((\S+ \S+ \S+ \S+ \S+ \S+)\)$`)
	number   = regexp.MustCompile(`[0-9]+`)
)

func parseSchedule(text, zone string) (schedule, error) {
	at, err := time.LoadLocation(zone)
	if err != nil {
		return schedule{}, invalidValue("Invalid schedule expression timezone: %s", zone)
	}
	m := cronForm.FindStringSubmatch(text)
	if m == nil {
		return schedule{}, invalidValue("Invalid schedule expression: %s", text)
	}
	fields := strings.Fields(m[1])
	if (fields[2] == "?") == (fields[4] == "?") {
		return schedule{}, invalidValue("Invalid schedule expression: %s: one of day of month and day of week is ?", text)
	}
	if fields[0] == "*" {
		return schedule{}, invalidValue("Invalid schedule expression: %s: backups are at most hourly", text)
	}
	days, nth, hasNth := strings.Cut(fields[4], "#")
	step, every, hasStep := strings.Cut(days, "/")
	fields[4] = number.ReplaceAllStringFunc(step, func(n string) string { // the library counts from 0
		day, _ := strconv.Atoi(n)
		return strconv.Itoa(day - 1)
	})
	if hasStep {
		fields[4] += "/" + every
	}
	if hasNth {
		fields[4] += "#" + nth
	}
	e, err := cronexpr.Parse(strings.Join(fields, " "))
	if err != nil {
		return schedule{}, invalidValue("Invalid schedule expression: %s: %v", text, err)
	}
	return schedule{e, at}, nil
}

// next is the first time after now; zero for none.
func (s schedule) next(now time.Time) time.Time {
	at := s.expression.Next(now.In(s.zone))
	if at.IsZero() {
		return at
	}
	return at.UTC()
}
