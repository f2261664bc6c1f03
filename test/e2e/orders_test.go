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

// leastOrders is how many orders a scenario has to see acknowledged, or its load proves nothing.
const leastOrders = 50

// notice is the longest time without an acknowledged order that counts as none: clients wait between orders, and the machine is shared.
const notice = 5 * time.Second

// TestOrders proves that no acknowledged order is lost or applied twice, whatever breaks. Each scenario has products of its own, by which its verdict knows
// what belongs to it, and prints it in one line.
func TestOrders(t *testing.T) {
	s := newSite(t)
	d := newDeployment(t, s)
	d.up(t)
	d.readOutputs(t)
	awaitProducts(t, d.url)
	d.awaitFleet(t)
	d.awaitSummaries(t)
	var trials []*trial
	for _, sc := range []scenario{
		{name: "Control", disturb: func(*testing.T, *deployment, *customers) { pass(5 * time.Second) }},
		{name: "WorkersKilled", disturb: killWorkers},
		{name: "SpotNotice", disturb: takeBackSpot},
		{name: "DatabaseFailover", disturb: failOver, unavailable: time.Minute},
		{name: "ReaderPaused", disturb: pauseReader},
		{name: "CacheDownThenFlushed", disturb: loseCache},
		{name: "QueueThrottled", disturb: throttleQueue},
		{name: "ZoneLost", disturb: loseZone, unavailable: time.Minute},
		{name: "LabKilled", disturb: killLab, unavailable: time.Minute},
		{name: "SearchDown", disturb: loseSearch}, // last: its minute is also the one that Settle has to wait
	} {
		t.Run(sc.name, func(t *testing.T) { trials = append(trials, d.undergo(t, sc)) })
	}
	// What was in the hands of a program that crashed shows up again after a minute: all scenarios wait for that together.
	var index []summary
	t.Run("Settle", func(t *testing.T) { index = d.settle(t) })
	for _, tr := range trials {
		t.Run("Verdict/"+tr.name, func(t *testing.T) { d.judge(t, tr, index) })
	}
	t.Run("PoisonMessage", func(t *testing.T) { poison(t, d) })
	t.Run("OneKeyInParallel", func(t *testing.T) { oneKey(t, d) })
	t.Run("Refusals", func(t *testing.T) { refusals(t, d) })
	t.Run("RestoreDrill", func(t *testing.T) { restoreDrill(t, d) })
	t.Run("NothingWasRefused", func(t *testing.T) { nothingWasRefused(t, d) })
}

// restoreDrill restores both stores, with all the orders in them, into new ones that must be the same.
func restoreDrill(t *testing.T, d *deployment) {
	out := d.mustRun(t, "stack", "drill")
	for _, line := range []string{"table public.shop_order: ", "index summaries: ", "both stores were restored as they were"} {
		if !strings.Contains(out, line) {
			t.Errorf("the drill does not tell of %q:\n%s", line, out)
		}
	}
	if strings.Contains(out, "shop_order: 0 rows") || strings.Contains(out, "summaries: 0 documents") {
		t.Errorf("there was nothing to restore:\n%s", out)
	}
}

// trial is a scenario that has taken place.
type trial struct {
	scenario
	*customers
}

// assortment are the products of a trial with their stock. One runs out, so that some orders are rejected.
func assortment(trial string) map[string]int64 {
	prefix := strings.ToLower(trial)
	return map[string]int64{prefix + "-1": 1_000_000, prefix + "-2": 1_000_000, prefix + "-3": 1_000_000, prefix + "-4": 1_000_000, prefix + "-scarce": 40}
}

// stockUp puts the assortment of a trial into the catalogue.
func (d *deployment) stockUp(t *testing.T, trial string) {
	t.Helper()
	shop := &load.Shop{URL: d.url, Client: client()}
	for id, stock := range assortment(trial) {
		eventually(t, "put "+id, time.Minute, func() error { return shop.Put(t.Context(), id, "Load "+id, stock) })
	}
	for id := range assortment(trial) { // the reader may be behind
		eventually(t, "see "+id, 30*time.Second, func() error { return shop.Get(t.Context(), "/products/"+id, nil) })
	}
}

// undergo runs a scenario.
func (d *deployment) undergo(t *testing.T, sc scenario) *trial {
	d.stockUp(t, sc.name)
	c := &customers{url: d.url, key: strings.ToLower(sc.name), products: sortedKeys(assortment(sc.name)), clients: 8, pause: 200 * time.Millisecond}
	c.start()
	defer c.end()
	pass(2 * time.Second)
	c.recorder.Fault()
	sc.disturb(t, d, c)
	pass(3 * time.Second)
	c.end()
	d.awaitFleet(t)
	d.awaitSummaries(t)
	return &trial{sc, c}
}

// judge compares what the customers of a trial saw with what the shop holds once it has come to rest, and its index has what settle found.
func (d *deployment) judge(t *testing.T, tr *trial, index []summary) history.Verdict {
	operations := tr.recorder.Operations()
	verdict := history.Check(operations, tr.recorder.Faults(), history.Shop{
		Before: assortment(tr.name), After: d.stock(t, tr.name), Ledger: d.ledger(t, tr.name, operations), Index: found(index, tr.name)})
	t.Logf("%s: %s", tr.name, verdict)
	if !verdict.Valid() {
		t.Errorf("%s\nthe history is in %s", verdict.Report(20), keepHistory(t, operations))
	}
	for _, op := range operations {
		if tr.disturb != nil && op.Result == history.Fail {
			t.Errorf("the good order %s was refused after %s: %s", op.Key, op.Completed.Sub(operations[0].Invoked), op.Detail)
		}
	}
	if tr.disturb != nil && verdict.Acknowledged < leastOrders {
		t.Errorf("only %d orders were acknowledged: the load proves nothing", verdict.Acknowledged)
	}
	if limit := max(tr.unavailable, notice); verdict.Unavailable > limit {
		t.Errorf("no order was taken for %s, at most %s are expected", verdict.Unavailable, limit)
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
	tr := &trial{scenario{name: "OneKey", unavailable: time.Minute}, &customers{}} // nobody orders while it settles
	d.stockUp(t, tr.name)
	key, items, others := "one-key", map[string]int64{"onekey-1": 2}, map[string]int64{"onekey-1": 3}
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			done := tr.recorder.Invoke(n, key, items)
			done(postOrder(client(), d.url, key, items))
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, op := range tr.recorder.Operations() {
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
		done := tr.recorder.Invoke(0, key, others)
		result, id, detail := postOrder(client(), d.url, key, others)
		if done(result, id, detail); result != history.Fail || !strings.Contains(detail, `"status":409`) {
			t.Errorf("another order under the key %s: %s %s %s, want a conflict", when, result, id, detail)
		}
	}
	conflict("at once")
	d.settle(t)
	d.fault(t, "cache-flush", d.out.CacheID) // without the cache's claim it is the ledger's that counts
	conflict("after the cache has forgotten it")
	if verdict := d.judge(t, tr, d.settle(t)); verdict.Accepted != 1 {
		t.Errorf("%d orders were accepted, want 1", verdict.Accepted)
	}
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
