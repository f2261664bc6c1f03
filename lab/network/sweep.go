package network

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// label marks the namespaces of the lab in dir with two addresses on their loopback link, made of the directory's path. They outlive the
// lab's own process, and anybody can read them without entering the namespace: without root, a lab cannot enter those of its predecessor.
type label [2]netip.Addr

func newLabel(dir string) (label, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return label{}, fmt.Errorf("naming the network: %w", err)
	}
	h := sha256.Sum256([]byte(abs))
	return label{netip.AddrFrom4([4]byte{127, h[0] | 1, h[1], h[2]}), netip.AddrFrom4([4]byte{127, h[3] | 1, h[4], h[5]})}, nil
}

// on reports whether a process lives in a namespace with the label.
func (l label) on(pid int) bool {
	routes, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/fib_trie", pid))
	if err != nil {
		return false // gone
	}
	for _, a := range l {
		if !bytes.Contains(routes, fmt.Appendf(nil, " %v\n", a)) {
			return false
		}
	}
	return true
}

// Sweep ends what a killed lab left in dir. Its namespaces went with it, but for those in which processes still live: Sweep kills these
// processes. It must not be called while a network is open in dir; Open calls it at the right time.
func Sweep(dir string) error {
	want, err := newLabel(dir)
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
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			if err := want.sweep(pid); err != nil {
				return fmt.Errorf("sweeping the network: ending process %d: %w", pid, err)
			}
		}
	}
	return nil
}

// sweep kills a process if it lives in a namespace with the label.
func (l label) sweep(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0) // before looking, so that the process killed is the process seen
	if err != nil {
		return nil // gone
	}
	defer unix.Close(fd)
	if !l.on(pid) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}
