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
	for _, args := range [][]string{{"up", "down"}, {"show"}, {"show", "a", "b"}, {"preview", "-json", "-markdown"}, {"drift", "-no-such"}, {"-stack"}} {
		if name, err := (&workspace{}).parse(args); err == nil {
			t.Errorf("%v was taken as %q", args, name)
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
