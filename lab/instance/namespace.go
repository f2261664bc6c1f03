package instance

import (
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startIn starts a command in the network namespace of a path. A child inherits the namespaces of the thread that starts it, so a thread goes there, and
// ends there: inside a user namespace it could not come back to the host's.
func startIn(network string, cmd *exec.Cmd) error {
	there, err := unix.Open(network, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening the network namespace %s: %w", network, err)
	}
	defer unix.Close(there)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: Go ends the thread with its goroutine
		if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
			started <- fmt.Errorf("entering the network namespace %s: %w", network, err)
			return
		}
		started <- cmd.Start()
	}()
	return <-started
}
