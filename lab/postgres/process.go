package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"storefront/lab/server"
)

// endProcesses kills every process of PostgreSQL that works in dir, and returns when none is left. All processes of a server have its data
// directory as working directory, which is what proves that they are ours: a recorded process ID may have gone to somebody else.
//
// Killing a postmaster alone is not enough, since its backends go on until they notice, and may acknowledge a commit meanwhile.
func endProcesses(dir string) error {
	if err := server.End(func(pid int) bool { return worksIn(pid, dir) }); err != nil {
		return fmt.Errorf("ending what works in %s: %w", dir, err)
	}
	return nil
}

// worksIn tells whether pid is a process of PostgreSQL in dir. A daemon in a user namespace may not look at the working directory of what an
// earlier daemon, in another user namespace, has left; it recognises those postmasters by their arguments, and their children by their parent.
func worksIn(pid int, dir string) bool {
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil {
		return within(cwd, dir) && isServer(pid)
	}
	return isPostmaster(pid, dir) || isPostmaster(parent(pid), dir)
}

func within(path, dir string) bool {
	path = strings.TrimSuffix(path, " (deleted)")
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// isServer tells the programs that we run from others that happen to be in the directory, such as somebody's shell.
func isServer(pid int) bool {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return false // a zombie
	}
	return slices.Contains([]string{"postgres", "pg_basebackup", "initdb"}, filepath.Base(strings.TrimSuffix(exe, " (deleted)")))
}

// isPostmaster recognises the command line that Node.command makes.
func isPostmaster(pid int, dir string) bool {
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := strings.Split(string(cmdline), "\x00")
	return len(args) > 2 && filepath.Base(args[0]) == "postgres" && args[1] == "-D" && within(args[2], dir)
}

// parent returns the parent of a process, or 0.
func parent(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			ppid, _ := strconv.Atoi(strings.TrimSpace(value))
			return ppid
		}
	}
	return 0
}
