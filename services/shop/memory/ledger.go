package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"storefront/services/shop"
)

// Ledger is a shop.Ledger and shop.Outbox in memory, over the catalogue that is embedded in it. The zero value is empty and ready for use.
type Ledger struct {
	Catalog

	orders  sync.Mutex // guards what follows; taken before the catalogue's
	stored  map[string]shop.Order
	claims  map[string]string // ID of the order by hash of the key
	outbox  []shop.Summary    // in the order of versions
	refused []shop.Summary    // set aside, the last one refused at the end
	held    map[int64]bool    // versions that a caller of Pending or Retry has
	version int64             // the last one given out
}

// Apply implements shop.Ledger.
func (l *Ledger) Apply(_ context.Context, o shop.Order) (shop.Outcome, error) {
	l.orders.Lock()
	defer l.orders.Unlock()
	if done, ok := l.stored[o.ID]; ok {
		return shop.Outcome{Status: done.Status, Reason: done.Reason, Duplicate: true}, nil
	}
	hash := shop.KeyHash(o.Key)
	switch claimed := l.claims[hash]; claimed {
	case "":
		o.Reason = l.take(o.Items)
	default:
		o.Reason = shop.ReasonKey
	}
	o.Status = shop.Accepted
	if o.Reason != "" {
		o.Status = shop.Rejected
	}
	l.store(hash, o)
	return shop.Outcome{Status: o.Status, Reason: o.Reason}, nil
}

func (l *Ledger) store(hash string, o shop.Order) {
	if l.stored == nil {
		l.stored, l.claims, l.held = map[string]shop.Order{}, map[string]string{}, map[int64]bool{}
	}
	l.claims[hash] = cmp.Or(l.claims[hash], o.ID)
	o.Key, o.Items = "", slices.Clone(o.Items)
	l.stored[o.ID] = o
	l.version++
	l.outbox = append(l.outbox, shop.Summarize(o, l.version))
}

// take reduces the stock of every product, or of none and tells why.
func (c *Catalog) take(items []shop.OrderItem) (reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stock := make(map[string]shop.Product, len(items))
	for _, item := range items {
		if i, found := c.find(item.ProductID); found {
			stock[item.ProductID] = c.products[i]
		}
	}
	if reason := shop.Refusal(items, stock); reason != "" {
		return reason
	}
	for _, item := range items {
		i, _ := c.find(item.ProductID)
		c.products[i].Stock -= item.Quantity
	}
	return ""
}

// Order implements shop.Ledger.
func (l *Ledger) Order(_ context.Context, id string) (shop.Order, error) {
	l.orders.Lock()
	defer l.orders.Unlock()
	o, ok := l.stored[id]
	if !ok {
		return shop.Order{}, &shop.Error{Code: shop.NotFound, Message: "there is no order " + id}
	}
	o.Items = slices.Clone(o.Items)
	return o, nil
}

// Claimed implements shop.Ledger.
func (l *Ledger) Claimed(_ context.Context, key string) (string, error) {
	l.orders.Lock()
	defer l.orders.Unlock()
	return l.claims[shop.KeyHash(key)], nil
}

// Pending implements shop.Outbox.
func (l *Ledger) Pending(ctx context.Context, n int, publish shop.Publish) (shop.Published, error) {
	return l.hand(ctx, &l.outbox, n, publish)
}

// Retry implements shop.Outbox.
func (l *Ledger) Retry(ctx context.Context, n int, publish shop.Publish) (shop.Published, error) {
	return l.hand(ctx, &l.refused, n, publish)
}

// Refused implements shop.Outbox.
func (l *Ledger) Refused(context.Context) (int, error) {
	l.orders.Lock()
	defer l.orders.Unlock()
	return len(l.refused), nil
}

// hand has the first n summaries of from published that nobody else holds.
func (l *Ledger) hand(ctx context.Context, from *[]shop.Summary, n int, publish shop.Publish) (shop.Published, error) {
	batch := l.hold(from, n)
	if len(batch) == 0 {
		return shop.Published{}, nil
	}
	var v shop.Verdicts
	defer func() { l.letGo(from, batch, v) }() // also when publish panics
	v = shop.Judge(batch, publish(ctx, batch))
	return v.Count(), v.Held
}

func (l *Ledger) hold(from *[]shop.Summary, n int) (batch []shop.Summary) {
	l.orders.Lock()
	defer l.orders.Unlock()
	for _, s := range *from {
		if len(batch) == n {
			break
		}
		if !l.held[s.Version] {
			l.held[s.Version] = true
			batch = append(batch, s)
		}
	}
	return batch
}

func (l *Ledger) letGo(from *[]shop.Summary, batch []shop.Summary, v shop.Verdicts) {
	l.orders.Lock()
	defer l.orders.Unlock()
	*from = slices.DeleteFunc(*from, func(s shop.Summary) bool {
		return slices.Contains(v.Taken, s.Version) || slices.Contains(v.Refused, s.Version)
	})
	for _, s := range batch {
		delete(l.held, s.Version)
		if slices.Contains(v.Refused, s.Version) {
			l.refused = append(l.refused, s)
		}
	}
}
