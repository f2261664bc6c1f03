package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status is what became of an order.
type Status string

// The statuses in which an order may end.
const (
	Accepted Status = "accepted"
	Rejected Status = "rejected"
)

// Order is an order in the shop's ledger.
type Order struct {
	Key    string
	Status Status
	Items  map[string]int64
}

// Shop is what the shop holds once it has come to rest.
type Shop struct {
	Before, After map[string]int64  // stock by product
	Ledger        map[string]Order  // by order ID
	Index         map[string]Status // the summaries that a search finds, by order ID
}

// Verdict is the judgement over a history.
type Verdict struct {
	Acknowledged, Failed, Unknown int // operations
	Accepted, Rejected            int // orders of the ledger
	Lost                          int // acknowledged orders that did not end accepted or rejected, or that a search does not find as they ended
	Duplicated                    int // effects that happened more than once: a second order of one key, stock taken twice
	Unexpected                    int // effects of operations that failed or that nobody invoked

	Unavailable time.Duration // the longest time without an acknowledgement between the first invocation and the last
	Recovery    time.Duration // from the last fault to the first acknowledgement after the last operation that was not acknowledged
	Problems    []string      // a line each
}

// Valid reports whether nothing was lost, duplicated or unexpected.
func (v Verdict) Valid() bool { return len(v.Problems) == 0 }

// String is the one line that every fault test prints.
func (v Verdict) String() string {
	return fmt.Sprintf("acknowledged %d (failed %d, unknown %d), accepted %d, rejected %d, lost %d, duplicated %d, unexpected %d, longest unavailability %s, recovery %s",
		v.Acknowledged, v.Failed, v.Unknown, v.Accepted, v.Rejected, v.Lost, v.Duplicated, v.Unexpected,
		v.Unavailable.Round(time.Millisecond), v.Recovery.Round(time.Millisecond))
}

// Check judges a history against what the shop holds.
func Check(operations []Operation, faults []time.Time, shop Shop) Verdict {
	c := checker{shop: shop, keys: map[string]*attempts{}}
	for _, op := range operations {
		c.count(op)
	}
	c.acknowledged()
	c.ledger()
	c.stock()
	c.index()
	c.verdict.Unavailable, c.verdict.Recovery = availability(operations, faults)
	return c.verdict
}

// attempts are the operations of one key.
type attempts struct {
	orders       map[string]bool // acknowledged IDs
	ok, possible bool            // some operation was acknowledged; some may have had an effect
	payloads     []map[string]int64
}

type checker struct {
	shop    Shop
	keys    map[string]*attempts
	verdict Verdict
}

func (c *checker) problem(counter *int, n int, format string, args ...any) {
	*counter += n
	c.verdict.Problems = append(c.verdict.Problems, fmt.Sprintf(format, args...))
}

func (c *checker) count(op Operation) {
	a := c.keys[op.Key]
	if a == nil {
		a = &attempts{orders: map[string]bool{}}
		c.keys[op.Key] = a
	}
	switch op.Result {
	case OK:
		c.verdict.Acknowledged++
		a.ok, a.possible, a.orders[op.Order] = true, true, true
	case Fail:
		c.verdict.Failed++
		return
	default:
		c.verdict.Unknown++
		a.possible = true
	}
	a.payloads = append(a.payloads, op.Items)
}

// acknowledged looks for every acknowledged order in the ledger.
func (c *checker) acknowledged() {
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		a := c.keys[key]
		if len(a.orders) > 1 {
			c.problem(&c.verdict.Duplicated, len(a.orders)-1, "key %s was acknowledged as %d orders", key, len(a.orders))
		}
		for id := range a.orders {
			switch o, ok := c.shop.Ledger[id]; {
			case !ok:
				c.problem(&c.verdict.Lost, 1, "order %s of key %s was acknowledged and is not in the ledger", id, key)
			case o.Status != Accepted && o.Status != Rejected:
				c.problem(&c.verdict.Lost, 1, "order %s of key %s was acknowledged and is %q", id, key, o.Status)
			}
		}
	}
}

