package labs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"storefront/test/labs"
)

const index = "../../docs/labs/README.md"

// sections are those of every exercise, in this order.
var sections = []string{"Goal", "You need", "Steps", "Questions", "Put all back", "Behind it"}

var (
	headings = regexp.MustCompile(`(?m)^## (.+)$`)
	source   = regexp.MustCompile(`\]\(https://docs\.aws\.amazon\.com/\S+\)`)
)

// TestPages holds the exercises to their form. That they work is for test/e2e.
func TestPages(t *testing.T) {
	listed, err := labs.Index(index)
	if err != nil || len(listed) < 8 {
		t.Fatalf("the index lists %v, %v; want eight exercises at least", listed, err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(index), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Base(file) != "README.md" && !slices.Contains(listed, file) {
			t.Errorf("%s is not in the index", file)
		}
	}
	for _, file := range listed {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			p, err := labs.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			checked := slices.ContainsFunc(p.Steps, func(s labs.Step) bool { return strings.Trim(s.Output, ".\n") != "" })
			if len(p.Steps) < 4 || !checked {
				t.Errorf("%d steps, checked: %t", len(p.Steps), checked)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range headings.FindAllStringSubmatch(string(b), -1) {
				got = append(got, m[1])
			}
			if !slices.Equal(got, sections) {
				t.Errorf("sections %q, want %q", got, sections)
			}
			if n := strings.Count(string(b), "<details>"); n < 2 || n != strings.Count(string(b), "</details>") {
				t.Errorf("%d folded answers, want two at least", n)
			}
			if !source.Match(b) {
				t.Error("no page of AWS behind it")
			}
		})
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRead(t *testing.T) {
	p, err := labs.Read(write(t, "# A\nText.\n```sh\ntrue\n```\n## B\n```sh\necho a\necho b\n```\nRepeat until it is so:\n```text\na\nb\n```\n\n```sh\nls\n```\n```text\n...\n```\n"))
	want := []labs.Step{{4, "true\n", "", false}, {8, "echo a\necho b\n", "a\nb\n", true}, {18, "ls\n", "...\n", false}}
	if err != nil || !slices.Equal(p.Steps, want) {
		t.Errorf("got %+v, %v; want %+v", p, err, want)
	}
	for name, text := range map[string]string{
		"output alone": "```text\na\n```\n", "two outputs": "```sh\nls\n```\n```text\na\n```\n```text\nb\n```\n",
		"another language": "```python\na\n```\n", "no language": "```\na\n```\n", "empty": "```sh\n```\n", "blank output": "```sh\nls\n```\n```text\n\n```\n",
	} {
		if _, err := labs.Read(write(t, text)); !errors.Is(err, labs.ErrPage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		output, printed string
		want            bool
	}{
		{"200\n", "200\n", true}, {"200\n", "200", true}, {"200\n", "2000\n", false}, {"200\n", "200\n\n", false}, {"200\n", "", false},
		{"a ... d\n", "a\t b  c d\r\n", true}, {"a ... d\n", "a b c\n", false}, {"i-...\n", "i-0\ni-1\n", false},
		{"...\n200\n", "200\n", true}, {"...\n200\n", "<html>\n\n200\n", true}, {"a\n...\nb\n...\n", "a\nx\nb\n", true}, {"a\n...\nb\n", "a\nx\n", false},
		{"...\n", "", true}, {"(1+1)\n", "11\n", false}, {"a.b\n", "axb\n", false},
	} {
		if got := (labs.Step{Output: c.output}).Matches(c.printed); got != c.want {
			t.Errorf("%q shown, %q printed: %t", c.output, c.printed, got)
		}
	}
}

func newShell(t *testing.T) *labs.Shell {
	t.Helper()
	sh, err := labs.NewShell(t.TempDir(), append(os.Environ(), "GIVEN=yes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sh.Close)
	return sh
}

func TestShell(t *testing.T) {
	sh := newShell(t)
	for _, c := range []struct {
		block, printed string
		strict         bool
		status         int
	}{
		{"a=1\nf() { echo $a $GIVEN; }", "", true, 0}, {"f; echo 'it'\"'\"'s' >&2", "1 yes\nit's\n", true, 0}, {"cat; read x", "", false, 1}, {"false\necho on", "on\n", false, 0},
		{"touch new; ls", "new\n", true, 0}, {"(exit 7)", "", false, 7}, {"sleep 60 & echo begun", "begun\n", true, 0}, {"kill %1; wait %1 2>/dev/null; echo ended", "ended\n", false, 0},
	} {
		if printed, status, err := sh.Run(t.Context(), c.block, c.strict); err != nil || printed != c.printed || status != c.status {
			t.Errorf("%s: printed %q, status %d, %v; want %q and %d", c.block, printed, status, err, c.printed, c.status)
		}
	}
	if printed, status, err := newShell(t).Run(t.Context(), "echo a\nfalse\necho b", true); err == nil || printed != "a\n" || status == 0 {
		t.Errorf("a strict block that fails: %q, %d, %v", printed, status, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := newShell(t).Run(ctx, "sleep 60", false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a block that does not end: %v", err)
	}
}

// TestRun follows a page whose second step needs three attempts, and pages that do not hold.
func TestRun(t *testing.T) {
	read := func(text string) *labs.Page {
		p, err := labs.Read(write(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := read("```sh\nn=0\n```\n```sh\nn=$((n+1)); echo $n\n```\nRepeat until three:\n```text\n3\n```\n").Run(t.Context(), newShell(t)); err != nil {
		t.Error(err)
	}
	for page, want := range map[string]string{
		"```sh\nfalse\n```\n":                                     "page.md:2",
		"```sh\n(exit 3); true\n```\n":                            "page.md:2",
		"```sh\ntrue\n```\n```sh\necho a\n```\n```text\nb\n```\n": "page.md:5",
	} {
		if err := read(page).Run(t.Context(), newShell(t)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want an error at %s", page, err, want)
		}
	}
}
