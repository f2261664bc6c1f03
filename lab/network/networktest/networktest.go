// Package networktest runs tests inside a lab's network, as root or in a user namespace of their own.
package networktest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"storefront/lab/network"
)

// inside is set in the environment of a test process that was started again in namespaces of its own.
const inside = "NETWORKTEST_INSIDE"

// Main is the TestMain of a package whose tests need a network: without root it runs the tests in a new user and mount namespace.
// Where the machine allows neither, it skips them, or fails when the environment variable CI says that nothing may be skipped.
func Main(m *testing.M) {
	if os.Geteuid() == 0 || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case os.Getenv("CI") != "":
		fmt.Fprintln(os.Stderr, "these tests need root or unprivileged user namespaces:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "skipped: these tests need root or unprivileged user namespaces:", err)
}

// Open starts an empty network that is closed when the test ends.
func Open(t testing.TB) *network.Network {
	t.Helper()
	n, err := network.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("closing the network: %v", err)
		}
	})
	return n
}
