package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"storefront/test/history"
)

// What happens to the shop in the scenarios of TestOrders. All of it goes through `lab fault`, but for the death of the lab itself.

func (d *deployment) fault(t *testing.T, kind, target string) {
	t.Helper()
	d.mustRun(t, "lab", "fault", kind, target)
}

// summaries returns the summaries servers that are in service.
func (d *deployment) summaries(t *testing.T) []string {
	t.Helper()
	return d.inService(t, d.out.SummaryAutoScalingGroup)
}

// awaitSummaries waits until the summaries servers answer.
func (d *deployment) awaitSummaries(t *testing.T) {
	t.Helper()
	eventually(t, "wait for the summaries servers", 3*time.Minute, func() error {
		if ids := d.summaries(t); len(ids) < 2 {
			return fmt.Errorf("in service: %v", ids)
		}
		return getJSON(t.Context(), client(), d.url+"/summaries?limit=1", &struct{}{})
	})
}

// killWorkers crashes the program of every summaries server in turn, in the middle of whatever it does.
func killWorkers(t *testing.T, d *deployment, _ *customers) {
	for _, id := range d.summaries(t) {
		d.fault(t, "process-kill", id)
		pass(3 * time.Second)
	}
}

// takeBackSpot takes back a server of each fleet. They leave in peace within the two minutes that they have: the groups let them drain, and replace them.
func takeBackSpot(t *testing.T, d *deployment, _ *customers) {
	leaving := []string{d.fleet(t)[0], d.summaries(t)[0]}
	begin := time.Now()
	for _, id := range leaving {
		d.fault(t, "spot-notice", id)
	}
	for _, id := range leaving {
		eventually(t, "wait until "+id+" has stopped its program", 110*time.Second, func() error {
			out, status, err := d.exec(t.Context(), id, "", "systemctl show --property=ActiveState,Result shop")
			if err != nil || status != 0 || !strings.Contains(out, "ActiveState=inactive") {
				if _, gone := d.ended(t)[id]; gone {
					return nil
				}
				return fmt.Errorf("status %d, %v: %s", status, err, out)
			}
			if !strings.Contains(out, "Result=success") {
				t.Errorf("the program of %s did not end in peace: %s", id, out)
			}
			return nil
		})
	}
	eventually(t, "wait until the servers are gone", 2*time.Minute-time.Since(begin), func() error {
		for _, id := range leaving {
			if !d.ended(t)[id] {
				return fmt.Errorf("%s still runs", id)
			}
		}
		return nil
	})
	t.Logf("the servers were gone %s after the notice", time.Since(begin).Round(100*time.Millisecond))
}

// ended are the instances that are no more.
func (d *deployment) ended(t *testing.T) map[string]bool {
	t.Helper()
	ended := map[string]bool{}
	for _, i := range d.status(t).Instances {
		if i.State == "terminated" {
			ended[i.ID] = true
		}
	}
	return ended
}

func failOver(t *testing.T, d *deployment, _ *customers) {
	d.fault(t, "failover", d.out.DatabaseCluster)
	pass(10 * time.Second)
}

// pauseReader lets the reader fall behind: what customers are shown is old for that long, and nothing else.
func pauseReader(t *testing.T, d *deployment, l *customers) {
	d.fault(t, "reader-pause", d.out.DatabaseCluster)
	pass(2 * time.Second)
	key, items := "while-the-reader-is-paused", map[string]int64{l.products[0]: 1}
	done := l.recorder.Invoke(l.clients, key, items)
	result, id, detail := postOrder(client(), d.url, key, items)
	if done(result, id, detail); result != history.OK {
		t.Fatalf("an order while the reader is paused: %s %s", result, detail)
	}
	pass(3 * time.Second)
	var shown struct{ Status string }
	if err := getJSON(t.Context(), client(), d.url+"/orders/"+id, &shown); err != nil || shown.Status != "queued" {
		t.Errorf("an order that the reader cannot know yet is shown as %q, %v; want queued", shown.Status, err)
	}
	d.fault(t, "reader-resume", d.out.DatabaseCluster)
	eventually(t, "wait until the order is shown as accepted", 30*time.Second, func() error {
		if err := getJSON(t.Context(), client(), d.url+"/orders/"+id, &shown); err != nil || shown.Status != "accepted" {
			return fmt.Errorf("%q, %v", shown.Status, err)
		}
		return nil
	})
}

// loseSearch takes the search away for a minute: the outbox waits, and nobody else does.
func loseSearch(t *testing.T, d *deployment, _ *customers) {
	d.fault(t, "search-down", d.out.SearchDomain)
	pass(time.Minute)
	if n := d.count(t, "SELECT count(*) FROM outbox"); n == 0 {
		t.Error("with the search away nothing waits in the outbox: the search was not away")
	}
	d.fault(t, "search-up", d.out.SearchDomain)
}

// throttleQueue refuses two of three calls of the queue's service: clients of AWS try again.
func throttleQueue(t *testing.T, d *deployment, _ *customers) {
	d.fault(t, "throttle", "sqs:66")
	pass(5 * time.Second)
	d.fault(t, "unthrottle", "sqs")
}

// loseZone takes everything in one zone away. The fleets replace what they lost.
func loseZone(t *testing.T, d *deployment, _ *customers) {
	d.fault(t, "zone-loss", d.out.Region+"a")
	pass(20 * time.Second)
}

// killLab ends the lab without warning and starts it again, as a power cut of the whole region.
func killLab(t *testing.T, d *deployment, _ *customers) {
	kill(t, d.status(t).PID)
	d.mustRun(t, "lab", "up")
	if url := mustURL(t, d); url != d.url {
		t.Errorf("after the restart the shop is at %s, was at %s", url, d.url)
	}
	awaitProducts(t, d.url)
}
