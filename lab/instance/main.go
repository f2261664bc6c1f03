package instance

import (
	"path/filepath"

	"storefront/lab/instance/internal/boot"
	"storefront/lab/instance/internal/command"
	"storefront/lab/instance/internal/systemd"
)

// Main is the part of the lab's program that runs inside machines: the first process and the stand-in commands, told by argument 0. It reports false when
// args call for none of them; a program that is the Executable of a Runtime must call it before anything else, and exit with the status when it reports true.
func Main(args []string) (status int, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch filepath.Base(args[0]) {
	case boot.Name:
		return boot.Main(args), true
	case systemd.Launcher:
		return systemd.Launch(args), true
	}
	return command.Main(args)
}
