package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"storefront/lab/instance/internal/command"
)

// program is where a machine finds the lab's program, which is its first process and its stand-in commands.
const program = "/usr/lib/storefront/lab"

// disk is the instance's disk: the part of the lab directory that survives a reboot.
type disk struct{ dir string }

// Root is the root directory as the daemon sees it; usr holds what the machine changed in /usr.
func (d disk) root(path ...string) string {
	return filepath.Join(append([]string{d.dir, "root"}, path...)...)
}
func (d disk) usr(path ...string) string {
	return filepath.Join(append([]string{d.dir, "usr"}, path...)...)
}

// prepare makes the directories of a disk; it changes nothing on a disk that has them.
func (d disk) prepare() error {
	if strings.ContainsAny(d.dir, ",:\\") {
		return fmt.Errorf("preparing the disk %s: the directory's name must not hold a comma, colon or backslash", d.dir)
	}
	paths := []string{d.usr("upper"), d.usr("work"), d.usr("local"), d.usr("etc")}
	for _, name := range []string{"usr", "etc", "home", "opt", "srv", "mnt", "media", "var/lib", "var/log", "var/cache", "var/spool", "dev", "proc", "sys", "run", "tmp", "boot"} {
		paths = append(paths, d.root(name))
	}
	for _, path := range paths {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("preparing the disk: %w", err)
		}
	}
	// After the others: had it made its parent, the parent would be closed to everybody but root as well.
	if err := os.MkdirAll(d.root("root"), 0o550); err != nil {
		return fmt.Errorf("preparing the disk: %w", err)
	}
	for _, name := range []string{"bin", "sbin", "lib", "etc", "share", "libexec", "src"} {
		if err := os.MkdirAll(d.usr("local", name), 0o755); err != nil {
			return fmt.Errorf("preparing the disk: %w", err)
		}
	}
	if err := os.MkdirAll(d.root("var/tmp"), 0o755); err != nil {
		return fmt.Errorf("preparing the disk: %w", err)
	}
	if err := os.Chmod(d.root("var/tmp"), 0o777|os.ModeSticky); err != nil {
		return fmt.Errorf("preparing the disk: %w", err)
	}
	return d.links()
}

// links makes the symbolic links of the root directory: those of the host's merged /usr, and /var/run.
func (d disk) links() error {
	links := map[string]string{"var/run": "/run", "var/lock": "/run/lock"}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		if target, err := os.Readlink("/" + name); err == nil {
			links[name] = target
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, d.root(name)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("preparing the disk: %w", err)
		}
	}
	return nil
}

// mount makes the machine's file systems below the disk's root directory. It must run in a mount namespace of its own.
func (d disk) mount(executable string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := bind(d.root(), d.root(), 0); err != nil {
		return err
	}
	if err := d.mountUsr(); err != nil {
		return err
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} { // a host without a merged /usr
		if info, err := os.Lstat("/" + name); err == nil && info.IsDir() {
			if err := os.MkdirAll(d.root(name), 0o755); err != nil {
				return fmt.Errorf("preparing the disk: %w", err)
			}
			if err := bind("/"+name, d.root(name), unix.MS_RDONLY); err != nil {
				return err
			}
		}
	}
	if err := d.mountProc(); err != nil {
		return err
	}
	if err := d.mountDev(); err != nil {
		return err
	}
	for name, options := range map[string]string{"tmp": "mode=1777,size=2g", "run": "mode=0755,size=256m"} {
		if err := mountNew("tmpfs", d.root(name), unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.root("run/lock"), 0o755); err != nil {
		return fmt.Errorf("preparing /run: %w", err)
	}
	return bind(executable, d.root(program), unix.MS_RDONLY)
}

// mountUsr lays the disk over the host's /usr, which stays read-only below it. /usr/local is the machine's own.
func (d disk) mountUsr() error {
	overlay := func(upper, work string) error {
		if err := populate(upper); err != nil {
			return err
		}
		options := "lowerdir=/usr,upperdir=" + upper + ",workdir=" + work
		err := unix.Mount("overlay", d.root("usr"), "overlay", 0, options)
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
			err = unix.Mount("overlay", d.root("usr"), "overlay", 0, options+",userxattr") // in a user namespace
		}
		return err
	}
	if err := overlay(d.usr("upper"), d.usr("work")); err != nil {
		// The disk's file system cannot be an upper layer (it is an overlay itself, or has no extended attributes): changes to /usr live until the next boot.
		fmt.Fprintf(os.Stderr, "changes to /usr will not survive a reboot: overlay on the disk: %v\n", err)
		if err := mountNew("tmpfs", d.usr("work"), 0, "mode=0755,size=2g"); err != nil {
			return err
		}
		if err := errors.Join(os.Mkdir(d.usr("work/upper"), 0o755), os.Mkdir(d.usr("work/work"), 0o755)); err != nil {
			return fmt.Errorf("preparing /usr: %w", err)
		}
		if err := overlay(d.usr("work/upper"), d.usr("work/work")); err != nil {
			return fmt.Errorf("mounting the overlay of /usr: %w", err)
		}
	}
	if _, err := os.Stat(d.root("usr/etc")); err == nil { // the host's configuration of its package managers is none of the machine's business
		if err := bind(d.usr("etc"), d.root("usr/etc"), unix.MS_RDONLY); err != nil {
			return err
		}
	}
	return bind(d.usr("local"), d.root("usr/local"), 0)
}

