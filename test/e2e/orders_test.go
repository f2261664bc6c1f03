package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"storefront/test/history"
	"storefront/test/load"
)

// scenario is one way in which the order path is disturbed while customers order.
type scenario struct {
	name string
	// disturb runs under load. What it breaks it mends, or the shop must mend by itself.
	disturb func(*testing.T, *deployment, *customers)
	// unavailable is how long no order may be taken at most; 0 stands for notice.
	unavailable time.Duration
}

// notice is the longest time without an acknowledged order that counts as none: clients wait between orders, and the machine is shared.
const notice = 5 * time.Second

// TestOrders proves that no acknowledged order is lost or applied twice, whatever breaks. Each scenario prints its verdict in one line.
func TestOrders(t *testing.T) {
	s := newSite(t)
	d := newDeployment(t, s)
	deploy(t, d)
	awaitProducts(t, d.url)
	d.awaitFleet(t)
	d.awaitSummaries(t)
	d.stockUp(t)
	for _, sc := range []scenario{
		{name: "Control", disturb: func(*testing.T, *deployment, *customers) { pass(5 * time.Second) }},
		{name: "WorkersKilled", disturb: killWorkers},
		{name: "SpotNotice", disturb: takeBackSpot},
		{name: "DatabaseFailover", disturb: failOver, unavailable: time.Minute},
		{name: "ReaderPaused", disturb: pauseReader},
		{name: "CacheDownThenFlushed", disturb: loseCache},
		{name: "SearchDown", disturb: loseSearch},
		{name: "QueueThrottled", disturb: throttleQueue},
		{name: "ZoneLost", disturb: loseZone, unavailable: time.Minute},
		{name: "LabKilled", disturb: killLab, unavailable: time.Minute},
	} {
		t.Run(sc.name, func(t *testing.T) { d.survive(t, sc) })
	}
	t.Run("PoisonMessage", func(t *testing.T) { poison(t, d) })
	t.Run("OneKeyInParallel", func(t *testing.T) { oneKey(t, d) })
	t.Run("Refusals", func(t *testing.T) { refusals(t, d) })
	t.Run("NothingWasRefused", func(t *testing.T) { nothingWasRefused(t, d) })
}

// assortment are the products that the load orders. The last runs out, so that some orders are rejected.
func assortment() []string { return []string{"load-1", "load-2", "load-3", "load-4", "load-scarce"} }

// stockUp puts the assortment into the catalogue.
func (d *deployment) stockUp(t *testing.T) {
	t.Helper()
	for _, id := range assortment() {
		stock := int64(1_000_000)
		if id == "load-scarce" {
			stock = 40
		}
		eventually(t, "put "+id, time.Minute, func() error {
			return (&load.Shop{URL: d.url, Client: client()}).Put(t.Context(), id, "Load "+id, stock)
		})
	}
	for _, id := range assortment() { // the reader may be behind
		eventually(t, "see "+id, 30*time.Second, func() error { return getJSON(t.Context(), client(), d.url+"/products/"+id, &struct{}{}) })
	}
}

// survive runs a scenario and judges what it left.
func (d *deployment) survive(t *testing.T, sc scenario) {
	begin, before := time.Now(), d.stock(t)
	l := &customers{url: d.url, name: strings.ToLower(sc.name), products: assortment(), clients: 8, pause: 200 * time.Millisecond}
	l.start()
	defer l.end()
	pass(2 * time.Second)
	l.recorder.Fault()
	sc.disturb(t, d, l)
	pass(3 * time.Second)
	l.end()
	d.awaitFleet(t)
	d.awaitSummaries(t)
	verdict := d.judge(t, begin, before, &l.recorder)
	t.Logf("%s: %s", sc.name, verdict)
	if verdict.Acknowledged < 50 {
		t.Errorf("only %d orders were acknowledged: the load proves nothing", verdict.Acknowledged)
	}
	if limit := max(sc.unavailable, notice); verdict.Unavailable > limit {
		t.Errorf("no order was taken for %s, at most %s are expected", verdict.Unavailable, limit)
	}
}

// judge compares what the customers saw since begin with what the shop holds once it has come to rest.
func (d *deployment) judge(t *testing.T, begin time.Time, before map[string]int64, r *history.Recorder) history.Verdict {
	t.Helper()
	d.settle(t, begin)
	found, err := d.found(t, begin)
	if err != nil {
		t.Fatalf("searching: %v", err)
	}
	operations := r.Operations()
	verdict := history.Check(operations, r.Faults(), history.Shop{Before: before, After: d.stock(t), Ledger: d.ledger(t, begin, operations), Index: found})
	if !verdict.Valid() {
		t.Errorf("%s\nthe history is in %s", verdict.Report(20), keepHistory(t, operations))
	}
	if n, err := d.backlog(t, d.out.DeadLetterURL); err != nil || n > 0 {
		t.Errorf("%d messages in the dead-letter queue, %v; want none", n, err)
	}
	return verdict
}

// keepHistory writes a history down for whoever studies the verdict, and returns the file.
func keepHistory(t *testing.T, operations []history.Operation) string {
	t.Helper()
	f, err := os.CreateTemp("", "history-"+filepath.Base(t.Name())+"-*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := history.Write(f, operations); err != nil {
		t.Error(err)
	}
	return f.Name()
}

// pass lets time go by under load: there is nothing to wait for but time itself.
func pass(d time.Duration) { <-time.After(d) }

// oneKey posts an order from many customers at once under one key, and another order under the same key.
func oneKey(t *testing.T, d *deployment) {
	begin, before := time.Now(), d.stock(t)
	var recorder history.Recorder
	key, items := "one-key", map[string]int64{"load-1": 2}
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			done := recorder.Invoke(n, key, items)
			done(postOrder(client(), d.url, key, items))
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, op := range recorder.Operations() {
		if op.Result != history.OK {
			t.Errorf("a repeated order ended %s: %s", op.Result, op.Detail)
		}
		ids[op.Order] = true
	}
	if len(ids) != 1 {
		t.Errorf("one key gave %d orders, want 1: %v", len(ids), ids)
	}
	conflict := func(when string) {
		t.Helper()
		done := recorder.Invoke(0, key, map[string]int64{"load-1": 3})
		result, id, detail := postOrder(client(), d.url, key, map[string]int64{"load-1": 3})
		if done(result, id, detail); result != history.Fail || !strings.Contains(detail, `"status":409`) {
			t.Errorf("another order under the key %s: %s %s %s, want a conflict", when, result, id, detail)
		}
	}
	conflict("at once")
	verdict := d.judge(t, begin, before, &recorder)
	t.Logf("OneKeyInParallel: %s", verdict)
	if verdict.Accepted != 1 {
		t.Errorf("%d orders were accepted, want 1", verdict.Accepted)
	}
	d.fault(t, "cache-flush", d.out.CacheID) // without the cache's claim it is the ledger's that counts
	conflict("after the cache has forgotten it")
}

// getJSON decodes a good answer.
func getJSON(ctx context.Context, c *http.Client, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
