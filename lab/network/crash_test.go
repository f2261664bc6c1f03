package network_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"storefront/lab/network"
)

// TestCrash kills a process that has a network open with a process in it, and opens the directory anew: as root does, and as a user does,
// whose every lab has a user namespace of its own.
func TestCrash(t *testing.T) {
	switch dir := os.Getenv("NETWORK_DIR"); os.Getenv("NETWORK_ROLE") {
	case "victim":
		victim(t, dir)
	case "successor":
		n := reopen(t, dir)
		apply(t, n, shop("", 0))
		serve(t, n, in("lb"), "10.0.0.6:80")
		check(t, "after the crash", seen(t, n, network.Internet(), "198.18.0.6:80"), "198.51.100.1")
		return
	}
	t.Run("as root", func(t *testing.T) { testCrash(t, nil) })
	t.Run("in user namespaces", func(t *testing.T) {
		self := []syscall.SysProcIDMap{{Size: 1}}
		testCrash(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: self, GidMappings: self})
	})
}

func testCrash(t *testing.T, attr *syscall.SysProcAttr) {
	dir := t.TempDir()
	start := func(role string) (*exec.Cmd, *bufio.Reader) {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestCrash$")
		cmd.Env = append(os.Environ(), "NETWORK_ROLE="+role, "NETWORK_DIR="+dir)
		cmd.SysProcAttr = attr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewReader(out)
	}
	lab, out := start("victim")
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	orphan := strings.TrimSpace(line)
	if err := lab.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = lab.Wait()
	bystander := exec.Command("unshare", "-n", "sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	if !lives(orphan) {
		t.Fatalf("process %s died with the lab; the test proves nothing", orphan)
	}

	lab, out = start("successor")
	log, _ := io.ReadAll(out)
	if err := lab.Wait(); err != nil {
		t.Errorf("after the crash: %v\n%s", err, log)
	}
	eventually(t, func() bool { return !lives(orphan) }, func() string { return "a process of the killed lab still lives" })
	if !lives(fmt.Sprint(bystander.Process.Pid)) {
		t.Error("a process in a namespace of somebody else was ended")
	}
	if err := network.Sweep(filepath.Join(dir, "missing")); err != nil {
		t.Errorf("sweeping a directory that does not exist: %v", err)
	}
}

func reopen(t *testing.T, dir string) *network.Network {
	t.Helper()
	n, err := network.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// victim waits to be killed.
func victim(t *testing.T, dir string) {
	n := reopen(t, dir)
	apply(t, n, shop("", 0))
	sleep := exec.Command("sleep", "600")
	if err := n.Start(in("app1"), sleep); err != nil {
		t.Fatal(err)
	}
	fmt.Println(sleep.Process.Pid)
	select {}
}

// lives reports whether a process runs; one that waits to be reaped does not.
func lives(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
