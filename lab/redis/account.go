package redis

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// credential makes a process run without the daemon's power. nil leaves it the daemon's own user, who is not root.
type credential func() *syscall.SysProcAttr

func (c credential) attributes() *syscall.SysProcAttr {
	if c == nil {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return c()
}

// chooseCredential picks the user for servers whose working directories lie in dir.
func chooseCredential(dir string) (credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	uid, gid, err := systemUser("redis", "nobody")
	if err != nil {
		return nil, err
	}
	other := credential(func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	})
	reach := exec.Command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	reach.SysProcAttr, reach.Dir = other(), "/"
	if reach.Run() == nil {
		return other, nil
	}
	return func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{
			Setsid: true, Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: os.Getegid(), Size: 1}},
		}
	}, nil
}

// systemUser finds the first of the users that the machine has.
func systemUser(names ...string) (uid, gid int, err error) {
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		return uid, gid, errors.Join(errUID, errGID)
	}
	return 0, 0, fmt.Errorf("the machine has none of the users %q that Redis could run as instead of root", names)
}
