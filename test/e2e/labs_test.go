package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"storefront/test/labs"
)

// TestLabs does the exercises of docs/labs on one deployment, in their order, each in a shell of its own. They put all back, so that at the end there is no drift and
// the whole stack can be destroyed. One that fails leaves a stack that the next ones do not know: it ends the test.
func TestLabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.up(t)
	index := filepath.Join(s.root, "docs", "labs", "README.md")
	pages, err := labs.Index(index)
	if err != nil || len(pages) < 8 {
		t.Fatalf("the exercises are %v, %v", pages, err)
	}
	for _, page := range pages {
		if !t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) { s.exercise(t, index, page) }) {
			t.FailNow()
		}
	}
	if out := s.mustRun(t, "stack", "drift"); !strings.HasPrefix(out, "no drift in ") {
		t.Errorf("the exercises left drift:\n%s", out)
	}
	s.mustRun(t, "stack", "down")
}

// exercise follows pages in one shell. Below make, the variables that it hands on would be taken for the student's.
func (s *site) exercise(t *testing.T, pages ...string) {
	t.Helper()
	sh, err := labs.NewShell(s.root, append(s.env(), "MAKEFLAGS=", "MAKELEVEL=", "TMPDIR="+t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	begin := time.Now()
	for _, file := range pages {
		p, err := labs.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Run(t.Context(), sh); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("done in %s", time.Since(begin).Round(100*time.Millisecond))
}
