package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
)

const waitScale = "STOREFRONT_WAIT_SCALE"

func TestWaitsAreUpstreamsByDefault(t *testing.T) {
	if os.Getenv(waitScale) != "" {
		t.Skip(waitScale + " is set")
	}
	for _, pause := range []time.Duration{0, time.Millisecond, 30 * time.Second} {
		if got := retry.Scaled(pause); got != pause {
			t.Errorf("a pause of %s takes %s", pause, got)
		}
	}
}

// TestWaitScale waits for minutes, in a process of its own: the variable is read once.
func TestWaitScale(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for value, scaled := range map[string]bool{"0": true, "0.001": true, "1": false, "2": false, "-1": false, "x": false, "NaN": false} {
		c := exec.CommandContext(t.Context(), self, "-test.run=^TestWaiter$", "-test.count=1")
		c.Env = append(os.Environ(), waitScale+"="+value, "STOREFRONT_TEST_WAITER=1")
		out, err := c.CombinedOutput()
		if (err == nil) != scaled {
			t.Errorf("%s=%s: %v\n%s", waitScale, value, err, out)
		}
	}
}

// TestWaiter is TestWaitScale's process: two minutes of pauses, as the provider asks for them, have to pass at once.
func TestWaiter(t *testing.T) {
	if os.Getenv("STOREFRONT_TEST_WAITER") == "" {
		t.Skip("run by TestWaitScale")
	}
	if got := retry.Scaled(time.Minute); got > time.Second {
		t.Fatalf("a pause of one minute takes %s", got)
	}
	looks := 0
	waiter := retry.StateChangeConf{
		Delay: 30 * time.Second, MinTimeout: 10 * time.Second, Timeout: 10 * time.Minute,
		Pending: []string{"creating"}, Target: []string{"available"}, ContinuousTargetOccurence: 3,
		Refresh: func() (any, string, error) {
			if looks++; looks < 6 {
				return looks, "creating", nil
			}
			return looks, "available", nil
		},
	}
	start := time.Now()
	if _, err := waiter.WaitForStateContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("waited for %s", took)
	}
}
