package instance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"storefront/lab/instance"
)

func stop(t *testing.T, m *machine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := m.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestIsolation(t *testing.T) {
	s := spec(t, "")
	secret := filepath.Join(filepath.Dir(s.Dir), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOST_SECRET", "x")
	s.CACertificates = []byte("-----BEGIN CERTIFICATE-----\nlab\n-----END CERTIFICATE-----\n")
	m := start(t, s)
	m.booted(t)
	for command, want := range map[string]string{
		"test -e " + secret + " && echo visible":                                      "",
		"cat /proc/1/comm /proc/1/environ | grep -a HOST_SECRET":                      "",
		"ls /proc | grep -c '^[0-9]*$' | awk '$1 < 10 {print \"few\"}'":               "few",
		`awk '{print $2}' /proc/mounts | grep -v -E '^/(usr|proc|dev|tmp|run)?(/|$)'`: "",
		"ls /sys | wc -l":                                                                             "0",
		"ip -o link | wc -l":                                                                          "1",
		"curl -s -m 2 http://127.0.0.1:1 || echo $?":                                                  "7",
		"mount -t tmpfs none /mnt 2>/dev/null || echo refused":                                        "refused",
		"mknod /root/disk b 254 0 2>/dev/null || echo refused":                                        "refused",
		"echo 1 2>/dev/null > /proc/sys/vm/drop_caches || echo refused":                               "refused",
		"touch /usr/bin/mine && ls -A /usr/local/bin /usr/etc 2>/dev/null | grep -v -e : -e '^$'":     "",
		"cut -d: -f2 /etc/shadow | sort -u":                                                           "!",
		"ls -A /root /home /opt /srv | grep -v -e : -e '^$'":                                          "ec2-user",
		"cat /etc/resolv.conf":                                                                        "search ec2.internal\nnameserver 10.0.0.2",
		"grep -l '^lab$' /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt | wc -l": "2",
		"echo hello > /dev/null; head -c 3 /dev/zero | wc -c":                                         "3",
		"dnf install -y jq >/dev/null; echo $?; dnf -y install frobnicator 2>/dev/null; echo $?":      "0\n1",
		"aws ec2 describe-instances 2>&1 | grep -c 'the lab'; aws --version":                          "1\naws-cli/2.0.0 storefront-lab",
	} {
		if got, _ := m.run(t, command); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if _, err := os.Stat("/usr/bin/mine"); err == nil {
		t.Error("the machine wrote to the host's /usr")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out strings.Builder
	if status, err := m.Exec(ctx, []string{"tr", "a-z", "A-Z"}, strings.NewReader("hello"), &out, nil); status != 0 || err != nil || out.String() != "HELLO" {
		t.Errorf("tr: %q, status %d, %v", out.String(), status, err)
	}
	if status, err := m.Exec(ctx, []string{"/nonsense"}, nil, nil, nil); status != 127 || err == nil {
		t.Errorf("a missing command: status %d, %v", status, err)
	}
	brief, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer end()
	if _, err := m.Exec(brief, []string{"sleep", "1000"}, nil, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command that takes too long: %v", err)
	}
	m.eventually(t, "pgrep -c sleep", "0")
}

func TestUserDataForms(t *testing.T) {
	for name, c := range map[string]struct{ data, errors string }{
		"cloud-config": {"#cloud-config\npackages: [nginx]\n", "not supported by the lab"},
		"mime":         {"Content-Type: multipart/mixed; boundary=\"b\"\n", "not supported by the lab"},
		"failing":      {"#!/bin/sh\nexit 3\n", "exit status 3"},
		"broken gzip":  {"\x1f\x8bnonsense", "decompressing"},
	} {
		t.Run(name, func(t *testing.T) {
			m := start(t, spec(t, c.data))
			m.booted(t)
			if got, _ := m.run(t, "jq -r '.v1.errors[0]' /var/lib/cloud/data/result.json"); !strings.Contains(got, c.errors) {
				t.Errorf("result.json: %q, want %q in it", got, c.errors)
			}
			if console, _ := instance.Console(m.spec.Dir); !strings.Contains(string(console), c.errors) {
				t.Errorf("console: %q, want %q in it", console, c.errors)
			}
		})
	}
}

func TestEndings(t *testing.T) {
	s := spec(t, "")
	m := start(t, s)
	m.booted(t)
	if _, err := (instance.Runtime{Executable: executable(t)}).Start(t.Context(), s); !errors.Is(err, instance.ErrRunning) {
		t.Errorf("starting a running machine: %v", err)
	}
	if err := instance.Remove(s.Dir); !errors.Is(err, instance.ErrRunning) {
		t.Errorf("removing a running machine: %v", err)
	}
	go m.Exec(t.Context(), []string{"reboot"}, nil, nil, nil)
	if e := m.Ending(); e != instance.Rebooting {
		t.Errorf("reboot: %s", e)
	}
	m = start(t, s)
	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := m.Ending(); e != instance.Lost {
		t.Errorf("kill: %s", e)
	}
	if err := instance.Remove(s.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); strings.Contains(string(mounts), s.Dir) {
		t.Error("mounts of the machine are left on the host")
	}
}

// daemon starts a machine in another process, which the test kills. It returns that process and the machine's first process.
func daemon(t *testing.T, s instance.Spec) (*exec.Cmd, int) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable(t))
	cmd.Env = append(os.Environ(), daemonSpec+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		cmd.Process.Kill()
		t.Fatalf("the daemon said nothing: %v", err)
	}
	return cmd, pid
}

// gone polls until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
			return // gone, or waiting for the host's first process to notice
		}
		runtime.Gosched()
	}
	t.Errorf("process %d is still there", pid)
}

