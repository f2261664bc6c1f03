package server

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const endTimeout = 10 * time.Second

// End kills every process that ours accepts, and returns when none is left.
func End(ours func(pid int) bool) error {
	for deadline := time.Now().Add(endTimeout); ; time.Sleep(5 * time.Millisecond) {
		left, err := list(ours)
		if err != nil || len(left) == 0 {
			return err
		}
		for _, pid := range left {
			// On Linux this is a handle (pidfd), not a number: it cannot come to mean another process after the second look.
			p, err := os.FindProcess(pid)
			if err != nil {
				return err
			}
			if ours(pid) {
				_ = p.Kill() // it may have ended by itself
			}
			_ = p.Release()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v did not end within %s", left, endTimeout)
		}
	}
}

func list(ours func(pid int) bool) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var found []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && ours(pid) {
			found = append(found, pid)
		}
	}
	return found, nil
}
