package instance_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"storefront/lab/imds"
	"storefront/lab/wire/sigv4"
)

// listen listens on an address inside the network namespace of a path.
func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	type result struct {
		listener net.Listener
		err      error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked
		fd, err := unix.Open(network, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
		}
		if err != nil {
			made <- result{nil, err}
			return
		}
		defer unix.Close(fd)
		l, err := net.Listen("tcp", address)
		made <- result{l, err}
	}()
	got := <-made
	if got.err != nil {
		t.Fatal(got.err)
	}
	return got.listener
}

func serve(t *testing.T, network, address string, handler http.Handler) {
	t.Helper()
	server := &httptest.Server{Listener: listen(t, network, address), Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
}

type source struct{}

func (source) Metadata(id string) (imds.Metadata, error) {
	return imds.Metadata{InstanceID: id, Region: "us-east-1", Zone: "us-east-1a", Role: "shop", TokensRequired: true}, nil
}

func (source) Credentials(context.Context, string) (imds.Credentials, error) {
	return imds.Credentials{AccessKeyID: "ASIA1", SecretAccessKey: "secret", Token: "token", Expiration: time.Now().Add(time.Hour)}, nil
}

// cloud answers the few requests of the test and notes what was wrong with them.
type cloud struct {
	t       *testing.T
	mu      sync.Mutex
	failed  bool
	objects map[string]string
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	authorization, err := sigv4.Parse(r)
	if err != nil || authorization.AccessKeyID != "ASIA1" || r.Header.Get("X-Amz-Security-Token") != "token" {
		c.t.Errorf("%s %s: signed by %+v, %v", r.Method, r.URL, authorization, err)
	}
	switch {
	case r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue":
		io.WriteString(w, `{"Name":"db","SecretString":"hunter2"}`)
	case r.Method == http.MethodPost && strings.Contains(string(body), "Action=GetCallerIdentity"):
		io.WriteString(w, "<R><GetCallerIdentityResult><Account>000000000000</Account></GetCallerIdentityResult></R>")
	case r.Method == http.MethodPost && strings.Contains(string(body), "LifecycleActionResult=CONTINUE"):
		io.WriteString(w, "<R><CompleteLifecycleActionResult/></R>")
	case r.Method == http.MethodPost && string(body) == "Action=DeregisterTargets&TargetGroupArn=arn%3Atg&Targets.member.1.Id=i-1&Version=2015-12-01":
		io.WriteString(w, "<R><DeregisterTargetsResult/></R>")
	case r.Method == http.MethodPut:
		c.objects[r.URL.Path] = string(body)
	case r.Method == http.MethodGet && !c.failed:
		c.failed = true
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Method == http.MethodGet && c.objects[r.URL.Path] != "":
		io.WriteString(w, c.objects[r.URL.Path])
	default:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
	}
}

func TestAWS(t *testing.T) {
	s := spec(t, "")
	serve(t, s.Network, "127.0.0.1:80", imds.New(source{}, s.ID, time.Now))
	serve(t, s.Network, "127.0.0.1:4566", &cloud{t: t, objects: map[string]string{}})
	m := start(t, s)
	m.booted(t)
	const env = "export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:80 AWS_ENDPOINT_URL=http://127.0.0.1:4566; "
	for _, c := range []struct{ command, want string }{
		{"echo content > /tmp/f; aws s3 cp --only-show-errors /tmp/f 's3://bucket/a b/f+1'; aws s3 cp --quiet 's3://bucket/a b/f+1' /tmp/new/g; cat /tmp/new/g", "content"},
		{"aws s3 cp s3://bucket/missing /tmp/m 2>&1 | grep -o NoSuchKey; ls -A /tmp/m /tmp/.aws-* 2>/dev/null", "NoSuchKey"},
		{"aws sts get-caller-identity --query Account --output text", "000000000000"},
		{"aws secretsmanager get-secret-value --secret-id db --query SecretString --output text", "hunter2"},
		{"aws autoscaling complete-lifecycle-action --lifecycle-hook-name h --auto-scaling-group-name g --lifecycle-action-result CONTINUE --instance-id i; echo $?", "0"},
		{"aws elbv2 deregister-targets --target-group-arn arn:tg --targets Id=i-1; echo $?", "0"},
		{"aws elbv2 deregister-targets --target-group-arn arn:tg --targets Id=i-1,Port=80 2>/dev/null; echo $?", "252"},
		{"aws elbv2 deregister-targets --target-group-arn arn:tg 2>/dev/null; echo $?", "252"},
		{"aws secretsmanager get-secret-value 2>/dev/null; echo $?", "252"},
		{"ec2-metadata -z; ec2-metadata -i -q", "availability-zone: us-east-1a\ni-0123456789abcdef0"},
	} {
		if got, _ := m.run(t, env+c.command); got != c.want {
			t.Errorf("%s: got %q, want %q", c.command, got, c.want)
		}
	}
}
