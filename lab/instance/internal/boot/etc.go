package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shared is what a machine takes over from the host's /etc: tables that programs of /usr need. Nothing here is secret, and only what everybody may read is copied.
var shared = [...]string{"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl/openssl.cnf", "services", "protocols", "rpc", "mime.types", "login.defs",
	"bash.bashrc", "profile", "shells", "inputrc", "localtime", "magic", "gai.conf", "host.conf", "pam.d", "python3", "python3.11", "perl"}

// amazon is what /etc/os-release says: user-data asks it which system it runs on.
const amazon = `NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023 (storefront lab)"
`

// certificates are the paths at which programs look for the trusted certificate authorities: Debian's and Amazon Linux's.
var certificates = [...]string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/lib/ssl/cert.pem"}

// furnish fills /etc on the first boot, and sets on every boot what may have changed: names, resolver, certificate authorities.
func (d disk) furnish(c Config) error {
	marker := d.root("etc/os-release")
	if _, err := os.Stat(marker); errors.Is(err, fs.ErrNotExist) {
		if err := d.firstEtc(); err != nil {
			return fmt.Errorf("filling /etc: %w", err)
		}
		if err := os.WriteFile(marker, []byte(amazon), 0o644); err != nil {
			return fmt.Errorf("filling /etc: %w", err)
		}
	}
	resolver := "nameserver " + c.Resolver + "\n"
	if c.Search != "" {
		resolver = "search " + c.Search + "\n" + resolver
	}
	for path, text := range map[string]string{
		"etc/hostname": c.Hostname + "\n", "etc/resolv.conf": resolver,
		"etc/hosts": "127.0.0.1 localhost localhost.localdomain\n::1 localhost6 localhost6.localdomain6\n",
	} {
		if err := os.WriteFile(d.root(path), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing /%s: %w", path, err)
		}
	}
	return d.trust(c.CACertificates)
}

// firstEtc copies the shared tables and writes the accounts.
func (d disk) firstEtc() error {
	for _, name := range shared {
		if err := copyTree(filepath.Join("/etc", name), d.root("etc", name)); err != nil {
			return err
		}
	}
	if err := d.accounts(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.root("etc/systemd/system"), 0o755); err != nil {
		return err
	}
	for path, text := range map[string]string{
		"etc/system-release": "Amazon Linux release 2023 (storefront lab)\n", "etc/machine-id": "",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n",
	} {
		if err := os.WriteFile(d.root(path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// accounts writes passwd, group and shadow: the host's system accounts, which packages rely on, and ec2-user. No account has a password.
func (d disk) accounts() error {
	passwd, names, err := system("/etc/passwd")
	if err != nil {
		return err
	}
	group, _, err := system("/etc/group")
	if err != nil {
		return err
	}
	var shadow strings.Builder
	for _, n := range append(names, "ec2-user") {
		fmt.Fprintf(&shadow, "%s:!:20000:0:99999:7:::\n", n)
	}
	for path, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"etc/passwd": {passwd + "ec2-user:x:1000:1000:EC2 Default User:/home/ec2-user:/bin/bash\n", 0o644},
		"etc/group":  {group + "ec2-user:x:1000:\n", 0o644},
		"etc/shadow": {shadow.String(), 0o600},
	} {
		if err := os.WriteFile(d.root(path), []byte(file.text), file.mode); err != nil {
			return err
		}
	}
	home := d.root("home/ec2-user")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	if err := os.Chown(home, 1000, 1000); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EINVAL) {
		return err // a user namespace with one user cannot give a file to another
	}
	return nil
}

// system returns the lines of a host's account file that belong to the system: IDs below 1000, and nobody's.
func system(path string) (text string, names []string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	var lines strings.Builder
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) < 4 {
			continue
		}
		if id, err := strconv.Atoi(fields[2]); err != nil || id >= 1000 && id != 65534 {
			continue
		}
		if len(fields) == 4 {
			fields[3] = "" // the members of a group are users that may not exist here
		}
		lines.WriteString(strings.Join(fields, ":") + "\n")
		names = append(names, fields[0])
	}
	return lines.String(), names, nil
}

// trust makes the host's certificate authorities and the lab's own the ones that the machine trusts.
func (d disk) trust(lab []byte) error {
	bundle, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the host's certificate authorities: %w", err)
	}
	bundle = append(append(bundle, '\n'), lab...)
	if err := write(d.root(certificates[0]), bundle); err != nil {
		return fmt.Errorf("installing the certificate authorities: %w", err)
	}
	for _, path := range certificates[1:] {
		link := d.root(path)
		err := os.MkdirAll(filepath.Dir(link), 0o755)
		if err == nil {
			err = os.Symlink(certificates[0], link)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("installing the certificate authorities: %w", err)
		}
	}
	return write(d.root("etc/pki/ca-trust/source/anchors/storefront-lab.pem"), lab)
}

// write writes a public file, with its directories.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// copyTree copies files that everybody may read, symbolic links as they are. What the host does not have is left out.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case entry.Type().IsRegular() && info.Mode().Perm()&0o004 != 0:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return write(target, data)
		}
		return nil
	})
}
