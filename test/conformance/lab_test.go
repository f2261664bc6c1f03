//go:build linux

// Package conformance holds every operation that the lab lists, and every resource type that the provider plugin has, against real clients: AWS SDK for
// Go v2, Debian's AWS CLI, Terratest's helpers, and the AWS provider itself. One lab serves them all; see docs/design.md section 7.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"storefront/lab/wire/wiretest"
)

const (
	root    = "../.."
	region  = "us-east-1"
	account = "000000000000"
)

// labProcess is the one lab of this package's tests.
type labProcess struct {
	program, dir string
	port         int
	env          map[string]string // what `lab env` prints
	used         bool              // by a test before
}

// running starts the lab for the first test that asks.
var running = sync.OnceValues(startLab)

func TestMain(m *testing.M) {
	status := m.Run()
	if err := stopLab(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		status = 1
	}
	os.Exit(status)
}

// lab returns the lab, started and empty.
func lab(t *testing.T) *labProcess {
	t.Helper()
	if os.Getuid() != 0 && exec.Command("unshare", "-U", "true").Run() != nil {
		t.Skip("the lab needs root or unprivileged user namespaces")
	}
	l, err := running()
	if err != nil {
		t.Fatal(err)
	}
	if l.used {
		if _, err := l.run("reset"); err != nil {
			t.Fatal(err)
		}
		if err := l.readEnv(); err != nil {
			t.Fatal(err)
		}
	}
	l.used = true
	return l
}

var started *labProcess // what TestMain has to end

func startLab() (*labProcess, error) {
	// Not t.TempDir: PostgreSQL runs under another user, who must reach its data.
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, err
	}
	l := &labProcess{program: filepath.Join(dir, "bin"), dir: filepath.Join(dir, "lab"), env: map[string]string{}}
	started = l
	build := exec.Command("go", "build", "-o", l.program, "./lab/cmd/lab")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the lab: %w\n%s", err, out)
	}
	if l.port, err = freePort(); err != nil {
		return nil, err
	}
	if _, err := l.run("up"); err != nil {
		return nil, err
	}
	return l, l.readEnv()
}

// readEnv reads what clients need to know.
func (l *labProcess) readEnv() error {
	text, err := l.run("env")
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		l.env[name] = strings.Trim(value, `'"`)
	}
	return err
}

func stopLab() error {
	if started == nil {
		return nil
	}
	var err error
	if started.port != 0 {
		_, err = started.run("down", "--forget")
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(started.dir)))
}

// run runs a command of the lab.
func (l *labProcess) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, l.program, args...)
	c.Env = append(os.Environ(), "LAB_DIR="+l.dir, fmt.Sprintf("LAB_PORT=%d", l.port))
	var problems bytes.Buffer
	c.Stderr = &problems
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("lab %s: %w\n%s", strings.Join(args, " "), err, problems.Bytes())
	}
	return string(out), nil
}

// leaves wants the lab to hold these resources, by its own count, and no others, once what is being deleted is gone.
func (l *labProcess) leaves(t *testing.T, want map[string]int) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		var status struct{ Resources map[string]int }
		out, err := l.run("status", "--json")
		if err == nil {
			err = json.Unmarshal([]byte(out), &status)
		}
		if err == nil && maps.Equal(status.Resources, want) {
			return
		}
		select {
		case <-deadline:
			t.Errorf("the lab holds %v, %v; want %v", status.Resources, err, want)
			return
		case <-tick.C:
		}
	}
}

// environ is the environment of a program that meets this lab and nothing else.
func (l *labProcess) environ() []string {
	env := append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	for name, value := range l.env {
		env = append(env, name+"="+value)
	}
	return env
}

// config is the SDK's configuration for this lab, which tells of an answer's first failure and does not try again.
func (l *labProcess) config() aws.Config {
	return wiretest.Config(l.env["AWS_ENDPOINT_URL"], l.env["AWS_ACCESS_KEY_ID"], l.env["AWS_SECRET_ACCESS_KEY"], "")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
