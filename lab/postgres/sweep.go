package postgres

import (
	"fmt"
	"path/filepath"
)

// Sweep ends every server that an earlier engine left running on dir, as Open does, on a machine where no new engine is wanted.
func Sweep(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := endProcesses(dir); err != nil {
		return fmt.Errorf("ending the database servers of an earlier run: %w", err)
	}
	return nil
}
