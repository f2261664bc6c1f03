package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"storefront/lab/server"
)

// account is the user that servers run as, who owns their files.
type account struct{ server.Account }

// mkdir makes a directory of the account that nobody else can enter, unless it is there.
func (a account) mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return a.Own(path)
}

// writeFile replaces a file of the account, whole or not at all. Its mode is 0600.
func (a account) writeFile(path string, data []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	if err := a.Own(temp); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// symlink makes link point to target, replacing an older link in one step.
func (a account) symlink(target, link string) error {
	temp := link + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	if err := a.Own(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, link); err != nil {
		return fmt.Errorf("pointing %s to %s: %w", filepath.Base(link), target, err)
	}
	return nil
}
