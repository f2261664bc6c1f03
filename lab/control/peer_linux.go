package control

import (
	"net"

	"golang.org/x/sys/unix"
)

// peer returns the process at the other end of a unix socket, numbered as we see it even when it lives in another namespace. It is 0 when the kernel does not tell.
func peer(c *net.UnixConn) (pid int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}