func TestMachineEndsWithItsDaemon(t *testing.T) {
	cmd, pid := daemon(t, spec(t, ""))
	cmd.Process.Kill()
	cmd.Wait()
	gone(t, pid)
}

// TestSweep leaves a machine that cannot notice the end of its daemon, and the record of a process that is somebody else's by now.
func TestSweep(t *testing.T) {
	s := spec(t, "")
	cmd, pid := daemon(t, s)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	bystander := exec.Command("sleep", "1000")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { bystander.Process.Kill(); bystander.Wait() }()
	record, err := os.ReadFile(filepath.Join(s.Dir, "process.json"))
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(filepath.Dir(s.Dir), "i-stale")
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(strings.Replace(string(record), `"pid":`+strconv.Itoa(pid), `"pid":`+strconv.Itoa(bystander.Process.Pid), 1), `"start":"`, `"start":"1`, 1)
	if err := os.WriteFile(filepath.Join(stale, "process.json"), []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := instance.Sweep(filepath.Dir(s.Dir)); err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
	if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", bystander.Process.Pid)); err != nil || !strings.Contains(string(state), ") S ") {
		t.Errorf("the bystander was ended: %s %v", state, err)
	}
	m := start(t, s) // the disk is as the dead daemon left it
	m.booted(t)
}

// TestWithoutRoot runs the other tests in a user namespace that maps one ordinary user, as `lab up` does without root.
func TestWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 || os.Getenv("LAB_TEST_NESTED") != "" {
		t.Skip("needs root to become somebody else")
	}
	dir := t.TempDir()
	program, err := os.ReadFile(executable(t))
	if err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	test := filepath.Join(dir, "instance.test")
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(test, program, 0o755), os.Mkdir(filepath.Join(dir, "tmp"), 0o700), os.Chown(filepath.Join(dir, "tmp"), nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), test, "-test.run=TestUserData$|TestServiceRestartsAndComesBack|TestEndings|TestSweep|TestAWS")
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(dir, "tmp"), "LAB_TEST_NESTED=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, Credential: &syscall.Credential{NoSetGroups: true},
		UidMappings: []syscall.SysProcIDMap{{HostID: nobody, Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: nobody, Size: 1}}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
