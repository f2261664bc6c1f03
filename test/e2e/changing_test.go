package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"storefront/internal/plan"
)

var update = flag.Bool("update", false, "rewrite golden files, and fail")

// changing is a deployment from a clone of its own, whose settings, program and shop the test changes.
type changing struct {
	*deployment
	sources   string            // the project that is compiled
	values    map[string]string // settings of the stack by key, beside the committed ones
	committed string            // the stack's settings file as it was
	replaced  map[string]string // what compiles in the place of files of the program, by path

	seen      int // operations of customers that failures has looked at
	customers *customers
	visitors  *visitors
	way       *follower
}

// newChanging makes the clone, with the version 1.0 of the shop and the oldest engines that the stack has.
func newChanging(t *testing.T) *changing {
	t.Helper()
	s := newSite(t)
	c := &changing{sources: s.root, values: map[string]string{}, replaced: map[string]string{}}
	s.cloneFor(t, os.Geteuid())
	c.deployment = newDeployment(t, s)
	b, err := os.ReadFile(c.settingsFile())
	if err != nil {
		t.Fatal(err)
	}
	c.committed = string(b)
	c.certificate, c.trusted = c.certify(t, nil)
	set("cacheVersion", "7.0")(t, c)
	release("1.0")(t, c)
	return c
}

func (c *changing) settingsFile() string {
	return filepath.Join(c.root, "stacks", "storefront", "Pulumi.lab.yaml")
}

// set changes a setting of the stack.
func set(key, value string) func(*testing.T, *changing) {
	return func(t *testing.T, c *changing) {
		t.Helper()
		c.values[key] = value
		text := c.committed
		for _, key := range slices.Sorted(maps.Keys(c.values)) {
			text += "  storefront:" + key + ": '" + c.values[key] + "'\n" // a text: 7.0 is no number
		}
		if err := os.WriteFile(c.settingsFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// write puts a text in the place of a file of the stack's program; rewrite changes what is there.
func (c *changing) write(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join(c.dir, "edited-"+file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.replaced[filepath.Join(c.sources, "stacks", "storefront", file)] = path
}

func (c *changing) rewrite(t *testing.T, file, old, with string) {
	t.Helper()
	path := filepath.Join(c.sources, "stacks", "storefront", file)
	if edited := c.replaced[path]; edited != "" {
		path = edited
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q any more: bring the test up to date", file, old)
	}
	c.write(t, file, strings.Replace(string(b), old, with, 1))
}

// buildProgram compiles the stack's program as it is now.
func (c *changing) buildProgram(t *testing.T) {
	t.Helper()
	b, err := json.Marshal(map[string]any{"Replace": c.replaced})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(c.dir, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c.compile(t, nil, "-ldflags", "-s -w", "-overlay", overlay, "-o", filepath.Join(c.root, "program"), "./stacks/storefront")
}

// buildShop compiles the program that the fleets run, as `make build` does.
func (c *changing) buildShop(t *testing.T, source, linker string) {
	t.Helper()
	c.compile(t, []string{"CGO_ENABLED=0"}, "-trimpath", "-ldflags", linker, "-o", filepath.Join(c.root, "bin", "shopd"), source)
}

func (c *changing) compile(t *testing.T, env []string, args ...string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-buildvcs=false"}, args...)...)
	build.Dir, build.Env = c.sources, append(os.Environ(), env...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// plan previews a change, holds that it gives away nothing but what it may, and compares it with its file.
func (c *changing) plan(t *testing.T, ch change) {
	t.Helper()
	kept := filepath.Join(c.dir, "preview.json")
	c.mustRun(t, "stack", "preview", "-save", kept)
	b, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Changes {
		if _, may := ch.gives[r.Type]; !may && (r.Kind == plan.Replace || r.Kind == plan.Delete) {
			t.Errorf("the plan wants to %s %s %s: %v", r.Kind, r.Type, r.Name, r.Properties)
		}
	}
	var text strings.Builder
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	got := settled(text.String())
	file := filepath.Join("testdata", "changes", ch.name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s was rewritten: look at the difference, then run without -update", file)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the plan is another than in %s (-want +got); -update rewrites it:\n%s", file, diff)
	}
}

// settled takes out of a plan what differs from one deployment to the next: IDs, the ends of names, what AWS draws, and how much else there is.
func settled(text string) string {
	for _, r := range []struct{ form, with string }{
		{`, \d+ unchanged`, ""},
		{`(?m)^(\s+userData: )….* -> ….*$`, "${1}OLD -> NEW"}, // the digest of the program is in it, cut to where it differs
		{`\b([a-z]+)-[0-9a-f]{17}\b`, "$1-ID"},
		{`-[0-9a-f]{7,8}\b`, "-ID"},
		{`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`, "UUID"},
		{`\b[0-9a-f]{13,}\b…?`, "ID"},
	} {
		text = regexp.MustCompile(r.form).ReplaceAllString(text, r.with)
	}
	return text
}

// deployed returns the types of all resources in the state that AWS has, by their IDs, which it tells of what is replaced.
func (c *changing) deployed(t *testing.T) map[string]string {
	t.Helper()
	var state struct {
		Deployment struct {
			Resources []struct{ URN, Type, ID string }
		}
	}
	if err := json.Unmarshal([]byte(c.mustRun(t, "stack", "export")), &state); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range state.Deployment.Resources {
		if strings.HasPrefix(r.Type, "aws:") {
			found[r.Type+" "+r.ID] = r.Type
		}
	}
	if len(found) < 150 {
		t.Fatalf("only %d resources are deployed", len(found))
	}
	return found
}

const (
	tableBegin = "<!-- changes: `go test ./test/e2e -run TestChangesAreDocumented -update` writes this table -->\n"
	tableEnd   = "<!-- end of changes -->"
)

// TestChangesAreDocumented holds docs/changes.md against the changes and their plans.
func TestChangesAreDocumented(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("| change | plan | what is replaced or deleted, and why nothing is lost |\n|---|---|---|\n")
	for _, ch := range changes() {
		b, err := os.ReadFile(filepath.Join("testdata", "changes", ch.name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		counts, _, _ := strings.Cut(string(b), "\n")
		gives := "nothing"
		for _, kind := range slices.Sorted(maps.Keys(ch.gives)) {
			gives = "`" + kind[strings.LastIndex(kind, ":")+1:] + "`: " + ch.gives[kind]
		}
		fmt.Fprintf(&rows, "| %s | [%s](../test/e2e/testdata/changes/%s.txt) | %s |\n", ch.what, counts, ch.name, gives)
	}
	file := filepath.Join("..", "..", "docs", "changes.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(b), tableBegin)
	table, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("%s has no place for the table", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+tableBegin+rows.String()+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%s was rewritten: look at the difference, then run without -update", file)
	}
	if diff := cmp.Diff(table, rows.String()); diff != "" {
		t.Errorf("%s is not up to date (-has +wants); -update rewrites it:\n%s", file, diff)
	}
}
