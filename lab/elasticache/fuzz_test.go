package elasticache

import (
	"strings"
	"testing"
)

// FuzzRules wants that no access string sets a password or ends another way than ElastiCache allows.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{"on ~* +@all", "off", "on >secret", "on #00 +get", "on (+get ~a)", "on nopass", "%R~a", "\x00", "reset"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, access string) {
		list, err := rules(access)
		if err != nil {
			return
		}
		if list[0] != "on" && list[0] != "off" {
			t.Errorf("%q begins with %q", access, list[0])
		}
		for _, r := range list {
			if strings.ContainsAny(r[:1], "><#!(") || strings.Contains(r, "pass") && !strings.ContainsAny(r[:1], "~%&+-") || r == "reset" {
				t.Errorf("%q lets %q through", access, r)
			}
		}
	})
}

func FuzzWindows(f *testing.F) {
	f.Add("03:00-04:00", "sun:05:00-sun:06:00")
	f.Fuzz(func(t *testing.T, snapshot, maintenance string) {
		if s, m, err := windows(snapshot, maintenance); err == nil && (s != snapshot || m != strings.ToLower(maintenance)) {
			t.Errorf("%q and %q became %q and %q", snapshot, maintenance, s, m)
		}
	})
}
