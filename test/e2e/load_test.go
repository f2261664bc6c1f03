package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"storefront/test/history"
)

// load is what customers do to the shop while something breaks: they order, repeat what was not answered, and look at products.
type load struct {
	url      string
	name     string        // begins every idempotency key
	products []string      // that are ordered
	clients  int           // at the same time
	pause    time.Duration // of a client between two orders
	recorder history.Recorder

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// attempts is how often a customer posts an order that is not answered, always with the same key.
const attempts = 4

// start begins the load. It goes on until end is called.
func (l *load) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	for client := range l.clients {
		l.wg.Go(func() { l.customer(ctx, client) })
	}
}

// end lets the orders under way end, and returns when the last has.
func (l *load) end() {
	l.stop()
	l.wg.Wait()
}

func (l *load) customer(ctx context.Context, number int) {
	random := rand.New(rand.NewPCG(uint64(number), 1)) // the same orders in every run
	c := &http.Client{Timeout: 5 * time.Second}
	defer c.CloseIdleConnections()
	for n := 0; ctx.Err() == nil; n++ {
		items := map[string]int64{}
		for range 1 + random.IntN(3) {
			items[l.products[random.IntN(len(l.products))]] = 1 + random.Int64N(3)
		}
		l.order(c, number, fmt.Sprintf("%s-%d-%d", l.name, number, n), items)
		select {
		case <-time.After(l.pause):
		case <-ctx.Done():
		}
	}
}

// order posts one order until it is answered for good.
func (l *load) order(c *http.Client, client int, key string, items map[string]int64) {
	for attempt := range attempts {
		done := l.recorder.Invoke(client, key, items)
		result, id, detail := postOrder(c, l.url, key, items)
		done(result, id, detail)
		if result != history.Unknown {
			return
		}
		time.Sleep(time.Duration(100<<attempt) * time.Millisecond) // a customer who waits before trying again
	}
}

// postOrder posts an order once. Only a refusal (4xx) promises that nothing happened.
func postOrder(c *http.Client, url, key string, items map[string]int64) (result history.Result, id, detail string) {
	type line struct {
		ProductID string `json:"product_id"`
		Quantity  int64  `json:"quantity"`
	}
	var body struct {
		Items []line `json:"items"`
	}
	for _, product := range sortedKeys(items) {
		body.Items = append(body.Items, line{product, items[product]})
	}
	b, err := json.Marshal(body)
	if err != nil {
		return history.Fail, "", err.Error()
	}
	r, err := http.NewRequest(http.MethodPost, url+"/orders", bytes.NewReader(b))
	if err != nil {
		return history.Fail, "", err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	resp, err := c.Do(r)
	if err != nil {
		return history.Unknown, "", err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return history.Unknown, "", err.Error()
	}
	var taken struct{ ID, Status string }
	switch {
	case resp.StatusCode == http.StatusAccepted && json.Unmarshal(answer, &taken) == nil && taken.ID != "":
		return history.OK, taken.ID, ""
	case resp.StatusCode >= 400 && resp.StatusCode < 500:
		return history.Fail, "", string(answer)
	}
	return history.Unknown, "", fmt.Sprintf("%s: %s", resp.Status, answer)
}
