package instance

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startIn starts a command in the network namespace of a path. A child inherits the namespaces of the thread that starts it, so this thread visits there.
func startIn(network string, cmd *exec.Cmd) error {
	there, err := unix.Open(network, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening the network namespace %s: %w", network, err)
	}
	defer unix.Close(there)
	runtime.LockOSThread()
	here, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("opening the own network namespace: %w", err)
	}
	defer unix.Close(here)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering the network namespace %s: %w", network, err)
	}
	err = cmd.Start()
	if back := unix.Setns(here, unix.CLONE_NEWNET); back != nil {
		// The thread stays locked: Go ends it with its goroutine rather than use it again.
		return errors.Join(err, fmt.Errorf("leaving the network namespace %s: %w", network, back))
	}
	runtime.UnlockOSThread()
	return err
}
