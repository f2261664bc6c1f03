package systemd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// JournalDirectory holds one text file per unit.
const JournalDirectory = "/var/log/journal"

// A journal file is started anew when it has grown to journalLimit bytes; one old file is kept. Lines longer than lineLimit bytes are cut.
const (
	journalLimit = 16 << 20
	lineLimit    = 48 << 10
)

// Journal stores what services write, by unit, in the form that journalctl shows.
type Journal struct {
	mu  sync.Mutex
	now func() time.Time
}

// JournalFile returns the path of a unit's journal.
func JournalFile(unit string) string { return filepath.Join(JournalDirectory, unit+".log") }

// Write adds one line to a unit's journal, said by a program with a process ID.
func (j *Journal) Write(unit, program string, pid int, line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(unit, program, pid, line); err != nil {
		fmt.Fprintf(os.Stderr, "journal: %v\n", err) // the console is all that is left
	}
}

func (j *Journal) append(unit, program string, pid int, line string) (err error) {
	path := JournalFile(unit)
	if err := os.MkdirAll(JournalDirectory, 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > journalLimit {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	_, err = fmt.Fprintf(file, "%s %s %s[%d]: %s\n", j.now().UTC().Format("Jan 02 15:04:05"), host, program, pid, line)
	return err
}

// say adds a line of the manager's own.
func (j *Journal) say(unit, format string, args ...any) {
	j.Write(unit, "systemd", 1, fmt.Sprintf(format, args...))
}

// copy adds every line that it reads until the end.
func (j *Journal) copy(unit, program string, pid int, from io.Reader) {
	reader := bufio.NewReaderSize(from, lineLimit)
	for {
		line, err := reader.ReadSlice('\n')
		if len(line) > 0 {
			j.Write(unit, program, pid, strings.TrimRight(string(line), "\r\n"))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// Tail returns the last n lines of a unit's journal; none when it has no journal.
func Tail(unit string, n int) ([]string, error) {
	data, err := os.ReadFile(JournalFile(unit))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if n >= 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines, nil
}
