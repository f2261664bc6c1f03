package systemd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Processes starts the children of the first process, and reaps what they leave behind. The zero value is ready.
type Processes struct {
	mu   sync.Mutex
	mine map[int]bool
}

// Start starts a command whose Wait the caller will call through Processes.Wait.
func (p *Processes) Start(cmd *exec.Cmd) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	if p.mine == nil {
		p.mine = map[int]bool{}
	}
	p.mine[cmd.Process.Pid] = true
	return nil
}

// Wait waits for a command that Start started.
func (p *Processes) Wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.mine, cmd.Process.Pid)
	return err
}

// Reap collects the dead orphans that became children of the first process; it is called on SIGCHLD. A child that Start started is left to its Wait.
func (p *Processes) Reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pid, stat := range processes() {
		if stat.state == 'Z' && stat.parent == os.Getpid() && !p.mine[pid] {
			unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
}

type stat struct {
	state  byte
	parent int
}

// processes lists the machine's processes.
func processes() map[int]stat {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	found := map[int]stat{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name in parentheses may hold anything, so the fields count from the last one that closes.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		found[pid] = stat{state: fields[0][0], parent: parent}
	}
	return found
}

// invocation is the variable by which the processes of one run of a service are known: there are no control groups to ask. A process that empties its
// environment before it forks escapes, which systemd's would not.
const invocation = "INVOCATION_ID"

// members returns the processes of one run of a service.
func members(id string) []int {
	var pids []int
	for pid, stat := range processes() {
		if stat.state == 'Z' || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err == nil && bytes.Contains(append([]byte{0}, environ...), []byte("\x00"+invocation+"="+id+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// signal sends a signal to every process of one run of a service, the main process included even where it changed its environment.
func signal(id string, main int, s syscall.Signal) error {
	pids := members(id)
	if main > 0 {
		pids = append(pids, main)
	}
	sent := map[int]bool{}
	var failed error
	for _, pid := range pids {
		if sent[pid] {
			continue
		}
		sent[pid] = true
		if err := unix.Kill(pid, s); err != nil && !errors.Is(err, unix.ESRCH) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
