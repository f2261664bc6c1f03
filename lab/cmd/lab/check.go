//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"storefront/lab/postgres"
	"storefront/lab/redis"
)

// searchPath is where the lab finds programs. On Debian an ordinary user's PATH lacks the directory of nft.
func searchPath() string { return os.Getenv("PATH") + ":/usr/sbin:/sbin" }

// checkPrograms says which of the system's programs that the lab runs are missing, and how to install them.
func checkPrograms() error {
	var missing, packages []string
	if !onPath("nft") {
		missing, packages = append(missing, "nft"), append(packages, "nftables")
	}
	if err := postgres.Installed(); errors.Is(err, postgres.ErrNoServer) {
		missing, packages = append(missing, "postgres"), append(packages, "postgresql")
	} else if err != nil {
		return err
	}
	if err := redis.Installed(); errors.Is(err, redis.ErrNoServer) {
		missing, packages = append(missing, "redis-server"), append(packages, "redis-server")
	} else if err != nil {
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("missing on this machine: %s; as root: apt-get install %s", strings.Join(missing, ", "), strings.Join(packages, " "))
}

func onPath(program string) bool {
	for _, dir := range filepath.SplitList(searchPath()) {
		if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// checkDir refuses a directory that holds something, but no lab: `lab down --forget` deletes the whole directory.
func (l *lab) checkDir() error {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lab directory: %w; choose another with --dir or LAB_DIR", err)
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(l.logFile()) {
			return nil
		}
	}
	return fmt.Errorf("%s holds other things than a lab; choose another directory with --dir or LAB_DIR", l.dir)
}
