package systemd

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseCommand(t *testing.T) {
	env := []string{"A=one two", "B=x"}
	for line, want := range map[string][]string{
		`/bin/echo a  'b c' "d\te" f\ g`: {"/bin/echo", "a", "b c", "d\te", "f g"},
		`/bin/echo $A ${A} x${B}y $$B`:   {"/bin/echo", "one", "two", "one two", "xxy", "$B"},
		`-/bin/echo $NONE ${NONE}`:       {"/bin/echo", ""},
		`:/bin/echo $A`:                  {"/bin/echo", "$A"},
		`@/bin/echo name x`:              {"name", "x"},
		`/bin/sh -c 'echo "a" > $B$B'`:   {"/bin/sh", "-c", `echo "a" > $B$B`},
	} {
		c, err := ParseCommand(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if diff := cmp.Diff(want, c.Expand(env)); diff != "" {
			t.Errorf("%s:\n%s", line, diff)
		}
	}
	for _, line := range []string{"", "-", `/bin/echo "open`, `/bin/echo \q`, "@/bin/echo"} {
		if c, err := ParseCommand(line); err == nil {
			t.Errorf("%q was parsed: %+v", line, c)
		}
	}
}

func TestParseEnvironment(t *testing.T) {
	got := ParseEnvironment("# comment\nA=1\n  B = \"x y\" \nC='it'\\''s'\nno assignment\n1X=2\nD=a\\\nb\n")
	if diff := cmp.Diff([]string{"A=1", "B=x y", "C=it's", "D=ab"}, got); diff != "" {
		t.Error(diff)
	}
}

func parse(text string) (*Unit, error) {
	options, err := Options("x.service", strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return Parse("x.service", "/etc/systemd/system/x.service", options)
}

func TestParse(t *testing.T) {
	u, err := parse("[Unit]\nAfter=a.service b.service\n[Service]\nExecStart=/bin/%N\nTimeoutStopSec=1min 30s\nRestartSec=1.5\nLimitNOFILE=1K:infinity\nUMask=077\nKillSignal=INT\nPrivateTmp=yes\nOdd=1\n")
	if err != nil {
		t.Fatal(err)
	}
	if u.Type != "simple" || u.Start[0].Path != "/bin/x" || u.StopTimeout != 90*time.Second || u.RestartDelay != 1500*time.Millisecond || u.Umask != 0o77 || u.KillSignal != 2 {
		t.Errorf("%+v", u)
	}
	if diff := cmp.Diff(Limit{Soft: 1024, Hard: 1<<64 - 1}, u.Limits["NOFILE"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"PrivateTmp"}, {"Odd"}, {"a.service", "b.service"}}, [][]string{u.Ignored, u.Unknown, u.After}); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"[Service]\nType=simple\n":                              "no ExecStart=",
		"[Service]\nExecStart=/a\nExecStart=/b\n":               "more than one ExecStart=",
		"[Service]\nExecStart=/a\nType=dbus\n":                  "not supported by the lab",
		"[Service]\nExecStart=/a\nType=oneshot\nRestart=always": "Type=oneshot",
		"[Service]\nExecStart=/a\nRestart=sometimes\n":          "Restart=sometimes",
		"[Service]\nExecStart=/a\nTimeoutSec=soon\n":            "TimeoutSec=soon",
		"[Service]\nExecStart=/a\nLimitNOFILE=lots\n":           "LimitNOFILE=lots",
		"[Service]\nExecStart=/a\nNoNewPrivileges=maybe\n":      "NoNewPrivileges=maybe",
		"[Service]\nExecStart=/a\nStandardOutput=tty\n":         "StandardOutput=tty",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzUnit(f *testing.F) {
	f.Add("[Service]\nExecStart=/bin/echo ${A} \"b\"\nEnvironment=A=1 'B=2'\nLimitCORE=1G\nRestartSec=5min\n")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parse(text)
		if err != nil {
			return
		}
		for _, c := range u.Start {
			if args := c.Expand(u.Environment); len(args) == 0 {
				t.Errorf("%q expands to nothing", c.Args)
			}
		}
	})
}

func FuzzEnvironmentFile(f *testing.F) {
	f.Add("A=1\nB='x'\\\n\"y\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range ParseEnvironment(text) {
			if name, _, ok := strings.Cut(e, "="); !ok || !isName(name) {
				t.Errorf("%q is no assignment", e)
			}
		}
	})
}
