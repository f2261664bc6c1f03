package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process identifies a process for good: process IDs are used again, a start time within one boot of the host is not.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // field 22 of /proc/PID/stat
	Boot  string `json:"boot"`  // the host's boot ID
	fd    int    // a pidfd, while the process is known to live
}

func recordFile(dir string) string { return filepath.Join(dir, "process.json") }

// record writes down the first process of a directory's machine.
func record(dir string, pid int) error {
	p := process{PID: pid}
	var err error
	if p.Start, err = startTime(pid); err != nil {
		return fmt.Errorf("recording process %d: %w", pid, err)
	}
	if p.Boot, err = bootID(); err != nil {
		return fmt.Errorf("recording process %d: %w", pid, err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	temporary := recordFile(dir) + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("recording process %d: %w", pid, err)
	}
	return os.Rename(temporary, recordFile(dir))
}

// forget removes the record. A record that stays names a dead process, which recorded notices.
func forget(dir string) { os.Remove(recordFile(dir)) }

// recorded returns the living process that a directory's record names, or nil.
func recorded(dir string) (*process, error) {
	text, err := os.ReadFile(recordFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the process record: %w", err)
	}
	var p process
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("reading the process record %s: %w", recordFile(dir), err)
	}
	if boot, err := bootID(); err != nil || boot != p.Boot {
		return nil, err
	}
	if p.fd, err = unix.PidfdOpen(p.PID, 0); err != nil {
		if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
			return nil, nil
		}
		return nil, fmt.Errorf("looking for process %d: %w", p.PID, err)
	}
	// Compared after the pidfd was opened: the ID cannot come to mean another process any more.
	if start, err := startTime(p.PID); err != nil || start != p.Start {
		p.close()
		return nil, nil
	}
	return &p, nil
}

func (p *process) close() { unix.Close(p.fd) }

// kill ends the process and waits until it is gone.
func (p *process) kill(limit time.Duration) error {
	if err := unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing process %d: %w", p.PID, err)
	}
	deadline := time.Now().Add(limit)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("waiting for the end of process %d: %w", p.PID, err)
		case n == 0:
			return fmt.Errorf("process %d did not end within %v", p.PID, limit)
		default:
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d did not end within %v", p.PID, limit)
		}
	}
}

// Sweep ends the machines that a dead daemon left: those whose directories lie directly in a directory. It ends exactly the recorded processes; their
// namespaces end with them.
func Sweep(machines string) error {
	records, err := filepath.Glob(filepath.Join(machines, "*", filepath.Base(recordFile(""))))
	if err != nil {
		return err
	}
	var failed error
	for _, path := range records {
		dir := filepath.Dir(path)
		p, err := recorded(dir)
		if err == nil && p != nil {
			err = p.kill(10 * time.Second)
			p.close()
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("sweeping %s: %w", dir, err))
			continue
		}
		forget(dir)
	}
	return failed
}

// Remove deletes the directory of a machine that has ended, with its disk. The error wraps ErrRunning when it has not.
func Remove(dir string) error {
	p, err := recorded(dir)
	if err != nil {
		return fmt.Errorf("removing %s: %w", dir, err)
	}
	if p != nil {
		p.close()
		return fmt.Errorf("removing %s: %w (process %d)", dir, ErrRunning, p.PID)
	}
	return os.RemoveAll(dir)
}

func startTime(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields[19], nil
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}
