// Package server has what running the machine's own servers, PostgreSQL and Redis, has in common: the user that they run as instead of root, the wait
// until they answer, their logs, and the end of those that a killed daemon left.
package server

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// Account is the user that servers run as, and how a process becomes that user. The zero Account is the daemon's own user, for one who is not root.
type Account struct {
	uid, gid int
	how      identity
}

type identity int

const (
	self   identity = iota // the daemon's own user, which is not root
	setuid                 // another user of the machine; files belong to it
	nested                 // a user namespace that maps the other user to the daemon's own; files belong to the daemon
)

// ChooseAccount picks the user for servers that work in dir: the first of users that the machine has.
func ChooseAccount(dir string, users ...string) (Account, error) {
	if os.Geteuid() != 0 {
		return Account{}, nil
	}
	a, err := find(users)
	if err != nil {
		return a, err
	}
	reach := exec.Command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	reach.SysProcAttr, reach.Dir = a.Attributes(), "/"
	if reach.Run() != nil {
		a.how = nested
	}
	return a, nil
}

func find(users []string) (Account, error) {
	for _, name := range users {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return Account{}, err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return Account{}, err
		}
		if uid != 0 {
			return Account{uid: uid, gid: gid, how: setuid}, nil
		}
	}
	return Account{}, fmt.Errorf("the machine has none of the users %q, one of whom a server could run as instead of root", users)
}

// Attributes makes a process run as the account, in a session of its own.
func (a Account) Attributes() *syscall.SysProcAttr {
	switch a.how {
	case setuid:
		return &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	case nested:
		return &syscall.SysProcAttr{
			Setsid:      true,
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: a.uid, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: a.gid, HostID: os.Getegid(), Size: 1}},
		}
	default:
		return &syscall.SysProcAttr{Setsid: true}
	}
}

// Own gives a file or directory that the daemon made to the account.
func (a Account) Own(path string) error {
	if a.how != setuid {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}
