package query

import "testing"

func TestGlob(t *testing.T) {
	for _, g := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a*", "abc", true}, {"*c", "abc", true}, {"a*c", "abcbc", true}, {"a*c", "abcb", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"?", "é", true}, {"*é?", "caféx", true}, {`a\*c`, "a*c", true}, {`a\*c`, "abc", false}, {`\?`, "x", false},
		{"**a**", "xax", true}, {"*a*b*c*", "xaxbxc", true}, {"*a*b*c*", "xcxbxa", false}, {"[a]", "a", false}, {"[a]", "[a]", true},
	} {
		if got := parseGlob(g.pattern).matches(g.text); got != g.want {
			t.Errorf("%q matches %q: %t", g.pattern, g.text, got)
		}
	}
}