// mountProc mounts the new process namespace's /proc, without what would change or show the whole host.
func (d disk) mountProc() error {
	if err := mountNew("proc", d.root("proc"), unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	for _, name := range []string{"sys", "sysrq-trigger", "irq", "bus", "fs"} {
		path := d.root("proc", name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := bind(path, path, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC); err != nil {
			return err
		}
	}
	for _, name := range []string{"kcore", "keys", "timer_list", "kmsg", "kallsyms", "kpagecount", "kpageflags"} {
		path := d.root("proc", name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := bind("/dev/null", path, 0); err != nil {
			return err
		}
	}
	return nil
}

// mountDev makes a minimal /dev.
func (d disk) mountDev() error {
	if err := mountNew("tmpfs", d.root("dev"), unix.MS_NOSUID, "mode=0755,size=1m"); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		path := d.root("dev", name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			return fmt.Errorf("making /dev/%s: %w", name, err)
		}
		if err := bind("/dev/"+name, path, 0); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"} {
		if err := os.Symlink(target, d.root("dev", name)); err != nil {
			return fmt.Errorf("making /dev/%s: %w", name, err)
		}
	}
	for name, fs := range map[string][2]string{"shm": {"tmpfs", "mode=1777,size=1g"}, "pts": {"devpts", "newinstance,ptmxmode=0666,mode=0620"}} {
		if err := os.Mkdir(d.root("dev", name), 0o755); err != nil {
			return fmt.Errorf("making /dev/%s: %w", name, err)
		}
		if err := mountNew(fs[0], d.root("dev", name), unix.MS_NOSUID|unix.MS_NOEXEC, fs[1]); err != nil {
			return err
		}
	}
	return nil
}

// populate puts the lab's program and its stand-in commands into the upper layer of /usr. It does so before the layer is mounted: in a user namespace the
// host's directories belong to nobody and cannot be changed from above, while directories of the upper layer are the machine's own.
func populate(upper string) error {
	for _, dir := range []string{"bin", "sbin", "lib/ssl", filepath.Dir(strings.TrimPrefix(program, "/usr/"))} {
		if err := os.MkdirAll(filepath.Join(upper, dir), 0o755); err != nil {
			return fmt.Errorf("preparing /usr: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(upper, strings.TrimPrefix(program, "/usr/")), nil, 0o755); err != nil {
		return fmt.Errorf("preparing /usr: %w", err)
	}
	for _, path := range command.Paths() {
		link := filepath.Join(upper, path)
		if target, err := os.Readlink(link); err == nil && target == program {
			continue
		}
		if err := errors.Join(os.RemoveAll(link), os.Symlink(program, link)); err != nil {
			return fmt.Errorf("installing /usr/%s: %w", path, err)
		}
	}
	return nil
}

// enter makes the disk's root directory the root of this process, and leaves the host's file systems behind.
func (d disk) enter() error {
	if err := os.Chdir(d.root()); err != nil {
		return fmt.Errorf("entering the root directory: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("entering the root directory: pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leaving the host's file systems: %w", err)
	}
	return os.Chdir("/")
}

// bind makes a file or directory visible at a second place; flags other than 0 apply to the second place.
func bind(from, to string, flags uintptr) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("binding %s to %s: %w", from, to, err)
	}
	if flags == 0 {
		return nil
	}
	var now unix.Statfs_t // flags that the user namespace may not clear must be kept
	if err := unix.Statfs(to, &now); err != nil {
		return fmt.Errorf("binding %s to %s: %w", from, to, err)
	}
	flags |= uintptr(now.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY | unix.MS_NOATIME)
	if now.Flags&0x1000 != 0 { // ST_RELATIME
		flags |= unix.MS_RELATIME
	}
	if err := unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""); err != nil {
		return fmt.Errorf("making %s read-only: %w", to, err)
	}
	return nil
}

func mountNew(kind, path string, flags uintptr, options string) error {
	if err := unix.Mount(kind, path, kind, flags, options); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", kind, path, err)
	}
	return nil
}
