// Package clone finds the clone of the project that a program runs in.
package clone

import (
	"fmt"
	"os"
	"path/filepath"
)

// Root returns the directory of Pulumi.yaml at or above the current directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "Pulumi.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("there is no Pulumi.yaml at or above %s: run this inside a clone of the project", dir)
		}
	}
}
