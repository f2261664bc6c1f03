package postgres

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat (USER_HZ), which is 100 per second on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// CPUTime is the processor time that the server has used since it started, by all its processes, living and dead. It fails when the server does not run.
func (n *Node) CPUTime() (time.Duration, error) {
	ticks, err := processTicks(strconv.Itoa(n.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("measuring node %s: %w", n.spec.ID, err)
	}
	return time.Duration(ticks) * tick, nil
}

// processTicks adds up a process, those of its children that it has waited for, and those that live.
func processTicks(pid string) (ticks int64, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // the name before it may have blanks
	if len(fields) < 15 {
		return 0, fmt.Errorf("/proc/%s/stat: %d fields", pid, len(fields))
	}
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%s/stat: %w", pid, err)
		}
		ticks += n
	}
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return 0, err
	}
	for child := range strings.FieldsSeq(string(children)) {
		if n, err := processTicks(child); err == nil { // else it has ended, and its parent counts it
			ticks += n
		}
	}
	return ticks, nil
}
