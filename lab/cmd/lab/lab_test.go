//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"storefront/lab/control"
	"storefront/lab/daemon"
)

// asLab makes the test program be the lab command.
const asLab = "LAB_TEST_AS_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(asLab) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// place is where one lab lives, and how its command is run.
type place struct {
	dir    string
	port   string
	prefix []string // a command that runs the lab
	as     *syscall.SysProcAttr
}

func newPlace(t *testing.T) *place {
	t.Helper()
	// Not t.TempDir: PostgreSQL runs under another user, who must reach its data.
	dir, err := os.MkdirTemp("", "lab-command")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &place{dir: filepath.Join(dir, "lab"), port: fmt.Sprint(l.Addr().(*net.TCPAddr).Port)}
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(p.dir, "lab.log")); err == nil {
			p.prefix = nil
			if out, status := p.run(t, "down", "--forget"); status != 0 {
				t.Errorf("ending the lab: %s", out)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *place) run(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(append(p.prefix, self), args...)
	c := exec.Command(line[0], line[1:]...)
	c.Env = append(os.Environ(), asLab+"=1", "LAB_DIR="+p.dir, "LAB_PORT="+p.port)
	c.SysProcAttr = p.as
	b, err := c.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(b), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b), 0
}

// refuses runs a command that has to end with one line.
func (p *place) refuses(t *testing.T, status int, says string, args ...string) {
	t.Helper()
	out, got := p.run(t, args...)
	if got != status || !strings.Contains(out, says) || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "lab: ") {
		t.Errorf("lab %s: status %d and %q; want status %d and one line with %q", strings.Join(args, " "), got, out, status, says)
	}
}

func (p *place) must(t *testing.T, args ...string) string {
	t.Helper()
	out, status := p.run(t, args...)
	if status != 0 {
		t.Fatalf("lab %s: status %d: %s", strings.Join(args, " "), status, out)
	}
	return out
}

func (p *place) status(t *testing.T) (s control.Status) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.must(t, "status", "--json")), &s); err != nil {
		t.Fatalf("status --json: %v", err)
	}
	return s
}

func TestBadInput(t *testing.T) {
	for _, port := range []string{"0", "65536", "-1", "http", "4566 "} {
		p := newPlace(t)
		p.port = port
		p.refuses(t, 2, "LAB_PORT", "up")
	}
	p := newPlace(t)
	p.refuses(t, 2, "--nonsense", "up", "--nonsense")
	p.refuses(t, 2, "takes no arguments", "down", "now")
	p.refuses(t, 1, "unknown command", "begin")
	for _, command := range [][]string{{"status"}, {"env"}, {"url"}, {"exec", "i-1", "--", "true"}, {"fault", "instance-loss", "i-1"}} {
		p.refuses(t, 1, "lab up", command...)
	}
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("refused commands made the lab's directory")
	}
	p.must(t, "down")
	p.must(t, "down", "--forget")
	p.dir = "/proc/self/lab"
	p.refuses(t, 1, "LAB_DIR", "up")
}

