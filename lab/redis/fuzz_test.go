package redis

import (
	"os/exec"
	"strings"
	"testing"
)

// FuzzQuote wants one line of configuration, whatever the value, that ends where its last quote does.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "plain", `back\slash "quoted"`, "two\nlines\x00", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		q := quote(value)
		inner := strings.NewReplacer(`\\`, "", `\"`, "").Replace(q[1 : len(q)-1])
		if strings.ContainsAny(q, "\n\r\x00") || strings.Contains(inner, `"`) {
			t.Errorf("%q became %s", value, q)
		}
	})
}

// TestRedisReadsWhatQuoteWrites lets Redis read a quoted value back, in the message about it.
func TestRedisReadsWhatQuoteWrites(t *testing.T) {
	program, _, err := findServer()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(program, "-")
	cmd.Stdin = strings.NewReader("port 0\nmaxmemory-policy " + quote("volatile-lru") + "\nuser x on " + quote(`~a"b\`) + "\nstop-here\n")
	if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "at line 4") {
		t.Errorf("Redis did not accept the quoted values: %s", out)
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("# Replication\r\nrole:master\r\nslave0:ip=127.0.0.1,port=1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseInfo(text) {
			if strings.ContainsAny(name, ":\n") {
				t.Errorf("a field is named %q", name)
			}
		}
	})
}
