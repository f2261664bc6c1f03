package instance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"storefront/lab/instance"
)

// TestMain lets the test program be the program inside machines, as the lab's is.
func TestMain(m *testing.M) {
	if status, ok := instance.Main(os.Args); ok {
		syscall.Exit(status) // not os.Exit, in which the race detector sleeps for a second
	}
	if text := os.Getenv(daemonSpec); text != "" {
		if err := beDaemon(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// daemonSpec is the variable that makes the test program a daemon with one machine, for the tests that kill it.
const daemonSpec = "LAB_TEST_DAEMON"

func beDaemon(text string) error {
	var s instance.Spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	m, err := instance.Runtime{Executable: program}.Start(context.Background(), s)
	if err != nil {
		return err
	}
	fmt.Println(m.PID())
	<-m.Done()
	return fmt.Errorf("the machine %s", m.Ending())
}

// network makes a network namespace with nothing but a loopback interface and returns its path.
func network(t testing.TB) string {
	t.Helper()
	type made struct {
		handle netns.NsHandle
		err    error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here, in its namespace
		handle, err := netns.New()
		if err == nil {
			var lo netlink.Link
			if lo, err = netlink.LinkByName("lo"); err == nil {
				err = netlink.LinkSetUp(lo)
			}
		}
		result <- made{handle, err}
	}()
	got := <-result
	if got.err != nil {
		t.Fatalf("making a network namespace (it needs root or a user namespace): %v", got.err)
	}
	t.Cleanup(func() { got.handle.Close() })
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(got.handle))
}

// machine is a started machine and the spec to start it again.
type machine struct {
	*instance.Machine
	spec instance.Spec
}

func executable(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func spec(t testing.TB, userData string) instance.Spec {
	t.Helper()
	return instance.Spec{ID: "i-0123456789abcdef0", Dir: filepath.Join(t.TempDir(), "i-0123456789abcdef0"), Network: network(t), Hostname: "ip-10-0-1-5.ec2.internal",
		Resolver: "10.0.0.2", Search: "ec2.internal", UserData: []byte(userData)}
}

func start(t testing.TB, s instance.Spec) *machine {
	t.Helper()
	m, err := instance.Runtime{Executable: executable(t)}.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Kill()
		if t.Failed() {
			console, _ := instance.Console(s.Dir)
			t.Logf("console:\n%s", console)
		}
	})
	return &machine{m, s}
}

// run runs a shell command in the machine and returns its output and exit status.
func (m *machine) run(t *testing.T, command string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out bytes.Buffer
	status, err := m.Exec(ctx, []string{"/bin/bash", "-c", "exec 2>&1\n" + command}, nil, &out, nil)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(out.String()), status
}

// eventually polls a shell command until it prints what is wanted.
func (m *machine) eventually(t *testing.T, command, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		if got, _ = m.run(t, command); got == want {
			return
		}
		runtime.Gosched()
	}
	t.Fatalf("%s: got %q, want %q", command, got, want)
}

// booted waits until cloud-init has finished.
func (m *machine) booted(t *testing.T) {
	t.Helper()
	m.eventually(t, "cat /var/lib/cloud/instance/boot-finished >/dev/null 2>&1 && echo yes", "yes")
}

func TestUserData(t *testing.T) {
	m := start(t, spec(t, "#!/bin/bash\nset -eu\necho hello from $INSTANCE_ID as $(id -u) in $PWD on $(hostname)\n. /etc/os-release; echo $ID $VERSION_ID\necho run >> /root/runs\n"))
	m.booted(t)
	want := "hello from i-0123456789abcdef0 as 0 in / on ip-10-0-1-5.ec2.internal\namzn 2023"
	if got, _ := m.run(t, "cat /var/log/cloud-init-output.log"); got != want {
		t.Errorf("cloud-init-output.log: got %q, want %q", got, want)
	}
	if console, err := instance.Console(m.spec.Dir); err != nil || !strings.Contains(string(console), want) {
		t.Errorf("the console does not hold the output: %q, %v", console, err)
	}
	if got, _ := m.run(t, "jq -c .v1.errors /var/lib/cloud/data/result.json"); got != "[]" {
		t.Errorf("result.json: errors %s", got)
	}
	if d, err := m.CPUTime(); err != nil || d <= 0 || d > time.Minute {
		t.Errorf("CPUTime() = %v, %v", d, err)
	}
}

// BenchmarkBoot measures the time from Start to the first line of user-data, on a new disk.
func BenchmarkBoot(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := spec(b, "#!/bin/sh\ndate +%s%N > /root/started\n")
		b.StartTimer()
		m := start(b, s)
		for {
			if text, _ := os.ReadFile(filepath.Join(s.Dir, "root/root/started")); len(text) > 0 {
				break
			}
			runtime.Gosched()
		}
		b.StopTimer()
		m.Kill()
		b.StartTimer()
	}
}
