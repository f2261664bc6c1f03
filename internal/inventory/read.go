package inventory

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Read reads a stack out of a file that Decode takes; - is standard input.
func Read(file string, in io.Reader) (*Stack, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(in)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	s, err := Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Deployed reads a stack that was deployed from the clone at root: what Pulumi's backend in files keeps. It needs no Pulumi, no passphrase and no
// credentials. The error is os.ErrNotExist where no such stack is deployed, or its state is in another kind of backend.
func Deployed(root, stack string) (*Stack, error) {
	dir := filepath.Join(root, ".state")
	if own := os.Getenv("STOREFRONT_STATE"); own != "" {
		dir = own
	}
	if backend := os.Getenv("PULUMI_BACKEND_URL"); backend != "" {
		path, inFiles := strings.CutPrefix(backend, "file://")
		if !inFiles {
			return nil, fmt.Errorf("the state of %s is in %s: %w", stack, backend, os.ErrNotExist)
		}
		dir = path
	}
	s, err := Read(filepath.Join(dir, ".pulumi", "stacks", "storefront", stack+".json"), nil)
	if err == nil && s.Len() == 0 {
		return nil, fmt.Errorf("the stack %s is empty: %w", stack, os.ErrNotExist)
	}
	return s, err
}
