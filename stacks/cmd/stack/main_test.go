package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// A name that is none, such as that of a misspelt STACK=, makes neither a stack nor settings; a file that cannot be read is named.
func TestStackWithoutSettings(t *testing.T) {
	root := t.TempDir()
	t.Setenv("STOREFRONT_STATE", filepath.Join(root, "state"))
	settings := filepath.Join(root, "stacks", "storefront")
	if err := errors.Join(os.MkdirAll(settings, 0o755), os.MkdirAll(filepath.Join(root, "bin"), 0o755), os.WriteFile(filepath.Join(root, "bin", "pulumi"), []byte("#!/bin/sh\n"), 0o755),
		os.WriteFile(filepath.Join(settings, "Pulumi.dev.yaml"), nil, 0o600), os.WriteFile(filepath.Join(settings, "Pulumi.prod.yaml"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	w := &workspace{root: root, stack: "prd"}
	if _, err := w.open(t.Context()); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), `no stack "prd"`) || !strings.HasSuffix(err.Error(), "there are dev, prod") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(settings, "Pulumi.dev.yaml"), []byte("config:\n  : : ["), 0o600); err != nil {
		t.Fatal(err)
	}
	w.stack = "dev"
	if _, err := w.open(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "stacks/storefront/Pulumi.dev.yaml: yaml: ") {
		t.Errorf("broken settings: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a state was made: %v", err)
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
