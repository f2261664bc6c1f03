package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

func TestParse(t *testing.T) {
	var w workspace
	if name, err := w.parse([]string{"-stack", "dev", "preview", "--markdown", "-save", "p.json"}); err != nil || name != "preview" || w.stack != "dev" || !w.markdown || !filepath.IsAbs(w.save) {
		t.Errorf("got %q, %v, %+v", name, err, w.flags)
	}
	w = workspace{}
	if name, err := w.parse([]string{"show", "p.json", "--json"}); err != nil || name != "show" || w.file != "p.json" || !w.json {
		t.Errorf("got %q, %v, %+v", name, err, w.flags)
	}
	w = workspace{}
	if _, err := w.parse([]string{"up", "-set", "zones=3", "-set", `instanceTypes=["t3.small"]`}); err != nil || len(w.set) != 2 || w.set[1] != (setting{"instanceTypes", `["t3.small"]`}) {
		t.Errorf("settings: %v, %+v", err, w.set)
	}
	for _, args := range [][]string{{"up", "down"}, {"show"}, {"show", "a", "b"}, {"preview", "-json", "-markdown"}, {"drift", "-no-such"}, {"-stack"}, {"up", "-set", "zones"}, {"up", "-set", "a:b=c"}, {"up", "-set", "a=b\nc"},
		{"up", "-stack", "dev", "-set", "zones=3"}} {
		if name, err := (&workspace{}).parse(args); err == nil {
			t.Errorf("%v was taken as %q", args, name)
		}
	}
}

func TestSettings(t *testing.T) {
	const file = "# c\nencryptionsalt: v1\nconfig:\n  storefront:profile: lab\n  storefront:zones: 2\n"
	for s, want := range map[setting]string{
		{"zones", "3"}:     "# c\nencryptionsalt: v1\nconfig:\n  storefront:profile: lab\n  storefront:zones: 3\n",
		{"zone", "$1"}:     "# c\nencryptionsalt: v1\nconfig:\n  storefront:zone: $1\n  storefront:profile: lab\n  storefront:zones: 2\n",
		{"profile", "lab"}: file,
	} {
		if got := s.in(file); got != want {
			t.Errorf("%v: got\n%s", s, got)
		}
	}
}

func TestStatus(t *testing.T) {
	for want, err := range map[int]error{0: nil, 1: errDrift, 2: &checkError{errors.New("no network")}, 3: fmt.Errorf("%w: shop", errRefused)} {
		if got := status(t.Context(), err); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
}

func TestUnknownCommands(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"up", "now"}} {
		if err := run(t.Context(), args); !errors.Is(err, errUsage) || status(t.Context(), err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}
