// Package docs keeps the documentation true where a program can tell: commands, folders, links and pictures exist.
package docs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var (
	fence    = regexp.MustCompile("(?ms)^ *```\\w*\n(.*?)^ *```$")
	span     = regexp.MustCompile("`([^`\n]+)`")
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	makeCall = regexp.MustCompile(`(?:^|\$\(|&& |; |[A-Z_]=\S+ )make(?: -\S+| [A-Z_]+=\S+)* ([a-z][a-z0-9-]*)`)
	labCall  = regexp.MustCompile(`(?:^|\$\(|&& |; |[A-Z_]=\S+ )(?:bin/)?lab ([a-z]+)`)
	treeLine = regexp.MustCompile(`^( *)([a-z0-9-]+)/ +\S`)
	ownPath  = regexp.MustCompile(`^(?:components|cost|diagram|lab|policy|services|stacks|test|toolchain)/[\w./*-]+$`)
)

// page is one page of the documentation.
type page struct {
	path string // from the clone's root
	text string
}

func read(t *testing.T, path string) page {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return page{path, string(b)}
}

// pages returns README.md, CHANGELOG.md and everything in docs/ and docs/labs/.
func pages(t *testing.T) (all []page) {
	t.Helper()
	all = []page{read(t, "README.md"), read(t, "CHANGELOG.md")}
	for _, folder := range []string{"docs", "docs/labs"} {
		paths, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil || len(paths) < 3 {
			t.Fatalf("%s/*.md: %d pages, %v", folder, len(paths), err)
		}
		for _, path := range paths {
			all = append(all, read(t, filepath.Join(folder, filepath.Base(path))))
		}
	}
	return all
}

