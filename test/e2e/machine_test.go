package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is what a lab could leave behind on the host.
type machine struct {
	namespaces map[string]bool // network namespaces that a process is in
	mounts     map[string]bool
	links      map[string]bool
}

func machineNow(t *testing.T) machine {
	t.Helper()
	m := machine{namespaces: map[string]bool{}, mounts: map[string]bool{}, links: map[string]bool{}}
	processes, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if name, err := os.Readlink(p); err == nil {
			m.namespaces[name] = true
		}
	}
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		m.mounts[strings.Fields(line)[4]] = true
	}
	links, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		m.links[l.Name()] = true
	}
	return m
}

// compare fails the test for every namespace, mount and link that was not there before, and for every process and file of the site.
func (before machine) compare(t *testing.T, s *site) {
	t.Helper()
	now := machineNow(t)
	for what, pair := range map[string][2]map[string]bool{"network namespace": {before.namespaces, now.namespaces}, "mount": {before.mounts, now.mounts}, "link": {before.links, now.links}} {
		for _, name := range slices.Sorted(maps.Keys(pair[1])) {
			if !pair[0][name] {
				t.Errorf("the %s %s is left behind", what, name)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(s.dir, "lab")); err == nil {
		t.Error("the lab's directory is left behind")
	}
	for _, p := range processesOf(t, s) {
		t.Errorf("process %s is left behind", p)
	}
}

// processesOf lists the processes whose command line names the site's directory.
func processesOf(t *testing.T, s *site) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), s.dir) {
			found = append(found, filepath.Base(filepath.Dir(f))+" "+strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return found
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
