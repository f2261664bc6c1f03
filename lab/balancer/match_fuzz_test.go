package balancer

import (
	"path"
	"strings"
	"testing"
)

// FuzzWildcard compares with path.Match, which agrees on text without its own special characters and without slashes.
func FuzzWildcard(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("**", "")
	f.Add("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa")
	f.Add("?", "é")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		wildcard(pattern, s, true) // must only end
		for _, c := range []byte(pattern + s) {
			if c >= 0x80 || strings.IndexByte(`[]\/`, c) >= 0 {
				return
			}
		}
		want, err := path.Match(pattern, s)
		if err != nil {
			return
		}
		if got := wildcard(pattern, s, false); got != want {
			t.Errorf("wildcard(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

func FuzzMatcher(f *testing.F) {
	for _, s := range []string{"200", "200,202", "200-299,301", "-", "200-", "299-200", ""} {
		f.Add(s, 200)
	}
	f.Fuzz(func(t *testing.T, codes string, status int) {
		m, err := parseMatcher(codes)
		if err == nil && m.matches(status) && (status < 200 || status > 599) {
			t.Errorf("%q matches %d", codes, status)
		}
	})
}

func FuzzCookie(f *testing.F) {
	jar, err := newCookieJar(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "scope")
	f.Add(jar.seal("other", "i-1"), "scope")
	f.Fuzz(func(t *testing.T, cookie, scope string) {
		if got := jar.open(scope, cookie); got != "" && scope != "other" {
			t.Errorf("a forged cookie opened to %q", got)
		}
		if got := jar.open(scope, jar.seal(scope, "i-1")); got != "i-1" {
			t.Errorf("got %q back", got)
		}
	})
}
