//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// describe says where and of what this run is.
func describe(ctx context.Context, root string) (run, error) {
	r := run{Date: time.Now(), LoadBefore: loadAverage()}
	head, err := git(ctx, root, "rev-parse", "--short", "HEAD")
	if err != nil {
		return r, err
	}
	changes, err := git(ctx, root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
	if err != nil {
		return r, err
	}
	if r.Commit = head; changes != "" {
		r.Commit += "+changes"
	}
	cpus, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return r, err
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return r, fmt.Errorf("size of the memory: %w", err)
	}
	var system unix.Utsname
	if err := unix.Uname(&system); err != nil {
		return r, fmt.Errorf("release of the kernel: %w", err)
	}
	release := system.Release[:bytes.IndexByte(system.Release[:], 0)]
	r.Machine = fmt.Sprintf("%d cores (%s), %.0f GB, Linux %s, %s", runtime.NumCPU(), cpuModel(string(cpus)),
		float64(info.Totalram)*float64(info.Unit)/(1<<30), release, runtime.Version())
	return r, nil
}

// cpuModel reads /proc/cpuinfo: "model name" on x86, nothing of the kind on arm64.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// loadAverage says how busy the machine was over 1, 5 and 15 minutes.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
