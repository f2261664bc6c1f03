package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"storefront/test/history"
	"storefront/test/load"
)

// customers order while something breaks, and repeat what was not answered.
type customers struct {
	url      string
	key      string        // begins every idempotency key
	products []string      // that are ordered
	clients  int           // at the same time
	pause    time.Duration // of a client between two orders
	recorder history.Recorder

	transport http.RoundTripper // the way to the shop; nil is the default

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// attempts is how often a customer posts an order that is not answered, always with the same key.
const attempts = 4

// start begins the load. It goes on until end is called.
func (l *customers) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	for client := range l.clients {
		l.wg.Go(func() { l.customer(ctx, client) })
	}
}

// end lets the orders under way end, and returns when the last has.
func (l *customers) end() {
	l.stop()
	l.wg.Wait()
}

func (l *customers) customer(ctx context.Context, number int) {
	random := rand.New(rand.NewPCG(uint64(number), 1)) // the same orders in every run
	c := &http.Client{Timeout: 5 * time.Second, Transport: l.transport}
	defer c.CloseIdleConnections()
	for n := 0; ctx.Err() == nil; n++ {
		items := map[string]int64{}
		for range 1 + random.IntN(3) {
			items[l.products[random.IntN(len(l.products))]] = 1 + random.Int64N(3)
		}
		l.order(c, number, fmt.Sprintf("%s-%d-%d", l.key, number, n), items)
		select {
		case <-time.After(l.pause):
		case <-ctx.Done():
		}
	}
}

// order posts one order until it is answered for good.
func (l *customers) order(c *http.Client, client int, key string, items map[string]int64) {
	for attempt := range attempts {
		done := l.recorder.Invoke(client, key, items)
		result, id, detail := postOrder(c, l.url, key, items)
		done(result, id, detail)
		if result != history.Unknown {
			return
		}
		pass(time.Duration(100<<attempt) * time.Millisecond) // a customer waits before trying again
	}
}

// postOrder posts an order once. Only a refusal (4xx) promises that nothing happened.
func postOrder(c *http.Client, url, key string, items map[string]int64) (result history.Result, id, detail string) {
	id, err := (&load.Shop{URL: url, Client: c}).Order(context.Background(), key, items) // the client has a timeout
	var refused *load.Refused
	switch {
	case err == nil:
		return history.OK, id, ""
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return history.Fail, "", err.Error()
	}
	return history.Unknown, "", err.Error()
}
