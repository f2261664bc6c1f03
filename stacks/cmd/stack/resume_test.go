package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestDropCutAttributes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STOREFRONT_STATE", dir)
	w := &workspace{root: dir, stack: "lab"}
	if err := w.dropCutAttributes(); err != nil {
		t.Errorf("without a state: %v", err)
	}
	stacks := filepath.Join(dir, ".pulumi", "stacks", "storefront")
	if err := os.MkdirAll(stacks, 0o700); err != nil {
		t.Fatal(err)
	}
	stays := map[string]bool{"lab.json": true, "lab.json.attrs": false, "lab.json.bak": true, "lab.json.bak.attrs": true, "dev.json.attrs": false}
	text := map[string]string{"lab.json": "", "lab.json.attrs": "", "lab.json.bak": "{", "lab.json.bak.attrs": `{"md5":""}`, "dev.json.attrs": `{"md5"`}
	for name := range stays {
		if err := os.WriteFile(filepath.Join(stacks, name), []byte(text[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.dropCutAttributes(); err != nil {
		t.Fatal(err)
	}
	for name, want := range stays {
		if _, err := os.Stat(filepath.Join(stacks, name)); errors.Is(err, fs.ErrNotExist) == want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
