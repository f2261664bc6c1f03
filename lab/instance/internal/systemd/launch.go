package systemd

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launcher is the name under which the machine's program is run to become a service's process: limits, identity and capabilities cannot all be set from outside.
const Launcher = "lab-instance-launch"

// launch is what the launcher does before it becomes the command.
type launch struct {
	Path      string
	Args      []string
	Directory string
	Umask     int
	UID, GID  int
	Groups    []int
	Switch    bool // to UID, GID and Groups
	Limits    map[string]Limit
	Ambient   []int
	NoNew     bool
}

// credentials is who a service runs as.
type credentials struct {
	uid, gid   int
	groups     []int
	name, home string
	shell      string
}

// credentials finds the user and group of a unit. ok is false for root.
func (u *Unit) credentials() (c credentials, ok bool, err error) {
	if u.User == "" && u.Group == "" && !u.DynamicUser {
		return credentials{}, false, nil
	}
	c = credentials{name: "root", home: "/root", shell: "/bin/sh"}
	switch account, lookupErr := user.Lookup(u.User); {
	case u.DynamicUser && (u.User == "" || lookupErr != nil):
		// The range of systemd's dynamic users; stable, so that a state directory stays its owner's.
		c.uid = 61184 + int(hash(u.Name))%(65519-61184)
		c.gid, c.name, c.home = c.uid, u.User, "/"
		if c.name == "" {
			c.name = unitPrefix(u.Name)
		}
	case u.User == "":
	case lookupErr != nil:
		if c.uid, err = strconv.Atoi(u.User); err != nil {
			return c, true, fmt.Errorf("Failed to determine user credentials: user %q does not exist", u.User)
		}
		c.gid, c.name = c.uid, u.User
	default:
		c.uid, _ = strconv.Atoi(account.Uid)
		c.gid, _ = strconv.Atoi(account.Gid)
		c.name, c.home = account.Username, account.HomeDir
		ids, _ := account.GroupIds()
		for _, id := range ids {
			if n, err := strconv.Atoi(id); err == nil {
				c.groups = append(c.groups, n)
			}
		}
	}
	if u.Group != "" {
		group, err := user.LookupGroup(u.Group)
		if err != nil {
			return c, true, fmt.Errorf("Failed to determine group credentials: %w", err)
		}
		c.gid, _ = strconv.Atoi(group.Gid)
	}
	return c, true, nil
}

// hash is FNV-1a.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(s) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h & 0x7fffffff
}

// command makes the process of one of the unit's commands, with its environment and without its output.
func (u *Unit) command(c Command, who credentials, switched bool, env []string) (*exec.Cmd, error) {
	l := launch{Path: c.Path, Args: c.Expand(env), Directory: u.WorkingDirectory, Umask: u.Umask, Limits: u.Limits, NoNew: u.NoNewPrivileges}
	if switched && !c.Privileged {
		l.Switch, l.UID, l.GID, l.Groups = true, who.uid, who.gid, who.groups
	}
	for _, name := range u.Ambient {
		number := slices.Index(capabilities[:], name)
		if number < 0 {
			return nil, fmt.Errorf("AmbientCapabilities=: %q is not known to the lab", name)
		}
		l.Ambient = append(l.Ambient, number)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{Path: "/proc/self/exe", Args: []string{Launcher, string(text)}, Env: env, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}, nil
}

// Launch is the launcher's main function: it returns only when it fails.
func Launch(args []string) int {
	var l launch
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, Launcher+": started by hand")
		return 64
	}
	if err := json.Unmarshal([]byte(args[1]), &l); err != nil {
		fmt.Fprintln(os.Stderr, Launcher+":", err)
		return 64
	}
	status, err := l.run()
	fmt.Fprintf(os.Stderr, "%s: %v\n", l.Path, err)
	return status
}

// run becomes the command, or returns systemd's exit status for the step that failed (systemd.exec(5), "Process Exit Codes").
func (l launch) run() (int, error) {
	runtime.LockOSThread() // capabilities and no_new_privs belong to the thread that calls execve
	for name, limit := range l.Limits {
		// syscall's, not unix's: it also makes Go forget the soft NOFILE limit that it would restore on exec.
		if err := syscall.Setrlimit(resources[name], &syscall.Rlimit{Cur: limit.Soft, Max: limit.Hard}); err != nil {
			return 205, fmt.Errorf("setting Limit%s: %w", name, err)
		}
	}
	syscall.Umask(l.Umask)
	if err := l.become(); err != nil {
		return 216, err
	}
	if l.Directory != "" {
		if err := l.enter(); err != nil {
			return 200, err
		}
	}
	if l.NoNew {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 227, fmt.Errorf("setting NoNewPrivileges: %w", err)
		}
	}
	path, err := exec.LookPath(l.Path)
	if err == nil {
		err = syscall.Exec(path, l.Args, os.Environ())
	}
	return 203, fmt.Errorf("Failed to execute: %w", err)
}

// enter changes to the working directory; "-" first lets it be absent, "~" is the home directory.
func (l launch) enter() error {
	dir := l.Directory
	optional := dir[0] == '-'
	if optional {
		dir = dir[1:]
	}
	if dir == "~" {
		dir = os.Getenv("HOME")
	}
	if err := os.Chdir(dir); err != nil && !optional {
		return fmt.Errorf("Changing to the requested working directory failed: %w", err)
	}
	return nil
}

// become switches to the service's user and keeps the ambient capabilities.
func (l launch) become() error {
	if l.Switch {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("keeping capabilities: %w", err)
		}
		if err := syscall.Setgroups(l.Groups); err != nil {
			return fmt.Errorf("setting groups: %w", err)
		}
		if err := syscall.Setgid(l.GID); err != nil {
			return fmt.Errorf("changing to group %d: %w", l.GID, err)
		}
		if err := syscall.Setuid(l.UID); err != nil {
			return fmt.Errorf("changing to user %d: %w", l.UID, err)
		}
	}
	if len(l.Ambient) == 0 {
		return nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("reading capabilities: %w", err)
	}
	for _, c := range l.Ambient {
		data[c/32].Inheritable |= 1 << (c % 32)
		data[c/32].Permitted |= 1 << (c % 32)
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("keeping the ambient capabilities: %w", err)
	}
	for _, c := range l.Ambient {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0); err != nil {
			return fmt.Errorf("raising ambient capability %s: %w", capabilities[c], err)
		}
	}
	return nil
}

// capabilities are Linux's, by number (capabilities(7)).
var capabilities = [...]string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE",
	"CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME"}

// unitPrefix is a unit's name without its type and instance.
func unitPrefix(name string) string {
	prefix, _, _ := strings.Cut(strings.TrimSuffix(name, ".service"), "@")
	return prefix
}