// ledger looks for the operation behind every order.
func (c *checker) ledger() {
	accepted := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(c.shop.Ledger)) {
		o := c.shop.Ledger[id]
		a := c.keys[o.Key]
		switch {
		case a == nil || !a.possible:
			c.problem(&c.verdict.Unexpected, 1, "order %s has the key %s, of which no operation can have had an effect", id, o.Key)
		case !slices.ContainsFunc(a.payloads, func(p map[string]int64) bool { return maps.Equal(p, o.Items) }):
			c.problem(&c.verdict.Unexpected, 1, "order %s has items that nobody ordered: %v", id, o.Items)
		}
		switch o.Status {
		case Accepted:
			c.verdict.Accepted++
			if accepted[o.Key]++; accepted[o.Key] == 2 {
				c.problem(&c.verdict.Duplicated, 1, "key %s was accepted as more than one order", o.Key)
			}
		case Rejected:
			c.verdict.Rejected++
		}
	}
}

// stock compares what left the stock with what was accepted.
func (c *checker) stock() {
	sold := map[string]int64{}
	for _, o := range c.shop.Ledger {
		if o.Status == Accepted {
			for product, n := range o.Items {
				sold[product] += n
			}
		}
	}
	for _, product := range slices.Sorted(maps.Keys(c.shop.Before)) {
		taken := c.shop.Before[product] - c.shop.After[product]
		switch {
		case taken > sold[product]:
			c.problem(&c.verdict.Duplicated, 1, "the stock of %s fell by %d, %d were sold", product, taken, sold[product])
		case taken < sold[product]:
			c.problem(&c.verdict.Lost, 1, "the stock of %s fell by %d, %d were sold", product, taken, sold[product])
		}
	}
}

// index compares the summaries with the ledger.
func (c *checker) index() {
	for _, id := range slices.Sorted(maps.Keys(c.shop.Ledger)) {
		if found, ok := c.shop.Index[id]; !ok {
			c.problem(&c.verdict.Lost, 1, "a search does not find the order %s", id)
		} else if found != c.shop.Ledger[id].Status {
			c.problem(&c.verdict.Lost, 1, "a search finds the order %s as %s, it is %s", id, found, c.shop.Ledger[id].Status)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.shop.Index)) {
		if _, ok := c.shop.Ledger[id]; !ok {
			c.problem(&c.verdict.Unexpected, 1, "a search finds the order %s, which the ledger does not have", id)
		}
	}
}

// availability measures the longest gap between acknowledgements, and the time that they took to come back for good after the last fault.
func availability(operations []Operation, faults []time.Time) (unavailable, recovery time.Duration) {
	if len(operations) == 0 {
		return 0, 0
	}
	var good []time.Time
	first, last := operations[0].Invoked, operations[0].Completed
	var lastBad time.Time
	for _, op := range operations {
		if op.Invoked.Before(first) {
			first = op.Invoked
		}
		if op.Completed.After(last) {
			last = op.Completed
		}
		if op.Result == OK {
			good = append(good, op.Completed)
		} else if op.Completed.After(lastBad) {
			lastBad = op.Completed
		}
	}
	slices.SortFunc(good, time.Time.Compare)
	from := first
	for _, t := range append(slices.Clone(good), last) {
		unavailable, from = max(unavailable, t.Sub(from)), t
	}
	if len(faults) == 0 || lastBad.Before(faults[len(faults)-1]) {
		return unavailable, 0
	}
	at := slices.IndexFunc(good, lastBad.Before)
	if at < 0 {
		return unavailable, last.Sub(faults[len(faults)-1])
	}
	return unavailable, good[at].Sub(faults[len(faults)-1])
}

// Report is the verdict with its problems, at most n of them.
func (v Verdict) Report(n int) string {
	shown := v.Problems[:min(n, len(v.Problems))]
	text := v.String()
	if len(shown) > 0 {
		text += "\n" + strings.Join(shown, "\n")
	}
	if more := len(v.Problems) - len(shown); more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}
