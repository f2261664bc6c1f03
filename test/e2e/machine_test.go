package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// traces are what a running lab is on the host: its processes and the network namespaces that they are in. Others may run labs of their own beside it,
// so what is left behind can only be told from what this one had.
type traces struct {
	processes  map[int]string // start time by process ID
	namespaces map[string]bool
}

// tracesOf follows the daemon's descendants. Machines are children of the daemon, and so are the database servers.
func tracesOf(t *testing.T, daemon int) traces {
	t.Helper()
	found := traces{processes: map[int]string{}, namespaces: map[string]bool{}}
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		if pid, parent, _, ok := parseStat(file); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	var walk func(pid int)
	walk = func(pid int) {
		if _, _, start, ok := parseStat(fmt.Sprintf("/proc/%d/stat", pid)); ok {
			found.processes[pid] = start
		}
		if name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil {
			found.namespaces[name] = true
		}
		for _, child := range children[pid] {
			walk(child)
		}
	}
	walk(daemon)
	if host, err := os.Readlink("/proc/self/ns/net"); err == nil {
		delete(found.namespaces, host)
	}
	return found
}

// parseStat reads /proc/PID/stat, in which the name of the program may hold anything up to the last parenthesis.
func parseStat(file string) (pid, parent int, start string, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, "", false
	}
	pid, err = strconv.Atoi(filepath.Base(filepath.Dir(file)))
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if err != nil || len(fields) < 20 {
		return 0, 0, "", false
	}
	parent, err = strconv.Atoi(fields[1])
	return pid, parent, fields[19], err == nil
}

// gone fails the test for every process, namespace, mount, port and file of the site that is still there.
func (before traces) gone(t *testing.T, s *site) {
	t.Helper()
	if len(before.processes) < 5 || len(before.namespaces) < 4 {
		t.Errorf("the running lab showed %d processes in %d namespaces: the check would prove nothing", len(before.processes), len(before.namespaces))
	}
	for pid, start := range before.processes {
		if _, _, now, ok := parseStat(fmt.Sprintf("/proc/%d/stat", pid)); ok && now == start {
			t.Errorf("process %d is left behind", pid)
		}
	}
	namespaces, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	others := otherLabs(t)
	for _, file := range namespaces {
		if name, err := os.Readlink(file); err == nil && before.namespaces[name] && !others[strings.Split(file, "/")[2]] {
			t.Errorf("%s is in the lab's network namespace %s", file, name)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), s.dir) {
		t.Errorf("a mount of %s is left behind", s.dir)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "lab")); err == nil {
		t.Error("the lab's directory is left behind")
	}
	if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
		_ = c.Close()
		t.Errorf("port %d still answers", s.port)
	}
}

// otherLabs are the IDs of the processes of all labs that run on the machine: the kernel gives their namespaces the numbers of those that are gone.
func otherLabs(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	others := map[string]bool{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		words := strings.Split(string(b), "\x00")
		daemon, number := strconv.Atoi(strings.Split(file, "/")[2])
		if err != nil || number != nil || len(words) < 2 || filepath.Base(words[0]) != "lab" || words[1] != "daemon" {
			continue
		}
		for pid := range tracesOf(t, daemon).processes {
			others[strconv.Itoa(pid)] = true
		}
	}
	return others
}

// kill ends a process of the test's own lab without warning, and waits until it is gone.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "wait for the end of the daemon", 10*time.Second, func() error {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			return os.ErrExist
		}
		return nil
	})
}
