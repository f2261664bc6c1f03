package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestCountContents(t *testing.T) {
	for export, want := range map[string][2]int{
		`{"version":3,"deployment":{}}`: {0, 0},
		`{"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:lab::storefront::pulumi:pulumi:Stack::storefront-lab","type":"pulumi:pulumi:Stack"}],
			"pending_operations":[{"type":"creating","resource":{"urn":"urn:pulumi:lab::storefront::aws:ec2/vpc:Vpc::vpc","type":"aws:ec2/vpc:Vpc"}},
			{"type":"updating","resource":{"urn":"urn:pulumi:lab::storefront::aws:ec2/vpc:Vpc::other","type":"aws:ec2/vpc:Vpc"}}]}}`: {1, 1},
	} {
		if made, pending, err := countContents([]byte(export)); err != nil || [2]int{made, pending} != want {
			t.Errorf("%s: got %d, %d, %v; want %v", export, made, pending, err, want)
		}
	}
	if _, _, err := countContents([]byte("broken")); err == nil {
		t.Error("a state that is no JSON was taken")
	}
}

// A plugin that a killed Pulumi left keeps the lock, until the next deployment ends it.
func TestTakeLockEndsOrphans(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this machine has no /proc")
	}
	orphan := hold(t, "plugin")
	defer orphan.lock.Close()
	if err := orphan.w.takeLock(t.Context()); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := orphan.cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the plugin ended with %v, want SIGTERM", err)
	}
}

// A Pulumi at work keeps the lock, and its plugins.
func TestTakeLockWaitsForPulumi(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this machine has no /proc")
	}
	running := hold(t, "pulumi")
	defer running.lock.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := running.w.takeLock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want to wait until the time is up", err)
	}
	if err := running.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("Pulumi was ended: %v", err)
	}
	_ = running.cmd.Wait()
}

// holder is a process that has the lock of a workspace.
type holder struct {
	w    *workspace
	cmd  *exec.Cmd
	lock *os.File // of the workspace, which does not have it
}

func hold(t *testing.T, name string) holder {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), program, 0o700); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	held := open()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, name), "60")
	cmd.ExtraFiles = []*os.File{held}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	w := &workspace{out: io.Discard, lock: open()}
	return holder{w: w, cmd: cmd, lock: w.lock}
}
