package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// label marks the namespaces of the lab in dir. It is kept as the alias of their loopback link, where it outlives the lab's own process.
func label(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("naming the network: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", fmt.Errorf("naming the network: %w", err)
	}
	const most = 255 // IFALIASZ - 1
	if abs = "lab " + abs; len(abs) > most {
		return "", fmt.Errorf("the lab's directory %q is longer than %d bytes", dir, most)
	}
	return abs, nil
}

// Sweep ends what a killed lab left in dir. Its namespaces went with it, but for those in which processes still live: Sweep kills these
// processes. It must not be called while a network is open in dir; Open calls it at the right time.
//
// Without root it sees only processes of its own user namespace and those below, so an unprivileged lab runs in a PID namespace, with which
// the kernel ends its processes.
func Sweep(dir string) error {
	want, err := label(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("sweeping the network: %w", err)
	}
	ours := map[string]bool{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			if err := sweepProcess(pid, want, ours); err != nil {
				return fmt.Errorf("sweeping the network: ending process %d: %w", pid, err)
			}
		}
	}
	return nil
}

// sweepProcess kills a process that lives in a namespace with the label. ours remembers the namespaces that were looked at.
func sweepProcess(pid int, want string, ours map[string]bool) error {
	fd, err := unix.PidfdOpen(pid, 0) // before looking, so that the process killed is the process seen
	if err != nil {
		return nil // gone
	}
	defer unix.Close(fd)
	file := fmt.Sprintf("/proc/%d/ns/net", pid)
	name, err := os.Readlink(file)
	if err != nil {
		return nil // gone, or not ours to look at
	}
	labelled, seen := ours[name]
	if !seen {
		labelled = hasLabel(file, want)
		ours[name] = labelled
	}
	if !labelled {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// hasLabel looks into a namespace. One that cannot be entered is not the lab's.
func hasLabel(file, want string) bool {
	ns, err := netns.GetFromPath(file)
	if err != nil {
		return false
	}
	there := &namespace{fd: ns}
	defer there.close()
	var alias string
	err = there.run(func() error {
		kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer kernel.Close()
		lo, err := kernel.LinkByName("lo")
		if err == nil {
			alias = lo.Attrs().Alias
		}
		return err
	})
	return err == nil && alias == want
}
