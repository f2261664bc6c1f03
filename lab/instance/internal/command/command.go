// Package command holds the stand-ins for the commands that a first boot on Amazon Linux 2023 uses and that talk to systemd, to packages or to AWS.
// Each does a small, named part of the original, and fails with a message for the rest.
package command

import (
	"path/filepath"
	"slices"
)

// commands are the stand-ins by name.
var commands = map[string]func(args []string) int{
	"systemctl": systemctl, "journalctl": journalctl, "dnf": dnf, "yum": dnf, "aws": aws, "ec2-metadata": ec2Metadata,
	"shutdown": shutdown, "poweroff": powerOff, "halt": powerOff, "reboot": reboot,
}

// Paths are where a machine finds the stand-ins, below /usr.
func Paths() []string {
	var paths []string
	for name := range commands {
		paths = append(paths, "bin/"+name, "sbin/"+name)
	}
	slices.Sort(paths)
	return paths
}

// Main runs the stand-in that argument 0 names. It reports false when that is none.
func Main(args []string) (status int, ok bool) {
	run, ok := commands[filepath.Base(args[0])]
	if !ok {
		return 0, false
	}
	return run(args[1:]), true
}
