//go:build linux

package daemon_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"storefront/lab/control"
	"storefront/lab/daemon"
)

// Calls of a service are refused or held up for as long as the fault is in force, and the status tells which are.
func TestFaultsOfCalls(t *testing.T) {
	dir := labDir(t)
	start(t, dir, freePort(t), &buffer{})
	lab := control.NewClient(dir)
	key, err := daemon.ReadCredential(dir)
	if err != nil {
		t.Fatal(err)
	}
	inject := func(kind, target string, inForce ...control.Fault) control.Status {
		t.Helper()
		if err := lab.Inject(t.Context(), control.Fault{Kind: kind, Target: target}); err != nil {
			t.Fatal(err)
		}
		s, err := lab.Status(t.Context())
		if err != nil || !slices.Equal(s.Faults, inForce) {
			t.Errorf("after %s %s there are %v in force, %v; want %v", kind, target, s.Faults, err, inForce)
		}
		return s
	}
	throttle, slow := control.Fault{Kind: "throttle", Target: "sts:100"}, control.Fault{Kind: "slow", Target: "sts:300"}
	s := inject("throttle", "sts", throttle)
	var refused smithy.APIError
	if _, err := caller(t.Context(), s, key.ID, key.Secret); !errors.As(err, &refused) || refused.ErrorCode() != "Throttling" {
		t.Errorf("a throttled call: %v, want Throttling", err)
	}
	inject("slow", "sts:300", throttle, slow)
	inject("unthrottle", "sts", slow)
	begin := time.Now()
	if _, err := caller(t.Context(), s, key.ID, key.Secret); err != nil || time.Since(begin) < 300*time.Millisecond {
		t.Errorf("a slow call: %v after %s, want an answer after 300 ms", err, time.Since(begin))
	}
	inject("unslow", "sts")
	if _, err := caller(t.Context(), s, key.ID, key.Secret); err != nil {
		t.Errorf("after the faults: %v", err)
	}
}

// A fault that cannot be says what to do.
func TestImpossibleFaults(t *testing.T) {
	dir := labDir(t)
	start(t, dir, freePort(t), &buffer{})
	for _, c := range []struct{ kind, target, says string }{
		{"flood", "us-east-1a", "lab fault --help"},
		{"partition", "eni-1", "takes INTERFACE INTERFACE"},
		{"partition", "eni-1 eni-2", "describe-network-interfaces"},
		{"instance-loss", "i-1 i-2", "takes INSTANCE"},
		{"instance-loss", "i-1", "lab status"},
		{"process-kill", "i-1", "lab status"},
		{"spot-notice", "i-1", "i-1"},
		{"zone-loss", "us-east-1z", "lab status"},
		{"database-loss", "none", "lab status"},
		{"failover", "none", "none"},
		{"reader-pause", "none", "lab status"},
		{"reader-resume", "none", "lab status"},
		{"cache-down", "none", "no such replication group"},
		{"search-down", "none", "lab status"},
		{"throttle", "ses", "elasticloadbalancing"},
		{"throttle", "sqs:0", "from 1 to 100"},
		{"throttle", "sqs:101", "from 1 to 100"},
		{"throttle", "sqs:", "from 1 to 100"},
		{"slow", "sqs", "SERVICE:MILLISECONDS"},
		{"slow", "sqs:-1", "SERVICE:MILLISECONDS"},
		{"slow", "sqs:99999999999", "SERVICE:MILLISECONDS"},
	} {
		err := control.NewClient(dir).Inject(t.Context(), control.Fault{Kind: c.kind, Target: c.target})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %s: %v; want one line with %q", c.kind, c.target, err, c.says)
		}
	}
}