// A directory with somebody's files is neither used nor deleted.
func TestForeignDirectory(t *testing.T) {
	p := newPlace(t)
	file := filepath.Join(p.dir, "thesis")
	if err := errors.Join(os.Mkdir(p.dir, 0o700), os.WriteFile(file, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	p.refuses(t, 1, "LAB_DIR", "up")
	p.refuses(t, 1, "LAB_DIR", "down", "--forget")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestPortTaken(t *testing.T) {
	p := newPlace(t)
	l, err := net.Listen("tcp", "127.0.0.1:"+p.port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p.refuses(t, 1, "port "+p.port+" on 127.0.0.1 is taken", "up")
}

func TestMissingPrograms(t *testing.T) {
	p := newPlace(t)
	hide := "for d in /usr/sbin /usr/lib/postgresql; do mount -t tmpfs none $d; done; exec \"$@\""
	p.prefix = []string{"unshare", "--map-root-user", "--mount", "/bin/sh", "-c", hide, "sh"}
	p.refuses(t, 1, "missing on this machine: nft, postgres; as root: apt-get install nftables postgresql", "up")
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("the lab's directory was made")
	}
}

// An ordinary user on a machine that does not let users make namespaces.
func TestWithoutUserNamespaces(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become an ordinary user")
	}
	p := newPlace(t)
	if err := os.Chown(filepath.Dir(p.dir), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	p.as = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: []syscall.SysProcIDMap{{Size: 70000}}, GidMappings: []syscall.SysProcIDMap{{Size: 70000}}, GidMappingsEnableSetgroups: true}
	p.prefix = []string{"/bin/sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"", "sh"}
	p.refuses(t, 1, "run as root, or", "up")
	p.as = nil
}

func TestLife(t *testing.T) {
	p := newPlace(t)
	if out := p.must(t, "up"); !strings.HasPrefix(out, "lab: up at http://127.0.0.1:"+p.port) {
		t.Errorf("up says %q", out)
	}
	first := p.status(t)
	if out := p.must(t, "up"); !strings.Contains(out, "already up") || p.status(t).PID != first.PID {
		t.Errorf("a second up says %q", out)
	}
	keepsSecrets(t, p, first.PID)
	onlyLocal(t, first.PID)
	p.refuses(t, 1, "lab status", "exec", "i-1", "--", "true")
	p.refuses(t, 1, "lab fault --help", "fault", "flood", "i-1")

	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.must(t, "up")
	second := p.status(t)
	if second.ID != first.ID || second.PID == first.PID {
		t.Errorf("after a kill the region is %s of process %d, want %s of another process than %d", second.ID, second.PID, first.ID, first.PID)
	}
	p.must(t, "reset")
	if third := p.status(t); third.ID == first.ID {
		t.Error("after a reset the region is the same")
	}
	if out := p.must(t, "down"); !strings.Contains(out, "state is kept") {
		t.Errorf("down says %q", out)
	}
	p.must(t, "down", "--forget")
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("the lab's directory is left behind")
	}
}

// keepsSecrets finds the operator's secret key in its own file only.
func keepsSecrets(t *testing.T, p *place, pid int) {
	t.Helper()
	key, err := daemon.ReadCredential(p.dir)
	if err != nil || len(key.Secret) < 40 {
		t.Fatalf("the operator's key: %v", err)
	}
	for _, name := range []string{"credential.json", "control.sock", "lab.log", "state.db"} {
		if info, err := os.Stat(filepath.Join(p.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, info.Mode().Perm(), err)
		}
	}
	for _, file := range []string{filepath.Join(p.dir, "lab.log"), fmt.Sprintf("/proc/%d/cmdline", pid), fmt.Sprintf("/proc/%d/environ", pid)} {
		if b, err := os.ReadFile(file); err != nil || bytes.Contains(b, []byte(key.Secret)) {
			t.Errorf("%s tells the operator's secret key, or cannot be read: %v", file, err)
		}
	}
}

// onlyLocal checks every TCP socket of a process in the host's network that listens.
func onlyLocal(t *testing.T, pid int) {
	t.Helper()
	inodes := map[string]bool{}
	descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, d := range descriptors {
		if target, err := os.Readlink(d); err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(target, "socket:[]")] = true
		}
	}
	listening := 0
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n") {
			f := strings.Fields(line) // number, local address, remote address, state, ..., inode
			if len(f) < 10 || f[3] != "0A" || !inodes[f[9]] {
				continue
			}
			listening++
			if !strings.HasPrefix(f[1], "0100007F:") {
				t.Errorf("the daemon listens on %s, which is not 127.0.0.1", f[1])
			}
		}
	}
	if listening == 0 {
		t.Error("the daemon listens nowhere")
	}
}

// An empty region starts within a second.
func TestStartsWithinASecond(t *testing.T) {
	p := newPlace(t)
	begin := time.Now()
	p.must(t, "up")
	if took := time.Since(begin); took > time.Second && !slow {
		t.Errorf("up took %s", took)
	}
}
