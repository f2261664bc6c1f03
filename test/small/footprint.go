//go:build linux

package small

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"storefront/lab/control"
)

// Footprint is what a running lab holds of its machine.
type Footprint struct {
	Goroutines  int
	Threads     int
	Descriptors int
	Processes   int // the daemon's descendants
	Namespaces  int // network namespaces that the daemon or a descendant holds
	Links       int // network links in them
	Rules       int // lines of their nftables rulesets
	Mounts      int // that the daemon sees
	Instances   int // that the API still shows, ended or not

	Memory int64 // resident memory of the daemon, bytes
	State  int64 // bytes of the state's file
	Log    int64 // bytes of the lab's log
	Files  int   // in the lab's directory
	Bytes  int64 // of the files in the lab's directory, state and log among them
}

// Measure takes the footprint of the lab in a directory. It needs root, to look into the namespaces.
func Measure(ctx context.Context, dir string) (f Footprint, err error) {
	s, err := control.NewClient(dir).Status(ctx)
	if err != nil {
		return f, err
	}
	f = Footprint{Goroutines: s.Goroutines, Memory: s.MemoryBytes, Instances: len(s.Instances)}
	proc := fmt.Sprintf("/proc/%d", s.PID)
	if f.Threads, err = entries(proc + "/task"); err != nil {
		return f, err
	}
	if f.Descriptors, err = entries(proc + "/fd"); err != nil {
		return f, err
	}
	mounts, err := os.ReadFile(proc + "/mountinfo")
	if err != nil {
		return f, err
	}
	f.Mounts = bytes.Count(mounts, []byte("\n"))
	family, err := descendants(s.PID)
	if err != nil {
		return f, err
	}
	f.Processes = len(family)
	if err := f.lookIntoNamespaces(ctx, proc, family); err != nil {
		return f, err
	}
	return f, f.weigh(dir)
}

// Held are the figures that must be the same before and after, by name.
func (f Footprint) Held() map[string]int {
	return map[string]int{"goroutines": f.Goroutines, "descriptors": f.Descriptors, "processes": f.Processes, "network namespaces": f.Namespaces, "network links": f.Links,
		"lines of nftables rules": f.Rules, "mounts": f.Mounts}
}

// More tells what f holds more of than a former footprint, with both figures.
func (f Footprint) More(former Footprint) (more []string) {
	before := former.Held()
	for what, now := range f.Held() {
		if now > before[what] {
			more = append(more, fmt.Sprintf("%d %s, before %d", now, what, before[what]))
		}
	}
	slices.Sort(more)
	return more
}

// lookIntoNamespaces finds the network namespaces that the daemon keeps open or a process of its runs in, but the machine's own.
func (f *Footprint) lookIntoNamespaces(ctx context.Context, proc string, family []int) error {
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	places := []string{proc + "/ns/net"}
	for _, pid := range family {
		places = append(places, fmt.Sprintf("/proc/%d/ns/net", pid))
	}
	open, err := filepath.Glob(proc + "/fd/*")
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, place := range append(places, open...) {
		if name, err := os.Readlink(place); err == nil && strings.HasPrefix(name, "net:") && name != own {
			found[name] = place
		}
	}
	f.Namespaces = len(found)
	for _, place := range found {
		for count, command := range map[*int][]string{&f.Links: {"ip", "-oneline", "link"}, &f.Rules: {"nft", "list", "ruleset"}} {
			out, err := exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + place}, command...)...).Output()
			if err != nil {
				return fmt.Errorf("%s in a namespace of the lab: %w", command[0], err)
			}
			*count += bytes.Count(out, []byte("\n"))
		}
	}
	return nil
}

// weigh adds up the lab's directory. Files that vanish meanwhile do not count.
func (f *Footprint) weigh(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		f.Files++
		f.Bytes += info.Size()
		switch path {
		case filepath.Join(dir, "state.db"):
			f.State = info.Size()
		case filepath.Join(dir, "lab.log"):
			f.Log = info.Size()
		}
		return nil
	})
}

func entries(dir string) (int, error) {
	d, err := os.ReadDir(dir)
	return len(d), err
}

// descendants lists the children of a process, theirs and so on.
func descendants(pid int) (all []int, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", task, err)
			}
			its, err := descendants(child)
			if err != nil {
				return nil, err
			}
			all = append(append(all, child), its...)
		}
	}
	return all, nil
}
