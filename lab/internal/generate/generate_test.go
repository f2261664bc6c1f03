package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	if err := run("../..", true); err != nil {
		t.Error(err)
	}
}

func TestOperationListIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.txt")
	if err := os.WriteFile(path, []byte("# comment\nB # why\n\nA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readOperations(path); err != nil || strings.Join(got, " ") != "A B" {
		t.Errorf("got %v, %v, want A B", got, err)
	}
	if err := os.WriteFile(path, []byte("A\nA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readOperations(path); err == nil || !strings.Contains(err.Error(), ":2: A is listed twice") {
		t.Errorf("got %v, want the line of the second A", err)
	}
	m := &model{Operations: map[string]*operation{}}
	if _, _, err := generateService(service{dir: "x"}, m, []string{"Fly"}); err == nil || !strings.Contains(err.Error(), "Fly is not an operation") {
		t.Errorf("got %v, want the operation's name", err)
	}
}

func TestCamel(t *testing.T) {
	for value, want := range map[string]string{"in-use": "InUse", "IN_USE": "InUse", "In use": "InUse", "t3.micro": "T3Micro", "": "Empty", "*": "Empty"} {
		if got := camel(value); got != want {
			t.Errorf("camel(%q) is %q, want %q", value, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"<p>Creates a <a>VPC</a> . More.</p>":        "Creates a VPC.",
		"<p>Keys, e.g. <code>a</code>, &amp; values": "Keys, for example a, & values",
		"": "",
	} {
		if got := sentence(text); got != want {
			t.Errorf("sentence(%q) is %q, want %q", text, got, want)
		}
	}
}
