package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that servers run as, and how a process becomes that user.
type account struct {
	uid, gid int
	how      identity
}

type identity int

const (
	self   identity = iota // the daemon's own user, which is not root
	setuid                 // another user of the machine; files belong to it
	nested                 // a user namespace that maps the other user to the daemon's own; files belong to the daemon
)

// chooseAccount picks the user for servers whose data lies in dir.
func chooseAccount(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid(), how: self}, nil
	}
	a := account{how: setuid}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		if a.uid, err = strconv.Atoi(u.Uid); err != nil {
			return account{}, err
		}
		if a.gid, err = strconv.Atoi(u.Gid); err != nil {
			return account{}, err
		}
		break
	}
	if a.uid == 0 {
		return account{}, errors.New("PostgreSQL does not run as root, and the machine has neither a user postgres nor a user nobody")
	}
	reach := exec.Command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	reach.SysProcAttr = a.attributes()
	reach.Dir = "/"
	if reach.Run() != nil {
		a.how = nested
	}
	return a, nil
}

// attributes makes a process run as the account.
func (a account) attributes() *syscall.SysProcAttr {
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

// own gives a file or directory that the daemon made to the account.
func (a account) own(path string) error {
	if a.how != setuid {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// mkdir makes a directory of the account that nobody else can enter, unless it is there.
func (a account) mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return a.own(path)
}

// writeFile replaces a file of the account, whole or not at all. Its mode is 0600.
func (a account) writeFile(path string, data []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	if err := a.own(temp); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// symlink makes link point to target, replacing an older link in one step.
func (a account) symlink(target, link string) error {
	temp := link + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	if err := a.own(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, link); err != nil {
		return fmt.Errorf("pointing %s to %s: %w", filepath.Base(link), target, err)
	}
	return nil
}
