// Package e2e deploys the storefront with the real Pulumi engine and AWS provider into a lab of its own, and proves with real clients that it works:
// see docs/design.md section 7. `make e2e` runs it; bin/ must be built.
//
// Three tests let customers order while something happens, and hold the shop to times: they run alone. The others have a site of their own each, wait half of the time, and run side by side,
// as many as there are processors.
package e2e

import (
	"context"
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
)

// site is one lab with the state of one stack, apart from every other on the machine.
type site struct {
	root  string // of the clone
	dir   string // holds the lab and Pulumi's state
	port  int
	clean bool                // the directory is removed at the end
	user  *syscall.Credential // runs the programs, where that is not the test's own
}

// env is the environment in which the clone's programs meet this site and nothing else.
func (s *site) env() []string {
	return append(os.Environ(),
		"LAB_DIR="+filepath.Join(s.dir, "lab"), fmt.Sprintf("LAB_PORT=%d", s.port),
		"STOREFRONT_STATE="+filepath.Join(s.dir, "state"), "PULUMI_BACKEND_URL=file://"+filepath.Join(s.dir, "state"), "PULUMI_CONFIG_PASSPHRASE=lab",
		"PULUMI_HOME="+filepath.Join(s.root, ".pulumi"), "PULUMI_SKIP_UPDATE_CHECK=true")
}

// run runs one of the clone's programs and returns what it printed, and its exit status.
func (s *site) run(ctx context.Context, stdin, program string, args ...string) (out string, status int, err error) {
	c := exec.CommandContext(ctx, filepath.Join(s.root, "bin", program), args...)
	c.Dir, c.Env, c.Stdin = s.root, s.env(), strings.NewReader(stdin)
	if s.user != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
		c.Env = append(c.Env, "HOME="+s.dir)
	}
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.String() + stderr.String(), exit.ExitCode(), nil
	}
	return stdout.String(), 0, err
}

// mustRun is run for a program that has to succeed.
func (s *site) mustRun(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, status, err := s.run(t.Context(), "", program, args...)
	if err != nil || status != 0 {
		t.Fatalf("%s %s: status %d, %v\n%s", program, strings.Join(args, " "), status, err, out)
	}
	return out
}

// newSite makes a site whose lab is ended, and whose directory is removed, when the test ends.
func newSite(t *testing.T) *site {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"lab", "pulumi", "shopd", "stack"} {
		if _, err := os.Stat(filepath.Join(root, "bin", program)); err != nil {
			t.Fatalf("bin/%s is missing: run `make e2e`", program)
		}
	}
	// Not t.TempDir: PostgreSQL runs under another user, who must reach its data.
	dir, err := os.MkdirTemp("", "storefront-e2e")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	s := &site{root: root, dir: dir, port: freePort(t)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			keepLog(t, s)
		}
		if out, status, err := s.run(ctx, "", "lab", "down", "--forget"); err != nil || status != 0 {
			t.Errorf("ending the lab: status %d, %v\n%s", status, err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// keepLog shows the end of the lab's log with a failed test.
func keepLog(t *testing.T, s *site) {
	b, err := os.ReadFile(filepath.Join(s.dir, "lab", "lab.log"))
	if err != nil {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	t.Logf("the end of the lab's log:\n%s", strings.Join(lines[max(0, len(lines)-60):], "\n"))
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
