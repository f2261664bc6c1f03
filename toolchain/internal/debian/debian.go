// Package debian makes sure that the programs are there which the lab gets from the system: PostgreSQL, Redis,
// nftables and iproute2. It changes nothing else: no service is started or left enabled, no database cluster made.
package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// OldestPostgres is the first release of PostgreSQL that the lab can run as Aurora.
const OldestPostgres = 15

// ErrManual means that the user has to do something first; the error's text says what.
var ErrManual = errors.New("the lab cannot run here yet")

// Host is the machine to check. The zero value of a field means the real thing.
type Host struct {
	OS   string   // runtime.GOOS
	Root string   // directory that stands for /
	Path []string // directories with programs; system directories that ordinary users lack are always added
	UID  *int     // os.Geteuid()
}

// Missing returns the Debian packages whose programs are not there, in a fixed order.
func (h Host) Missing() []string {
	var missing []string
	if h.postgres() < OldestPostgres {
		missing = append(missing, "postgresql")
	}
	for _, p := range []struct{ program, name string }{
		{"redis-server", "redis-server"}, {"nft", "nftables"}, {"ip", "iproute2"},
	} {
		if !h.has(p.program) {
			missing = append(missing, p.name)
		}
	}
	return missing
}

// Check installs missing packages when it may (Debian or Ubuntu, root). Otherwise it returns an ErrManual with the
// exact command; install does the work, and is told which packages.
func (h Host) Check(ctx context.Context, install func(ctx context.Context, packages []string) error) error {
	if os := h.os(); os != "linux" {
		return fmt.Errorf("%w: it needs Linux, this is %s (deploying to AWS works: pulumi up -s dev)", ErrManual, os)
	}
	missing := h.Missing()
	if len(missing) == 0 {
		return nil
	}
	if !h.has("apt-get") {
		return fmt.Errorf("%w: install what your system calls %s (PostgreSQL %d or newer with its server programs)",
			ErrManual, strings.Join(missing, ", "), OldestPostgres)
	}
	if h.uid() != 0 {
		return fmt.Errorf("%w: run this first: sudo apt-get install --yes --no-install-recommends %s",
			ErrManual, strings.Join(missing, " "))
	}
	if err := install(ctx, missing); err != nil {
		return err
	}
	if left := h.Missing(); len(left) > 0 {
		return fmt.Errorf("%w: %s installed, but its programs are too old or missing", ErrManual, strings.Join(left, ", "))
	}
	return nil
}

// postgres returns the newest major release whose server programs are there, or 0.
func (h Host) postgres() int {
	newest := 0
	// Debian keeps releases side by side; other systems have one on PATH, and its directory does not tell the release.
	found, _ := filepath.Glob(filepath.Join(h.Root, "/usr/lib/postgresql/*/bin/postgres"))
	for _, path := range found {
		major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && isProgram(filepath.Join(filepath.Dir(path), "pg_basebackup")) {
			newest = max(newest, major)
		}
	}
	if newest == 0 && h.Root == "" {
		if out, err := exec.Command("postgres", "--version").Output(); err == nil {
			newest = majorOf(string(out))
		}
	}
	return newest
}

// majorOf reads "postgres (PostgreSQL) 16.2".
func majorOf(version string) int {
	fields := strings.Fields(version)
	if len(fields) < 3 {
		return 0
	}
	major, _, _ := strings.Cut(fields[2], ".")
	n, _ := strconv.Atoi(major)
	return n
}

func (h Host) has(program string) bool {
	dirs := h.Path
	if dirs == nil {
		dirs = filepath.SplitList(os.Getenv("PATH"))
	}
	return slices.ContainsFunc(append(slices.Clone(dirs), "/usr/sbin", "/sbin"), func(dir string) bool {
		return isProgram(filepath.Join(h.Root, dir, program))
	})
}

func isProgram(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.Mode().IsRegular() && stat.Mode()&0o111 != 0
}

func (h Host) os() string {
	if h.OS != "" {
		return h.OS
	}
	return runtime.GOOS
}

func (h Host) uid() int {
	if h.UID != nil {
		return *h.UID
	}
	return os.Geteuid()
}
