package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Install installs packages with apt-get, as root, so that the lab can run their programs itself: their services are
// neither started nor enabled, and PostgreSQL makes no cluster of its own.
func Install(ctx context.Context, packages []string) error {
	allow, err := forbidServices("/usr/sbin/policy-rc.d")
	if err != nil {
		return err
	}
	defer allow()
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	if len(packages) > 0 && packages[0] == "postgresql" {
		if err := apt(ctx, "install", "postgresql-common"); err != nil {
			return err
		}
		restore, err := replaceFile("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n", 0o644)
		if err != nil {
			return err
		}
		defer restore()
	}
	if err := apt(ctx, append([]string{"install"}, packages...)...); err != nil {
		return err
	}
	return disable(ctx, packages)
}

// forbidServices makes Debian's package scripts start nothing (see invoke-rc.d(8): status 101) until the returned
// function is called.
func forbidServices(policy string) (allow func(), err error) {
	return replaceFile(policy, "#!/bin/sh\nexit 101\n", 0o755)
}

// replaceFile writes text to file until the returned function brings back what was there.
func replaceFile(file, text string, mode fs.FileMode) (restore func(), err error) {
	before, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		restore = func() { os.Remove(file) }
	case err != nil:
		return nil, fmt.Errorf("change %s for a moment: %w", file, err)
	default:
		stat, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("change %s for a moment: %w", file, err)
		}
		restore = func() { _ = os.WriteFile(file, before, stat.Mode()) }
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("change %s for a moment: %w", file, err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		return nil, fmt.Errorf("change %s for a moment: %w", file, err)
	}
	return restore, nil
}

// disable keeps services that came with the packages from starting with the machine. Without systemd there is nothing
// to do.
func disable(ctx context.Context, packages []string) error {
	services := map[string]string{"postgresql": "postgresql.service", "redis-server": "redis-server.service"}
	for _, name := range packages {
		service, known := services[name]
		if _, err := exec.LookPath("systemctl"); !known || err != nil {
			continue
		}
		if out, err := exec.CommandContext(ctx, "systemctl", "disable", "--quiet", service).CombinedOutput(); err != nil {
			return fmt.Errorf("disable %s: %w: %s", service, err, bytes.TrimSpace(out))
		}
	}
	return nil
}

func apt(ctx context.Context, args ...string) error {
	var said bytes.Buffer
	options := []string{"--quiet", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"}
	c := exec.CommandContext(ctx, "apt-get", append(options, args...)...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	c.Stdout, c.Stderr = &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = time.Minute // dpkg must not be cut off in the middle
	if err := c.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	return nil
}
