package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"storefront/cost"
	"storefront/internal/clone"
	"storefront/internal/declare"
	"storefront/internal/golden"
)

// What each profile costs is committed, everything in it has a price, and the page about it says the same.
func TestProfiles(t *testing.T) {
	if testing.Short() {
		t.Skip("links the stack's program")
	}
	root, err := clone.Root()
	if err != nil {
		t.Fatal(err)
	}
	stacks, err := declare.Stacks(t.Context(), root, "lab", "dev", "prod")
	if err != nil {
		t.Fatal(err)
	}
	prices, err := cost.CommittedPrices()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	totals := "| profile | dollars a month |\n|---|---:|\n"
	for _, profile := range []string{"lab", "dev", "prod"} {
		usage, err := cost.AssumedUsage(profile)
		if err != nil {
			t.Fatal(err)
		}
		e := cost.Of(stacks[profile], prices, usage)
		e.Left = leftOut()
		if len(e.Lines) < 20 {
			t.Errorf("%s: %d lines: is that the whole stack?", profile, len(e.Lines))
		}
		for _, missing := range e.Missing {
			t.Errorf("%s: no price for %s", profile, missing)
		}
		var table bytes.Buffer
		if err := cost.WriteTable(&table, e, nil); err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, filepath.Join("testdata", profile+".txt"), table.String())
		totals += fmt.Sprintf("| `%s` | %s |\n", profile, cost.Dollars(e.Total()))
		text = replace(t, text, profile, "```\n"+table.String()+"```\n")
	}
	text = replace(t, text, "totals", totals)
	text = replace(t, text, "sources", cost.Sources(prices))
	golden.Compare(t, filepath.Join(root, "docs", "cost.md"), text)
}

// replace puts a block of the page between its marks. A page needs not have each.
func replace(t *testing.T, page, name, block string) string {
	t.Helper()
	marks := regexp.MustCompile(`(?s)(<!-- ` + name + `:[^\n]* -->\n).*?(<!-- end -->)`)
	return marks.ReplaceAllStringFunc(page, func(old string) string {
		m := marks.FindStringSubmatch(old)
		return m[1] + block + m[2]
	})
}

const key = `{"deployment":{"resources":[{"urn":"urn:pulumi:p::s::aws:kms/key:Key::k","type":"aws:kms/key:Key"}]}}`

func TestRun(t *testing.T) {
	t.Setenv("STOREFRONT_STATE", t.TempDir()) // where nothing is deployed
	base := filepath.Join(t.TempDir(), "base.json")
	if err := os.WriteFile(base, []byte(`{"deployment":{"resources":[]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	use := filepath.Join(t.TempDir(), "usage.yaml")
	if err := os.WriteFile(use, []byte("keyRequests: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"file":       {[]string{"-assume", "keyRequests=0", "-"}, "\ntotal"},
		"usage":      {[]string{"-usage", use, "-"}, "keyRequests  2 million"},
		"markdown":   {[]string{"-markdown", "-usage", use, "-"}, "| keys and secrets | 7.00 |"},
		"base":       {[]string{"-base", base, "-assume", "keyRequests=1", "-"}, "Against the base:\n  keys and secrets  +4.00  was 0.00  is 4.00\n"},
		"JSON":       {[]string{"-json", "-"}, `"currency": "USD"`},
		"flag after": {[]string{"-profile", "dev", "-assume", "keyRequests=1", "-usage", use, "-"}, "keyRequests  1 million"},
	} {
		var out bytes.Buffer
		if err := run(context.Background(), tt.args, strings.NewReader(key), &out); err != nil || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %v, want %q in\n%s", name, err, tt.want, out.String())
		}
	}
}

// Where the stack is deployed from this clone, the change against that is told.
func TestRunDeployed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STOREFRONT_STATE", dir)
	t.Setenv("PULUMI_BACKEND_URL", "")
	stacks := filepath.Join(dir, ".pulumi", "stacks", "storefront")
	if err := os.MkdirAll(stacks, 0o700); err != nil {
		t.Fatal(err)
	}
	checkpoint := strings.Replace(strings.TrimSuffix(key, "}"), `{"deployment":`, `{"checkpoint":{"latest":`, 1) + "}}"
	if err := os.WriteFile(filepath.Join(stacks, "dev.json"), []byte(checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	two := strings.Replace(key, `"resources":[`, `"resources":[{"urn":"urn:pulumi:p::s::aws:kms/key:Key::l","type":"aws:kms/key:Key"},`, 1)
	for in, want := range map[string]string{key: "\nThe same as the deployed stack dev.\n", two: "\nAgainst the deployed stack dev:\n  keys and secrets  +1.00"} {
		var out bytes.Buffer
		if err := run(context.Background(), []string{"-profile", "dev", "-"}, strings.NewReader(in), &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v, want %q in\n%s", err, want, out.String())
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Setenv("STOREFRONT_STATE", t.TempDir())
	for name, tt := range map[string]struct {
		args    []string
		in      string
		missing bool // there is a result; otherwise there is none
	}{
		"two files":     {[]string{"a", "b"}, "", false},
		"no such file":  {[]string{filepath.Join(t.TempDir(), "state")}, "", false},
		"no state":      {[]string{"-"}, "{}", false},
		"two forms":     {[]string{"-json", "-markdown", "-"}, key, false},
		"one input":     {[]string{"-base", "-", "-"}, key, false},
		"no assumption": {[]string{"-assume", "request=1", "-"}, key, false},
		"no such flag":  {[]string{"-region", "x", "-"}, key, false},
		"no price":      {[]string{"-"}, strings.ReplaceAll(key, "kms/key:Key", "new/thing:Thing"), true},
	} {
		var out bytes.Buffer
		err := run(context.Background(), tt.args, strings.NewReader(tt.in), &out)
		if err == nil || errors.Is(err, errMissing) != tt.missing {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
		if tt.missing && !strings.Contains(out.String(), "no price for aws:new/thing:Thing (k)") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}
