package rds

import "testing"

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		backup, maintenance string
		ok                  bool
	}{
		{"03:00-03:30", "sun:05:00-sun:05:30", true},
		{"23:45-00:15", "Sun:00:15-Sun:00:45", true},
		{"23:45-00:30", "sun:00:15-sun:00:45", false}, // the backup of Saturday night
		{"03:00-03:29", "sun:05:00-sun:05:30", false},
		{"03:00-03:30", "sun:05:00-sun:05:20", false},
		{"03:00-03:30", "sun:05:00-mon:06:00", false}, // more than a day
		{"03:00-03:30", "sat:23:30-sun:00:30", true},
		{"03:00", "sun:05:00-sun:05:30", false},
		{"03:00-03:30", "someday", false},
	} {
		if _, _, err := windows(c.backup, c.maintenance); (err == nil) != c.ok {
			t.Errorf("%s with %s: got %v, want it accepted: %v", c.backup, c.maintenance, err, c.ok)
		}
	}
}

func FuzzWindows(f *testing.F) {
	f.Add("03:00-03:30", "sun:05:00-sun:05:30")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, backup, maintenance string) {
		b, m, err := windows(backup, maintenance)
		if err != nil {
			return
		}
		if again, same, err := windows(b, m); err != nil || again != b || same != m {
			t.Errorf("%q %q: what was accepted reads back as %q %q, %v", backup, maintenance, again, same, err)
		}
	})
}
