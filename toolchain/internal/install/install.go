// Package install puts the tools that `make up` needs into a clone: bin/pulumi with its Go language host, and the aws
// plugin under .pulumi, the clone's PULUMI_HOME. A user's own Pulumi home is never changed.
//
// Each tool comes from the first of these that works: what is installed and recent enough, what an earlier run has
// left in the cache, Pulumi's own downloads, a build from Go modules.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"storefront/toolchain/internal/cache"
	"storefront/toolchain/internal/fetch"
	"storefront/toolchain/internal/progress"
)

// Mode limits where tools may come from; the environment variable TOOLCHAIN sets it.
type Mode string

const (
	Auto   Mode = ""       // any way
	System Mode = "system" // installed or downloaded, never built
	Build  Mode = "build"  // built, whatever is installed
)

// ParseMode reads the value of TOOLCHAIN.
func ParseMode(text string) (Mode, error) {
	switch m := Mode(text); m {
	case Auto, System, Build:
		return m, nil
	default:
		return "", fmt.Errorf("TOOLCHAIN=%s: allowed are build, system, or nothing", text)
	}
}

// Installer puts tools into one clone.
type Installer struct {
	Root   string // the clone
	Mode   Mode
	Cache  cache.Cache
	Log    *progress.Log
	Source fetch.Source
	Home   string // the user's own PULUMI_HOME, which may hold the plugin; "" when there is none
}

// pins are the versions that everything is installed at, read from the go.mod files that fix them.
type pins struct{ pulumi, aws string }

func (i *Installer) pins() (p pins, err error) {
	if p.pulumi, err = required(filepath.Join(i.toolchain(), "pulumi", "go.mod"), "github.com/pulumi/pulumi/pkg/v3"); err != nil {
		return p, err
	}
	p.aws, err = required(filepath.Join(i.Root, "go.mod"), "github.com/pulumi/pulumi-aws/sdk/v6")
	return p, err
}

// required reads the version, without its v, at which a go.mod requires a module.
func required(file, module string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+v(\S+)`).FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s does not require %s", file, module)
	}
	return string(m[1]), nil
}

// All installs everything; it prints nothing and takes well under a second when all is there.
func (i *Installer) All(ctx context.Context) error {
	p, err := i.pins()
	if err != nil {
		return err
	}
	if err := i.cli(ctx, p.pulumi); err != nil {
		return fmt.Errorf("pulumi: %w", err)
	}
	if err := i.plugin(ctx, p.aws); err != nil {
		return fmt.Errorf("aws plugin: %w", err)
	}
	return nil
}

func (i *Installer) toolchain() string { return filepath.Join(i.Root, "toolchain") }

// online reports whether downloads can work, and says so once when they cannot.
func (i *Installer) online(ctx context.Context) bool {
	err := i.Source.Reachable(ctx)
	if err != nil && ctx.Err() == nil {
		i.Log.Note("%v", err)
	}
	return err == nil
}

// errNoWay ends a run in which nothing was allowed to work.
func (i *Installer) errNoWay(what string) error {
	return fmt.Errorf("%s is neither installed nor downloadable, and TOOLCHAIN=%s forbids to build it", what, i.Mode)
}

// place makes file at target, atomically: as a hard link where the file systems allow it, else as a copy. A target
// that is the same already stays.
func place(file, target string) error {
	from, err := os.Stat(file)
	if err != nil {
		return err
	}
	if there, err := os.Stat(target); err == nil &&
		(os.SameFile(from, there) || there.Size() == from.Size() && there.ModTime().Equal(from.ModTime())) {
		return nil
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, ".placing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	part := filepath.Join(work, filepath.Base(target))
	if os.Link(file, part) != nil {
		if err := copyFile(file, part, from); err != nil {
			return err
		}
	}
	return os.Rename(part, target)
}

func copyFile(file, target string, stat os.FileInfo) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, stat.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	return os.Chtimes(target, stat.ModTime(), stat.ModTime()) // place compares it
}

// linkTo makes target a symbolic link to file, atomically: a program that looks for its neighbours must find those of
// its own installation.
func linkTo(file, target string) error {
	if now, err := os.Readlink(target); err == nil && now == file {
		return nil
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, ".placing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	part := filepath.Join(work, filepath.Base(target))
	if err := os.Symlink(file, part); err != nil {
		return err
	}
	return os.Rename(part, target)
}

// isProgram reports whether path is a file that can be executed.
func isProgram(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil
}
