package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Shop is a customer's view of the shop. It is safe for concurrent use; the connections are its own, kept alive.
type Shop struct {
	URL    string
	Client *http.Client
}

// NewShop returns a shop whose requests may take so long, over so many connections at most.
func NewShop(url string, timeout time.Duration, connections int) *Shop {
	return &Shop{URL: url, Client: &http.Client{Timeout: timeout, Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute}}}
}

// Refused is an answer that is no success.
type Refused struct {
	Status int
	Body   string
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("status %d: %s", r.Status, strings.TrimSpace(r.Body))
}

// Order posts an order: pieces by product. It returns the order's ID. An answer that is no success is a *Refused.
func (s *Shop) Order(ctx context.Context, key string, items map[string]int64) (id string, err error) {
	type line struct {
		ProductID string `json:"product_id"`
		Quantity  int64  `json:"quantity"`
	}
	var body struct {
		Items []line `json:"items"`
	}
	for _, product := range slices.Sorted(maps.Keys(items)) {
		body.Items = append(body.Items, line{product, items[product]})
	}
	var taken struct{ ID, Status string }
	if err := s.send(ctx, http.MethodPost, "/orders", key, body, &taken); err != nil {
		return "", err
	}
	if taken.ID == "" || taken.Status != "queued" {
		return "", fmt.Errorf("the answer to an order is %+v", taken)
	}
	return taken.ID, nil
}

// Put puts a product into the catalogue.
func (s *Shop) Put(ctx context.Context, id, name string, stock int64) error {
	return s.send(ctx, http.MethodPut, "/products/"+id, "", map[string]any{"name": name, "description": "", "price_cents": 100, "currency": "EUR", "stock": stock}, nil)
}

// Get asks for a page and decodes it, unless into is nil.
func (s *Shop) Get(ctx context.Context, path string, into any) error {
	return s.send(ctx, http.MethodGet, path, "", nil, into)
}

func (s *Shop) send(ctx context.Context, method, path, key string, in, into any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return &Refused{resp.StatusCode, string(answer)}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
