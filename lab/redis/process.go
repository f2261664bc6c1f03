package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"storefront/lab/server"
)

// Sweep ends every server that an earlier engine left running on dir, as Open does, on a machine where no new engine is wanted.
func Sweep(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := server.End(func(pid int) bool { return isServer(pid, dir) }); err != nil {
		return fmt.Errorf("ending the cache servers of an earlier run: %w", err)
	}
	return nil
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
