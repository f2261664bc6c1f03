package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"storefront/internal/clone"
	"storefront/internal/declare"
	"storefront/internal/golden"
	"storefront/policy"
)

// The results of both profiles are committed, and the page about them says the same.
func TestProfiles(t *testing.T) {
	if testing.Short() {
		t.Skip("links the stack's program")
	}
	root, err := clone.Root()
	if err != nil {
		t.Fatal(err)
	}
	stacks, err := declare.Stacks(t.Context(), root, "prod", "dev")
	if err != nil {
		t.Fatal(err)
	}
	results := map[string][]policy.Result{}
	for _, profile := range []string{"prod", "dev"} {
		stack := stacks[profile]
		if stack.Len() < 150 {
			t.Fatalf("%s: %d resources: is that the whole stack?", profile, stack.Len())
		}
		exceptions, err := policy.Exceptions(profile)
		if err != nil {
			t.Fatal(err)
		}
		results[profile], err = policy.Evaluate(stack, exceptions)
		if err != nil {
			t.Error(err)
		}
		var out bytes.Buffer
		if err := policy.WriteJSON(&out, results[profile]); err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, filepath.Join("testdata", profile+".json"), out.String())
	}
	golden.Compare(t, filepath.Join(root, "docs", "scoreboard.md"), page(results["prod"], results["dev"]))
}

// page is docs/scoreboard.md.
func page(prod, dev []policy.Result) string {
	var b strings.Builder
	b.WriteString(`# The security scoreboard
` + "`make check`" + ` asks 65 questions of the stack as the profile ` + "`prod`" + ` declares it, and ` + "`make check PROFILE=dev`" + ` of the other one. They need no AWS: the stack's program runs, and what it
declares is judged. ` + "`make check FILE=state.json`" + ` judges what was deployed (` + "`pulumi stack export`" + `) or what is about to be (` + "`pulumi preview --json --show-sames`" + `). This page is written by
` + "`go test ./policy/cmd/check -update`" + `, and a test keeps it true.

` + "`pulumi preview --policy-pack policy/pack`" + ` (or ` + "`up`" + `) tells the same while it runs, as advice: Pulumi's Go SDK has policy packs, experimental so far, and the engine runs them like programs.

A row is met when that is proven of every resource of its kind, and does not apply when there is none; a trail, GuardDuty and AWS Config are wanted of every account. What a preview does not know yet
proves nothing, except that a reference to another resource is there. An exception in ` + "`policy/exceptions.yaml`" + ` covers the resources that it names, with a reason; one that excuses nothing is an
error. Where a setting is the owner's to make, as the certificate of ` + "`prod`" + `, without which the stack refuses that profile, the check makes one up.

FSBP is AWS Foundational Security Best Practices, CIS is CIS AWS Foundations 7.0, CKV are rules of Checkov.

| # | block | wanted | FSBP, CIS | Checkov | prod | dev |
|---|---|---|---|---|---|---|
`)
	for i, r := range prod {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", r.ID, r.Block, strings.ReplaceAll(r.Meaning, "*", `\*`), r.AWS, r.Checkov, r.Outcome, dev[i].Outcome)
	}
	for _, profile := range []struct {
		name    string
		results []policy.Result
	}{{"prod", prod}, {"dev", dev}} {
		fmt.Fprintf(&b, "\n## %s\n%s.\n", profile.name, policy.Summary(profile.results))
		for _, r := range profile.results {
			for i, line := range r.Details() {
				if i == 0 {
					fmt.Fprintf(&b, "\n**%d %s: %s** (%s)\n", r.ID, r.Block, r.Meaning, r.Outcome)
				}
				fmt.Fprintf(&b, "- %s\n", line)
			}
		}
	}
	return b.String()
}

func TestRun(t *testing.T) {
	const plain = `{"deployment":{"resources":[{"urn":"urn:pulumi:p::s::aws:lb/listener:Listener::http","type":"aws:lb/listener:Listener","inputs":{"protocol":"HTTP"}}]}}`
	for name, tt := range map[string]struct {
		args []string
		in   string
		fail bool // rows fail; otherwise there is no result
	}{
		"no such profile":  {[]string{"-profile", "lab"}, "", false},
		"two files":        {[]string{"a", "b"}, "", false},
		"no such file":     {[]string{filepath.Join(t.TempDir(), "state")}, "", false},
		"no state":         {[]string{"-"}, "{}", false},
		"other exceptions": {[]string{"-"}, plain, false}, // of the profile's stack: they excuse nothing here
	} {
		var out bytes.Buffer
		err := run(context.Background(), tt.args, strings.NewReader(tt.in), &out)
		if err == nil || errors.Is(err, errFailed) != tt.fail {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}
