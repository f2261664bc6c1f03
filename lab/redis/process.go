package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const endTimeout = 10 * time.Second

// Sweep ends every server that an earlier engine left running on dir, as Open does, on a machine where no new engine is wanted.
func Sweep(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(endTimeout); ; time.Sleep(5 * time.Millisecond) {
		left, err := serversOf(dir)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			// On Linux this is a handle (pidfd), not a number: it cannot come to mean another process after the second look.
			p, err := os.FindProcess(pid)
			if err != nil {
				return err
			}
			if isServer(pid, dir) {
				_ = p.Kill() // it may have ended by itself
			}
			_ = p.Release()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("ending the cache servers of an earlier run: processes %v did not end within %s", left, endTimeout)
		}
	}
}

func serversOf(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var found []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && isServer(pid, dir) {
			found = append(found, pid)
		}
	}
	return found, nil
}

// isServer recognises the command line that Node.start makes. It is all that a daemon in another user namespace may read of a process, and a recorded
// process ID may have gone to somebody else.
func isServer(pid int, dir string) bool {
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	return len(args) == 4 && filepath.Base(args[0]) == "redis-server" && args[2] == "--dir" && strings.HasPrefix(args[3]+"/", dir+"/")
}
