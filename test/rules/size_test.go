package rules

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Limits that keep each function readable at a glance and each file about one thing. Tests and generated code are free of them.
const (
	maxFunctionLines = 100
	maxFileLines     = 400
)

// source is one file of Go, parsed.
type source struct {
	path string // from the clone's root
	file *ast.File
	pos  *token.FileSet
}

func TestSizes(t *testing.T) {
	files := sources(t)
	if len(files) < 100 {
		t.Fatalf("found %d files: the limits would check nothing", len(files))
	}
	for _, s := range files {
		if n := s.pos.Position(s.file.FileEnd).Line; n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: split it by what it is about", s.path, n, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			begin, end := s.pos.Position(f.Pos()).Line, s.pos.Position(f.End()).Line
			if n := end - begin + 1; n > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d: give its steps names", s.path, begin, f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// TestNoInit keeps wiring in the open: what runs before main is seen by nobody who reads main.
func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: func init: call it from where it is needed", s.path, s.pos.Position(f.Pos()).Line)
			}
		}
	}
}

// sources returns the project's own code, without tests and without what is generated.
func sources(t *testing.T) (all []source) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("the clone's root: %v", err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // another test's file, gone again
			return nil
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := source{path: strings.TrimPrefix(path, root+"/"), pos: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.pos, path, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
		if !ast.IsGenerated(s.file) {
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
