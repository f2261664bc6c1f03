package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"storefront/lab/instance/internal/systemd"
)

// journalctl shows what services wrote: -u UNIT (repeatable), -n LINES, -f, -o cat.
func journalctl(args []string) int {
	q, err := parseJournalctl(args)
	if err == nil {
		err = q.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "journalctl:", err)
		return 1
	}
	return 0
}

type journalQuery struct {
	units  []string
	lines  int // -1 is all
	follow bool
	cat    bool // messages only
}

func parseJournalctl(args []string) (journalQuery, error) {
	q := journalQuery{lines: -1}
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(args[i], "=")
		next := func() (string, error) {
			if has {
				return value, nil
			}
			if i++; i < len(args) {
				return args[i], nil
			}
			return "", fmt.Errorf("option %s needs a value", name)
		}
		var err error
		switch {
		case name == "-u" || name == "--unit":
			var unit string
			unit, err = next()
			q.units = append(q.units, systemd.Canonical(unit))
		case name == "-n" || name == "--lines":
			var n string
			if n, err = next(); err == nil && n != "all" {
				q.lines, err = strconv.Atoi(n)
			}
		case name == "-o" || name == "--output":
			var form string
			form, err = next()
			q.cat = form == "cat"
			if err == nil && form != "cat" && form != "short" {
				err = fmt.Errorf("the lab's journal knows the output forms short and cat, not %s", form)
			}
		case name == "-f" || name == "--follow":
			q.follow = true
		case slices.Contains([]string{"--no-pager", "-q", "--quiet", "-e", "-x", "-xe", "-b", "--boot", "-a", "-l", "--no-hostname"}, args[i]):
		default:
			err = fmt.Errorf("the lab's journalctl does not know %s", args[i])
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q journalQuery) print(out io.Writer) error {
	if len(q.units) == 0 {
		paths, err := filepath.Glob(filepath.Join(systemd.JournalDirectory, "*.log"))
		if err != nil {
			return err
		}
		for _, p := range paths {
			q.units = append(q.units, strings.TrimSuffix(filepath.Base(p), ".log"))
		}
	}
	seen := map[string]int64{}
	for {
		for _, unit := range q.units {
			if info, err := os.Stat(systemd.JournalFile(unit)); err == nil && info.Size() != seen[unit] {
				text, err := os.ReadFile(systemd.JournalFile(unit))
				if err != nil {
					return err
				}
				if seen[unit] > int64(len(text)) {
					seen[unit] = 0 // a new file
				}
				q.write(out, string(text[seen[unit]:]))
				seen[unit] = int64(len(text))
			}
		}
		if !q.follow {
			return nil
		}
		q.lines = -1
		time.Sleep(200 * time.Millisecond)
	}
}

func (q journalQuery) write(out io.Writer, text string) {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if q.lines >= 0 && len(lines) > q.lines {
		lines = lines[len(lines)-q.lines:]
	}
	for _, l := range lines {
		if _, message, ok := strings.Cut(l, "]: "); q.cat && ok {
			l = message
		}
		io.WriteString(out, l)
	}
}