// section returns what stands between a heading of the second level and the next one.
func (p page) section(t *testing.T, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(p.text, "\n## "+name+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", p.path, name)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// code returns the page's code, blocks by line and spans; prose is not code.
func (p page) code() (lines []string) {
	for _, m := range fence.FindAllStringSubmatch(p.text, -1) {
		lines = append(lines, strings.Split(m[1], "\n")...)
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(p.text, ""), -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// block returns the first code block of text.
func block(t *testing.T, text string) string {
	t.Helper()
	m := fence.FindStringSubmatch(text)
	if m == nil {
		t.Fatal("no code block")
	}
	return m[1]
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = root
	c.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // the tests may run below make
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// names returns the first words of lines that are indented by two.
func names(text string) (all []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") && len(strings.Fields(line)) > 1 {
			all = append(all, strings.Fields(line)[0])
		}
	}
	return all
}

func TestMakeTargets(t *testing.T) {
	help := output(t, "make", "--no-print-directory", "help")
	if got := block(t, read(t, "README.md").section(t, "Make targets")); got != help {
		t.Errorf("README.md lists\n%s`make help` lists\n%s", got, help)
	}
	targets := names(help)
	calls := 0
	for _, p := range pages(t) {
		for _, line := range p.code() {
			for _, m := range makeCall.FindAllStringSubmatch(line, -1) {
				if calls++; !slices.Contains(targets, m[1]) {
					t.Errorf("%s: `%s`: there is no target %s", p.path, line, m[1])
				}
			}
		}
	}
	if calls < 10 {
		t.Errorf("found %d calls of make: the check checks nothing", calls)
	}
}

func TestLabCommands(t *testing.T) {
	lab := filepath.Join(t.TempDir(), "lab")
	output(t, "go", "build", "-o", lab, "./lab/cmd/lab")
	help := output(t, lab, "--help")
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\nFlags:")
	commands := append(names(list), "daemon") // which is hidden
	kinds, _, _ := strings.Cut(output(t, lab, "fault", "--help"), "\nUsage:")
	faults := names(kinds)
	calls := 0
	for _, p := range pages(t) {
		for _, line := range p.code() {
			for _, m := range labCall.FindAllStringSubmatch(line, -1) {
				if calls++; !slices.Contains(commands, m[1]) {
					t.Errorf("%s: `%s`: there is no command `lab %s`", p.path, line, m[1])
				}
			}
			if _, kind, ok := strings.Cut(line, "lab fault "); ok && !slices.Contains(faults, strings.Fields(kind)[0]) {
				t.Errorf("%s: `%s`: there is no such fault, there are %v", p.path, line, faults)
			}
		}
	}
	if calls < 10 {
		t.Errorf("found %d calls of lab: the check checks nothing", calls)
	}
}

func TestTree(t *testing.T) {
	var listed []string
	parent := ""
	for line := range strings.Lines(block(t, read(t, "README.md").section(t, "The tree"))) {
		m := treeLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q is no folder with a description", line)
			continue
		}
		folder := m[2]
		if m[1] == "" {
			parent = folder
		} else {
			folder = filepath.Join(parent, folder)
		}
		listed = append(listed, folder)
		if info, err := os.Stat(filepath.Join(root, folder)); err != nil || !info.IsDir() {
			t.Errorf("README.md lists the folder %s, which is not there", folder)
		}
	}
	for file := range strings.Lines(output(t, "git", "ls-files")) {
		folder, _, inFolder := strings.Cut(strings.TrimSpace(file), "/")
		if inFolder && !strings.HasPrefix(folder, ".") && !slices.Contains(listed, folder) {
			t.Errorf("README.md does not list the folder %s", folder)
			listed = append(listed, folder)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, p := range pages(t) {
		for _, code := range p.code() {
			if !ownPath.MatchString(code) {
				continue
			}
			if found, err := filepath.Glob(filepath.Join(root, code)); err != nil || len(found) == 0 {
				t.Errorf("%s: there is no %s", p.path, code)
			}
		}
	}
}

// anchor is the name by which a heading is linked to.
func anchor(text string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(text))
}

func TestLinks(t *testing.T) {
	links := 0
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(p.text, ""), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			links++
			target, name, _ := strings.Cut(m[1], "#")
			to := p
			if target != "" {
				path := filepath.Join(filepath.Dir(p.path), target)
				if _, err := os.Stat(filepath.Join(root, path)); err != nil {
					t.Errorf("%s: the link %s leads nowhere", p.path, m[1])
					continue
				}
				if name != "" {
					to = read(t, path)
				}
			}
			has := func(h []string) bool { return anchor(h[1]) == name }
			if name != "" && !slices.ContainsFunc(heading.FindAllStringSubmatch(to.text, -1), has) {
				t.Errorf("%s: the link %s names no heading", p.path, m[1])
			}
		}
	}
	if links < 5 {
		t.Errorf("found %d links: the check checks nothing", links)
	}
}

// TestPicture reads the picture as a browser does that finds it in a page: it must be XML, of a size, with words for those who cannot see it.
func TestPicture(t *testing.T) {
	var svg struct {
		XMLName xml.Name
		ViewBox string `xml:"viewBox,attr"`
		Title   string `xml:"title"`
		Desc    string `xml:"desc"`
	}
	text := read(t, "docs/architecture.svg").text
	d := xml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&svg); err != nil {
		t.Fatal(err)
	}
	for token, err := d.Token(); !errors.Is(err, io.EOF); token, err = d.Token() {
		if space, ok := token.(xml.CharData); !ok || len(bytes.TrimSpace(space)) > 0 {
			t.Fatalf("after the picture: %v, %v", token, err)
		}
	}
	if svg.XMLName.Local != "svg" || svg.XMLName.Space != "http://www.w3.org/2000/svg" || svg.ViewBox == "" || svg.Title == "" || svg.Desc == "" {
		t.Errorf("not a picture with a size, a title and a description: %+v", svg)
	}
	if !strings.Contains(text, "prefers-color-scheme: dark") {
		t.Error("nothing for readers with a dark page")
	}
}
