package server_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"storefront/lab/server"
)

func TestAccountIsNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs servers as somebody else")
	}
	open, private := "/tmp", t.TempDir()
	if err := os.Chmod(filepath.Dir(private), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, private} { // one that nobody can enter runs its servers in a user namespace
		a, err := server.ChooseAccount(dir, "no-such-user", "nobody")
		if err != nil {
			t.Fatal(err)
		}
		id := exec.Command("id", "-u")
		id.SysProcAttr = a.Attributes()
		out, err := id.Output()
		if err != nil || string(bytes.TrimSpace(out)) == "0" {
			t.Errorf("in %s: runs as %q, %v", dir, out, err)
		}
	}
	for _, users := range [][]string{nil, {"no-such-user"}, {"root"}} {
		if _, err := server.ChooseAccount(open, users...); err == nil {
			t.Errorf("of %q somebody was chosen", users)
		}
	}
}

func TestEndKillsWhatIsOursAlone(t *testing.T) {
	start := func() *exec.Cmd {
		c := exec.Command("sleep", "60")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	ours, other := start(), start()
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	ended := make(chan struct{})
	go func() { _ = ours.Wait(); close(ended) }()
	if err := server.End(func(pid int) bool {
		select {
		case <-ended:
			return false
		default:
			return pid == ours.Process.Pid
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error("what is not ours was ended")
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		not := errors.New("not yet")
		tries := 0
		if err := server.Await(t.Context(), time.Second, nil, func(context.Context) error {
			if tries++; tries < 5 {
				return not
			}
			return nil
		}); err != nil {
			t.Errorf("a server that answers at last: %v", err)
		}
		never := func(context.Context) error { return not }
		if err := server.Await(t.Context(), time.Second, nil, never); !errors.Is(err, not) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a server that never answers: %v", err)
		}
		ended := make(chan struct{})
		close(ended)
		if err := server.Await(t.Context(), time.Second, ended, never); !errors.Is(err, server.ErrEnded) {
			t.Errorf("a server that has ended: %v", err)
		}
	})
}

func TestLogsAreAppendedToUntilTheyAreLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.log")
	write := func(text string) {
		t.Helper()
		f, err := server.OpenLog(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	write("two\tthree\n")
	if got := server.LastLines(path); got != "one | two three" {
		t.Errorf("got %q", got)
	}
	write(strings.Repeat("x", 17<<20))
	write("anew\n")
	if got := server.LastLines(path); got != "anew" {
		t.Errorf("got %d bytes of an old log", len(got))
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v: want that only its owner can read it", info.Mode(), err)
	}
	if got := server.LastLines(path + ".none"); !strings.Contains(got, "no such file") {
		t.Errorf("a log that is not there says %q", got)
	}
}
