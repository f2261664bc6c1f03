package server

import (
	"os"
	"strings"
)

const logLimit = 16 << 20 // bytes at which a log starts anew when its server does

// OpenLog opens the file that a server's log is appended to. Only the daemon's user can read it.
func OpenLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// LastLines returns the end of a log in one line: what tells why its server did not start.
func LastLines(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.ReplaceAll(strings.Join(lines[max(0, len(lines)-5):], " | "), "\t", " ")
}
