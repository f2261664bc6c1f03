package boot

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// kept are the capabilities of root in a machine. Those missing act on the host's kernel, disks and clock, or would lead out of the machine's root directory:
// a machine of the lab shares its kernel with the host.
var kept = [...]int{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETPCAP,
	unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW, unix.CAP_IPC_LOCK, unix.CAP_IPC_OWNER, unix.CAP_SYS_CHROOT, unix.CAP_SYS_PTRACE, unix.CAP_SYS_NICE,
	unix.CAP_SYS_RESOURCE, unix.CAP_SETFCAP, unix.CAP_AUDIT_WRITE}

// confine drops every other capability for good, and goes on as a new program image: capabilities belong to threads, and only execve makes this thread's
// the whole process's.
func confine(args ...string) error {
	runtime.LockOSThread()
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(kept[:], c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: this kernel does not have it
			return fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	return fmt.Errorf("confining the first process: %w", syscall.Exec(program, args, os.Environ()))
}
