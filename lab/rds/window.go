package rds

import (
	"strings"
	"time"

	"storefront/lab/window"
)

const (
	defaultBackup      = "03:00-03:30"
	defaultMaintenance = "sun:05:00-sun:05:30"
)

// windows checks the daily backup window and the weekly maintenance window, both UTC, and returns them as RDS keeps them.
func windows(backup, maintenance string) (string, string, error) {
	maintenance = strings.ToLower(maintenance)
	d, ok := window.ParseDaily(backup)
	if !ok {
		return "", "", invalidValue("Invalid backup window format: %s. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 04:00-04:30", backup)
	}
	w, ok := window.ParseWeekly(maintenance)
	if !ok {
		return "", "", invalidValue("Invalid maintenance window format: %s. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15", maintenance)
	}
	if w.Length() < 30*time.Minute || w.Length() > 24*time.Hour {
		return "", "", invalidValue("The maintenance window must be between 30 minutes and 24 hours.")
	}
	if d.Length() < 30*time.Minute {
		return "", "", invalidValue("The backup window must be at least 30 minutes.")
	}
	if w.Overlaps(d) {
		return "", "", invalidCombination("The backup window and maintenance window must not overlap.")
	}
	return backup, maintenance, nil
}
