//go:build linux

package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"storefront/lab/control"
	"storefront/lab/daemon"
	"storefront/lab/instance"
	"storefront/lab/network/networktest"
	"storefront/lab/wire/wiretest"
)

func TestMain(m *testing.M) {
	if status, ok := instance.Main(os.Args); ok {
		syscall.Exit(status) // not os.Exit, in which the race detector sleeps for a second
	}
	networktest.Main(m)
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start runs a lab until the test ends, or until the returned function is called.
func start(t *testing.T, dir string, port int, log *buffer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Dir: dir, Port: port, Log: log, Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("the lab did not start: %v", err)
	case <-time.After(30 * time.Second):
		cancel()
		t.Fatal("the lab did not start within 30 s")
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func labDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab-daemon")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
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

// caller asks STS who a credential belongs to.
func caller(ctx context.Context, s control.Status, id, secret string) (string, error) {
	out, err := sts.NewFromConfig(wiretest.Config(s.Endpoint, id, secret, "")).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Arn), nil
}

func TestRun(t *testing.T) {
	dir, log := labDir(t), &buffer{}
	stop := start(t, dir, freePort(t), log)
	s, err := control.NewClient(dir).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.MemoryBytes < 1<<20 || s.PID != os.Getpid() || s.ID == "" || len(s.Resources) > 0 {
		t.Errorf("the status of an empty region: %+v", s)
	}
	c, err := daemon.ReadCredential(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "credential.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the credential file: %v, %v; want mode 0600", info.Mode(), err)
	}
	if arn, err := caller(t.Context(), s, c.ID, c.Secret); err != nil || !strings.HasSuffix(arn, ":user/lab") {
		t.Errorf("the operator is %q, %v", arn, err)
	}
	for want, pair := range map[string][2]string{"SignatureDoesNotMatch": {c.ID, "wrong"}, "InvalidClientTokenId": {"AKIAUNKNOWN000000000", c.Secret}} {
		var refused smithy.APIError
		if _, err := caller(t.Context(), s, pair[0], pair[1]); !errors.As(err, &refused) || refused.ErrorCode() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if strings.Contains(log.String(), c.Secret) {
		t.Error("the log tells the operator's secret key")
	}
	stop()
	// The region outlives its daemon, and so does the operator's key.
	start(t, dir, freePort(t), log)
	again, err := control.NewClient(dir).Status(t.Context())
	if err != nil || again.ID != s.ID {
		t.Errorf("after a restart: region %q, %v; want %q", again.ID, err, s.ID)
	}
	if later, err := daemon.ReadCredential(dir); err != nil || later != c {
		t.Errorf("after a restart the operator's key is another one, %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dir, port := labDir(t), freePort(t)
	start(t, dir, port, &buffer{})
	for want, o := range map[string]daemon.Options{
		"another lab runs in": {Dir: dir, Port: freePort(t)},
		"is taken":            {Dir: labDir(t), Port: port},
		"choose another":      {Dir: "/proc/self/lab", Port: freePort(t)},
	} {
		o.Log, o.Ready = &buffer{}, func() {}
		err := daemon.Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %q", err, want)
		}
	}
	if _, err := daemon.ReadCredential(t.TempDir()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("a credential without a lab: %v, want ErrNotRunning", err)
	}
}
