package elasticache

import (
	"strings"
	"time"

	"storefront/lab/window"
)

const (
	defaultSnapshot    = "03:00-04:00"
	defaultMaintenance = "sun:05:00-sun:06:00"
)

// windows checks the daily snapshot window and the weekly maintenance window, both UTC and at least an hour long, and returns them as they are kept.
func windows(snapshot, maintenance string) (string, string, error) {
	maintenance = strings.ToLower(maintenance)
	d, ok := window.ParseDaily(snapshot)
	if !ok {
		return "", "", invalidValue("Invalid snapshot window format: %s. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 05:00-09:00", snapshot)
	}
	w, ok := window.ParseWeekly(maintenance)
	if !ok {
		return "", "", invalidValue("Invalid maintenance window format: %s. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: sun:23:00-mon:01:30", maintenance)
	}
	if w.Length() < time.Hour || w.Length() > 24*time.Hour {
		return "", "", invalidValue("The maintenance window must be between 60 minutes and 24 hours.")
	}
	if d.Length() < time.Hour {
		return "", "", invalidValue("The snapshot window must be at least 60 minutes.")
	}
	if w.Overlaps(d) {
		return "", "", invalidCombination("The snapshot window and maintenance window must not overlap.")
	}
	return snapshot, maintenance, nil
}
