package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"storefront/lab/instance/internal/control"
)

// Exec runs a command inside the machine as root and returns its exit status, 127 when it could not be started. When ctx ends first, the command is killed.
// Nil streams are empty; the two outputs are written at the same time, so they must not be one writer.
func (m *Machine) Exec(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	var theirs, ours []*os.File
	defer func() { control.Close(theirs); control.Close(ours) }()
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			return 0, fmt.Errorf("running a command in %s: %w", m.spec.ID, err)
		}
		theirs, ours = append(theirs, w), append(ours, r)
	}
	theirs[0], ours[0] = ours[0], theirs[0] // the machine reads its standard input
	var copying sync.WaitGroup
	go func() {
		if stdin != nil {
			io.Copy(ours[0], stdin)
		}
		ours[0].Close()
	}()
	for i, out := range []io.Writer{stdout, stderr} {
		if out == nil {
			out = io.Discard
		}
		copying.Go(func() { io.Copy(out, ours[i+1]) })
	}
	response, err := m.ask(ctx, control.Request{Verb: control.Exec, Args: args}, theirs...)
	control.Close(theirs)
	theirs = nil
	if err != nil {
		return 0, fmt.Errorf("running a command in %s: %w", m.spec.ID, err)
	}
	// A process that the command left behind may hold the streams for ever; ctx bounds the wait.
	stop := context.AfterFunc(ctx, func() { control.Close(ours[1:]) })
	defer stop()
	copying.Wait()
	if response.Error != "" {
		return response.Exit, fmt.Errorf("running %s in %s: %w", strings.Join(args, " "), m.spec.ID, errors.New(response.Error))
	}
	return response.Exit, nil
}

// ConsoleFile is the file that keeps the console output of a directory's machine over all its boots.
func ConsoleFile(dir string) string { return filepath.Join(dir, "console.log") }

// consoleLimit is how much of the console EC2 keeps, in bytes (GetConsoleOutput).
const consoleLimit = 64 << 10

// Console returns the last 64 KB of the console output of a directory's machine, running or not.
func Console(dir string) ([]byte, error) {
	file, err := os.Open(ConsoleFile(dir))
	if err != nil {
		return nil, fmt.Errorf("reading the console: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the console: %w", err)
	}
	return io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-consoleLimit), consoleLimit))
}

// tick is the unit of the times in /proc/PID/stat (USER_HZ), which is 100 per second on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// CPUTime is the processor time that the machine has used since it booted, by all its processes, living and dead.
func (m *Machine) CPUTime() (time.Duration, error) {
	root := fmt.Sprintf("/proc/%d/root/proc", m.PID())
	entries, err := os.ReadDir(root)
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", m.spec.ID, err)
	}
	var ticks int64
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, e.Name(), "stat"))
		if err != nil {
			continue // it has ended: its parent counts it
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 15 {
			continue
		}
		for _, f := range fields[11:15] { // utime, stime, cutime, cstime
			n, _ := strconv.ParseInt(f, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick, nil
}
