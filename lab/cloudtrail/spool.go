package cloudtrail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxWaiting bounds the events in memory, in bytes. Beyond it the spool's file cannot be written; events are lost rather than calls held up.
const maxWaiting = 64 << 20

// spool keeps events in append-only files, one for each hour, an event a line. What is appended is in memory until the next flush, and outlives the death of the
// process (kill -9) from then on.
type spool struct {
	dir string

	mu      sync.Mutex // guards what follows
	waiting bytes.Buffer
	lost    int

	writing sync.Mutex // held while a file is written; taken before mu
	file    *os.File
}

// position is a place in the spool: so far it is read.
type position struct {
	File   string // name, in the order of time
	Offset int64
}

const hourForm = "2006-01-02T15"

// openSpool opens the spool in a directory, which it makes, and cuts off the half line that a crash may have left.
func openSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of audit events: %w", err)
	}
	s := &spool{dir: dir}
	files, err := s.files()
	if err != nil || len(files) == 0 {
		return s, err
	}
	path := filepath.Join(dir, files[len(files)-1])
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading audit events: %w", err)
	}
	if whole := bytes.LastIndexByte(content, '\n') + 1; whole < len(content) {
		if err := os.Truncate(path, int64(whole)); err != nil {
			return nil, fmt.Errorf("cutting a torn audit event off: %w", err)
		}
	}
	return s, nil
}

// files lists the files in the order of time.
func (s *spool) files() ([]string, error) {
	all, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("listing audit events: %w", err)
	}
	var names []string
	for _, f := range all { // ReadDir sorts
		if strings.HasSuffix(f.Name(), ".jsonl") {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

// append takes an event. It never blocks on the disk.
func (s *spool) append(e *entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding the event %s: %w", e.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting.Len() > maxWaiting {
		s.lost++
		return nil
	}
	s.waiting.Write(line)
	s.waiting.WriteByte('\n')
	return nil
}

// flush writes what waits to the file of the hour. The error tells of events that were lost, too.
func (s *spool) flush(now time.Time) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	lines, lost := bytes.Clone(s.waiting.Bytes()), s.lost
	s.mu.Unlock()
	if len(lines) > 0 {
		if err := s.rotate(now.UTC().Format(hourForm) + ".jsonl"); err != nil {
			return err
		}
		if _, err := s.file.Write(lines); err != nil {
			return fmt.Errorf("writing audit events: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.Next(len(lines))
	s.lost -= lost
	if lost > 0 {
		return fmt.Errorf("%d audit events were lost: more than %d bytes waited to be written", lost, maxWaiting)
	}
	return nil
}

// rotate opens the file of the hour. A clock that was set back goes on with the newest file, so that the order of files is that of writing.
func (s *spool) rotate(name string) error {
	if s.file != nil && filepath.Base(s.file.Name()) >= name {
		return nil
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	if len(files) > 0 {
		name = max(name, files[len(files)-1])
	}
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the file of audit events: %w", err)
	}
	if s.file != nil {
		err = s.file.Close()
	}
	s.file = f
	return err
}

// end is the position behind everything that was flushed.
func (s *spool) end() (position, error) {
	files, err := s.files()
	if err != nil || len(files) == 0 {
		return position{}, err
	}
	last := files[len(files)-1]
	info, err := os.Stat(filepath.Join(s.dir, last))
	if err != nil {
		return position{}, fmt.Errorf("measuring the file of audit events: %w", err)
	}
	return position{last, info.Size()}, nil
}

// read returns the events behind a position, up to about limit bytes of them, and the position behind those.
func (s *spool) read(from position, limit int64) (entries []entry, next position, err error) {
	files, err := s.files()
	next = from
	for _, name := range files {
		if err != nil || limit <= 0 {
			return entries, next, err
		}
		if name < from.File {
			continue
		}
		if name != next.File {
			next = position{File: name}
		}
		var n int64
		entries, n, err = s.readFile(entries, next, limit)
		next.Offset, limit = next.Offset+n, limit-n
	}
	return entries, next, err
}

func (s *spool) readFile(entries []entry, from position, limit int64) ([]entry, int64, error) {
	f, err := os.Open(filepath.Join(s.dir, from.File))
	if errors.Is(err, os.ErrNotExist) {
		return entries, 0, nil // expired meanwhile
	}
	if err != nil {
		return entries, 0, fmt.Errorf("opening audit events: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(from.Offset, io.SeekStart); err != nil {
		return entries, 0, fmt.Errorf("reading audit events: %w", err)
	}
	var read int64
	for lines := bufio.NewReaderSize(f, 64<<10); read < limit; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // a half line is still being written
			return entries, read, nil
		}
		if err != nil {
			return entries, read, fmt.Errorf("reading audit events: %w", err)
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return entries, read, fmt.Errorf("%s at %d: %w", from.File, from.Offset+read, err)
		}
		entries, read = append(entries, e), read+int64(len(line))
	}
	return entries, read, nil
}

// expire deletes the files of hours that ended before a time.
func (s *spool) expire(before time.Time) error {
	files, err := s.files()
	problems := []error{err}
	for _, name := range files {
		hour, err := time.Parse(hourForm, strings.TrimSuffix(name, ".jsonl"))
		if err == nil && hour.Add(time.Hour).Before(before) {
			problems = append(problems, os.Remove(filepath.Join(s.dir, name)))
		}
	}
	return errors.Join(problems...)
}

// newest yields the files of the hours from start to end, newest first.
func (s *spool) newest(start, end time.Time) ([]string, error) {
	files, err := s.files()
	first, last := start.UTC().Format(hourForm)+".jsonl", end.UTC().Add(time.Hour).Format(hourForm)+".jsonl" // events are written after they happen
	files = slices.DeleteFunc(files, func(name string) bool { return name < first || name > last })
	slices.Reverse(files)
	return files, err
}
