// Package labs reads the exercises in docs/labs and does what they tell a student to do: see Read for what a page means, and Page.Run for how it is run. TestLabs in
// test/e2e runs all of them on one deployment.
package labs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// ErrPage says that a page cannot be followed by a program; the text tells where and why.
var ErrPage = errors.New("not a page that can be followed")

// Page is one Markdown file.
type Page struct {
	File  string
	Steps []Step
}

// Step is one block of commands, with what it is said to print.
type Step struct {
	Line     int    // of the commands, from 1
	Commands string // for bash
	// Output is what the commands print, as the page shows it: "..." stands for anything within a line, and on a line of its own for any lines. Empty: they have to succeed,
	// whatever they print.
	Output string
	Until  bool // repeat until they print it
}

// until begins the sentence between commands and output that has the commands repeated.
const until = "Repeat until"

// Read reads a page. Fenced blocks of language sh are commands. A block of language text is what the commands above it print; a sentence that begins with "Repeat until" between
// the two says that this takes a while. A fenced block of another kind, or an output without commands, is an ErrPage.
func Read(file string) (*Page, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := &Page{File: file}
	repeat := false
	for n := goldmark.DefaultParser().Parse(text.NewReader(source)).FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Paragraph:
			repeat = strings.HasPrefix(string(n.Lines().Value(source)), until)
		case *ast.FencedCodeBlock:
			if err := p.add(string(n.Language(source)), string(n.Lines().Value(source)), line(source, n), repeat); err != nil {
				return nil, err
			}
			repeat = false
		}
	}
	return p, nil
}

// line is the number of a block's first line.
func line(source []byte, n *ast.FencedCodeBlock) int {
	if n.Lines().Len() == 0 {
		return 0
	}
	return strings.Count(string(source[:n.Lines().At(0).Start]), "\n") + 1
}

func (p *Page) add(language, block string, line int, repeat bool) error {
	bad := func(reason string) error { return fmt.Errorf("%w: %s:%d: %s", ErrPage, p.File, line, reason) }
	switch {
	case strings.TrimSpace(block) == "":
		return bad("an empty block")
	case language == "sh":
		p.Steps = append(p.Steps, Step{Line: line, Commands: block})
		return nil
	case language != "text":
		return bad(fmt.Sprintf("a block of %q, want sh or text", language))
	case len(p.Steps) == 0 || p.Steps[len(p.Steps)-1].Output != "":
		return bad("an output without commands of its own")
	}
	last := &p.Steps[len(p.Steps)-1]
	last.Output, last.Until = block, repeat
	return nil
}

// listed are links of an index to pages beside it.
var listed = regexp.MustCompile(`\]\(([a-z0-9-]+\.md)\)`)

// Index returns the pages that a page links to in its own directory, in that order.
func Index(file string) (pages []string, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, m := range listed.FindAllStringSubmatch(string(b), -1) {
		if page := filepath.Join(filepath.Dir(file), m[1]); !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	return pages, nil
}

// pattern compiles an output as Step.Output describes it.
func pattern(output string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for l := range strings.Lines(output) {
		if l = columns(l); l == "..." {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(l), `\.\.\.`, `.*`) + "\n")
	}
	return regexp.MustCompile(b.String() + `\z`)
}

// Matches reports whether commands printed what the page shows. Columns may be apart as they like: tabs and spaces count as one space. The last line may lack its end.
func (s Step) Matches(printed string) bool {
	var b strings.Builder
	for l := range strings.Lines(printed) {
		b.WriteString(columns(l) + "\n")
	}
	return pattern(s.Output).MatchString(b.String())
}

// columns returns a line with single spaces, and none around it.
func columns(line string) string { return strings.Join(strings.Fields(line), " ") }
