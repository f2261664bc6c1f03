// Package workflows keeps the workflows of .github in order: they are valid, call only make targets that exist, hold no keys and no more
// rights than they need, and take nothing over from a pull request that could be a command.
package workflows

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"gopkg.in/yaml.v3"
)

const root = "../.."

var (
	pinned   = regexp.MustCompile(`(?m)^ *(?:- )?uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)
	uses     = regexp.MustCompile(`(?m)^ *(?:- )?uses: `)
	makeCall = regexp.MustCompile(`(?m)\bmake ([a-z][a-z0-9-]*)`)
	target   = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
)

// workflow is what is looked at of a workflow.
type workflow struct {
	Concurrency struct {
		Group string `yaml:"group"`
	} `yaml:"concurrency"`
	Jobs map[string]struct {
		Timeout     int               `yaml:"timeout-minutes"`
		Permissions map[string]string `yaml:"permissions"`
		Steps       []struct {
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			With map[string]string `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

func files(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("%d workflows, %v", len(paths), err)
	}
	all := map[string]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(b)
	}
	return all
}

func parse(t *testing.T, text string) (w workflow) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	if len(w.Jobs) == 0 {
		t.Fatal("no jobs")
	}
	return w
}

// actionlint knows the syntax, the types of expressions, the inputs of well-known actions, and where untrusted text meets a shell.
func TestSyntax(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files(t) {
		found, err := linter.Lint(name, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			t.Error(e)
		}
	}
	broken := "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n"
	if found, err := linter.Lint("broken.yml", []byte(broken), nil); err != nil || len(found) == 0 {
		t.Errorf("a title in a shell was not found: the check checks nothing (%v)", err)
	}
}

func TestMakeTargets(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range target.FindAllStringSubmatch(string(b), -1) {
		targets = append(targets, m[1])
	}
	var called []string
	for name, text := range files(t) {
		for job, j := range parse(t, text).Jobs {
			for _, s := range j.Steps {
				if strings.HasPrefix(s.Run, "apt-get ") {
					continue // which names make as a package
				}
				for _, m := range makeCall.FindAllStringSubmatch(s.Run, -1) {
					called = append(called, m[1])
					if !slices.Contains(targets, m[1]) {
						t.Errorf("%s, job %s: there is no target %s", name, job, m[1])
					}
				}
			}
		}
	}
	for _, name := range targets {
		if strings.HasPrefix(name, "ci-") && !slices.Contains(called, name) {
			t.Errorf("no workflow runs make %s", name)
		}
	}
	if len(called) < 6 {
		t.Errorf("found %d calls of make: the check checks nothing", len(called))
	}
}

func TestActionsArePinned(t *testing.T) {
	commits := map[string]string{}
	for name, text := range files(t) {
		found := pinned.FindAllStringSubmatch(text, -1)
		if all := uses.FindAllString(text, -1); len(found) != len(all) {
			t.Errorf("%s: %d of %d actions are pinned by their full commit, with the version beside it", name, len(found), len(all))
		}
		for _, m := range found {
			if other, known := commits[m[1]]; known && other != m[2] {
				t.Errorf("%s: %s in two versions", name, m[1])
			}
			commits[m[1]] = m[2]
		}
	}
}

func TestRights(t *testing.T) {
	may := map[string][]string{
		"preview/preview": {"contents: read", "id-token: write"},
		"preview/comment": {"contents: read", "pull-requests: write"},
		"drift/drift":     {"contents: read", "id-token: write"},
		"drift/issue":     {"contents: read", "issues: write"},
		"e2e/test":        {"contents: read"},
		"deploy/plan":     {"contents: read", "id-token: write"},
		"deploy/deploy":   {"contents: read", "id-token: write"},
	}
	for name, text := range files(t) {
		w := parse(t, text)
		if !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s: jobs have rights that nobody gave them", name)
		}
		if w.Concurrency.Group == "" {
			t.Errorf("%s: two runs may meet", name)
		}
		if strings.Contains(text, "pull_request_target") || strings.Contains(text, "workflow_run") {
			t.Errorf("%s: runs a stranger's code with the repository's rights", name)
		}
		if strings.Contains(text, "secrets.") || strings.Contains(text, "aws-access-key-id") {
			t.Errorf("%s: wants a stored key", name)
		}
		for job, j := range w.Jobs {
			var has []string
			for right, level := range j.Permissions {
				has = append(has, right+": "+level)
			}
			slices.Sort(has)
			if want := may[strings.TrimSuffix(name, ".yml")+"/"+job]; !slices.Equal(has, want) {
				t.Errorf("%s, job %s: may %v, want %v", name, job, has, want)
			}
			if j.Timeout == 0 {
				t.Errorf("%s, job %s: has no end", name, job)
			}
			for _, s := range j.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s, job %s: an expression becomes part of a command: %s", name, job, s.Run)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
					t.Errorf("%s, job %s: the checkout keeps the token", name, job)
				}
			}
			if posts := slices.Contains(has, "pull-requests: write"); posts && !strings.Contains(text, "ref: ${{ github.event.pull_request.base.sha }}") {
				t.Errorf("%s, job %s: runs the pull request's code with the right to post", name, job)
			}
		}
	}
}

// The recipes take texts by the environment: nothing in a note or a number is a command.
func TestTextsAreNoCommands(t *testing.T) {
	c := exec.Command("make", "--dry-run", "--no-print-directory", "ci-comment", "ci-drift")
	c.Dir = root
	c.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "CI_NOTE=$(id)", "CI_NUMBER=1; id")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`-number "$CI_NUMBER"`, `-note "$CI_NOTE"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the recipe has no %s:\n%s", want, out)
		}
	}
}
