package web_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
	"storefront/services/shop/web"
)

// desk is an Intake that keeps what reaches it, the only way to the queue.
type desk struct {
	mu     sync.Mutex
	taken  []shop.Line
	keys   []string
	orders map[string]shop.Order
	err    error
}

const orderID = "abcdefghijklmnopqrstuvwxyz234567abcdefg"

func (d *desk) Take(_ context.Context, key string, lines []shop.Line) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return "", d.err
	}
	d.taken, d.keys = append(d.taken, lines...), append(d.keys, key)
	return orderID, nil
}

func (d *desk) Order(_ context.Context, id string) (shop.Order, error) {
	if o, ok := d.orders[id]; ok {
		return o, nil
	}
	return shop.Order{}, &shop.Error{Code: shop.NotFound, Message: "there is no order " + id}
}

func serveOrders(t *testing.T, d *desk) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(web.New(web.Config{Intake: d, Log: slog.New(slog.DiscardHandler)}).Handler())
	t.Cleanup(server.Close)
	return server
}

// post orders; keys are the values of the Idempotency-Key header.
func post(t *testing.T, url, contentType, body string, keys ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/orders", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header["Idempotency-Key"] = keys
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

const goodOrder = `{"items":[{"product_id":"kettle","quantity":2},{"product_id":"mug","quantity":1000}]}`

func TestPostOrder(t *testing.T) {
	d := new(desk)
	s := serveOrders(t, d)
	resp, body := post(t, s.URL, "application/json; charset=utf-8", goodOrder, "key-1")
	if resp.StatusCode != http.StatusAccepted || body != `{"id":"`+orderID+`","status":"queued"}`+"\n" {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	if got := resp.Header.Get("Location"); got != "/orders/"+orderID || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Location %q, Cache-Control %q", got, resp.Header.Get("Cache-Control"))
	}
	if diff := cmp.Diff(d.taken, []shop.Line{{ProductID: "kettle", Quantity: 2}, {ProductID: "mug", Quantity: 1000}}); diff != "" || d.keys[0] != "key-1" {
		t.Errorf("taken under %q: %s", d.keys, diff)
	}
}

func TestErrorsOfTheIntake(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		field  string
	}{
		{shop.Invalidf("items[1].product_id", "there is no product mug"), 400, "items[1].product_id"},
		{&shop.Error{Code: shop.Conflict, Field: "Idempotency-Key", Message: "was used for another order"}, 409, "Idempotency-Key"},
		{&shop.Error{Code: shop.Unavailable, Message: "the queue does not answer", Err: context.DeadlineExceeded}, 503, ""},
		{&shop.Error{Code: shop.Internal, Message: "secret"}, 500, ""},
	} {
		s := serveOrders(t, &desk{err: c.err})
		resp, body := post(t, s.URL, "application/json", goodOrder, "key")
		var p struct{ Field string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != c.status || p.Field != c.field || resp.Header.Get("Location") != "" {
			t.Errorf("%v: got %d %s, want %d naming %q", c.err, resp.StatusCode, body, c.status, c.field)
		}
		if (resp.Header.Get("Retry-After") != "") != (c.status == 503) {
			t.Errorf("%v: Retry-After %q", c.err, resp.Header.Get("Retry-After"))
		}
		if strings.Contains(body, "secret") || strings.Contains(body, "deadline") {
			t.Errorf("the answer shows what is inside: %s", body)
		}
	}
}

func TestGetOrder(t *testing.T) {
	at := time.Date(2026, 11, 21, 4, 5, 6, 789e6, time.UTC)
	items := []shop.OrderItem{{ProductID: "kettle", Quantity: 2, Name: "Kettle", PriceCents: 4500, Currency: "EUR"}}
	s := serveOrders(t, &desk{orders: map[string]shop.Order{
		"q": {ID: "q", Status: shop.Queued},
		"a": {ID: "a", Key: "secret", Status: shop.Accepted, Items: items, PlacedAt: at},
		"r": {ID: "r", Key: "secret", Status: shop.Rejected, Reason: shop.ReasonStock, Items: items, PlacedAt: at},
	}})
	const shown = `"items":[{"product_id":"kettle","quantity":2,"name":"Kettle","price_cents":4500,"currency":"EUR"}],"total_cents":9000,"currency":"EUR","placed_at":"2026-11-21T04:05:06.789Z"}`
	for id, want := range map[string]string{
		"q": `{"id":"q","status":"queued"}`,
		"a": `{"id":"a","status":"accepted",` + shown,
		"r": `{"id":"r","status":"rejected","reason":"out of stock",` + shown,
	} {
		resp, err := http.Get(s.URL + "/orders/" + id)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || string(got) != want+"\n" {
			t.Errorf("%s: got %d %s\nwant %s", id, resp.StatusCode, got, want)
		}
	}
	if resp, got := do(t, "GET", s.URL+"/orders/x", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an ID that nobody gave out: %d %v", resp.StatusCode, got)
	}
}

func TestOrderRefusals(t *testing.T) {
	d := new(desk)
	s := serveOrders(t, d)
	const js = "application/json"
	item := func(members string) string { return `{"items":[{"product_id":"a","quantity":1},{` + members + `}]}` }
	key := []string{"key"}
	for _, c := range []struct {
		name, contentType, body string
		keys                    []string
		status                  int
		field                   string
	}{
		{"no key", js, goodOrder, nil, 400, "Idempotency-Key"},
		{"empty key", js, goodOrder, []string{""}, 400, "Idempotency-Key"},
		{"two keys", js, goodOrder, []string{"a", "a"}, 400, "Idempotency-Key"},
		{"long key", js, goodOrder, []string{strings.Repeat("k", 129)}, 400, "Idempotency-Key"},
		{"space in key", js, goodOrder, []string{"a b"}, 400, "Idempotency-Key"},
		{"key not ASCII", js, goodOrder, []string{"ключ"}, 400, "Idempotency-Key"},
		{"key not UTF-8", js, goodOrder, []string{"a\xff"}, 400, "Idempotency-Key"},
		{"no type", "", goodOrder, key, 400, "Content-Type"},
		{"form", "application/x-www-form-urlencoded", goodOrder, key, 400, "Content-Type"},
		{"nonsense type", "application/json;;;=", goodOrder, key, 400, "Content-Type"},
		{"empty", js, "", key, 400, "body"},
		{"no JSON", js, "order!", key, 400, "body"},
		{"cut off", js, goodOrder[:40], key, 400, "body"},
		{"list", js, "[]", key, 400, "body"},
		{"null", js, "null", key, 400, "body"},
		{"number", js, "1", key, 400, "body"},
		{"string", js, `"items"`, key, 400, "body"},
		{"two objects", js, goodOrder + goodOrder, key, 400, "body"},
		{"something behind", js, goodOrder + "x", key, 400, "body"},
		{"broken UTF-8", js, item("\"product_id\":\"b\xff\",\"quantity\":1"), key, 400, "body"},
		{"byte order mark", js, "\ufeff" + goodOrder, key, 400, "body"},
		{"too large", js, goodOrder + strings.Repeat(" ", web.MaxBody), key, 413, "body"},
		{"deep", js, `{"items":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}", key, 400, "body"},
		{"no items", js, "{}", key, 400, "items"},
		{"items null", js, `{"items":null}`, key, 400, "items"},
		{"items empty", js, `{"items":[]}`, key, 400, "items"},
		{"items object", js, `{"items":{}}`, key, 400, "items"},
		{"items string", js, `{"items":"kettle"}`, key, 400, "items"},
		{"items twice", js, `{"items":[{"product_id":"a","quantity":1}],"items":[{"product_id":"b","quantity":1}]}`, key, 400, "items"},
		{"items in capitals", js, strings.Replace(goodOrder, "items", "Items", 1), key, 400, "Items"},
		{"51 items", js, `{"items":[` + strings.Repeat(`{},`, 50) + `{}]}`, key, 400, "items"},
		{"unknown field", js, `{"items":[{"product_id":"a","quantity":1}],"voucher":"x"}`, key, 400, "voucher"},
		{"unknown long field", js, `{"` + strings.Repeat("é", 1000) + `":1}`, key, 400, strings.Repeat("é", 64) + "…"},
		{"item null", js, `{"items":[null]}`, key, 400, "items[0]"},
		{"item number", js, `{"items":[{"product_id":"a","quantity":1},7]}`, key, 400, "items[1]"},
		{"item empty", js, item(``), key, 400, "items[1].product_id"},
		{"item's unknown field", js, item(`"product_id":"b","quantity":1,"price_cents":1`), key, 400, "items[1].price_cents"},
		{"no product", js, item(`"quantity":1`), key, 400, "items[1].product_id"},
		{"product null", js, item(`"product_id":null,"quantity":1`), key, 400, "items[1].product_id"},
		{"product number", js, item(`"product_id":5,"quantity":1`), key, 400, "items[1].product_id"},
		{"product empty", js, item(`"product_id":"","quantity":1`), key, 400, "items[1].product_id"},
		{"product in capitals", js, item(`"product_id":"B","quantity":1`), key, 400, "items[1].product_id"},
		{"product long", js, item(`"product_id":"` + strings.Repeat("b", 65) + `","quantity":1`), key, 400, "items[1].product_id"},
		{"half a surrogate", js, item(`"product_id":"\ud800","quantity":1`), key, 400, "items[1].product_id"},
		{"product twice", js, item(`"product_id":"a","quantity":1`), key, 400, "items[1].product_id"},
		{"field twice", js, item(`"product_id":"b","product_id":"c","quantity":1`), key, 400, "items[1].product_id"},
		{"no quantity", js, item(`"product_id":"b"`), key, 400, "items[1].quantity"},
		{"quantity zero", js, item(`"product_id":"b","quantity":0`), key, 400, "items[1].quantity"},
		{"quantity negative", js, item(`"product_id":"b","quantity":-1`), key, 400, "items[1].quantity"},
		{"quantity 1001", js, item(`"product_id":"b","quantity":1001`), key, 400, "items[1].quantity"},
		{"quantity fraction", js, item(`"product_id":"b","quantity":1.5`), key, 400, "items[1].quantity"},
		{"quantity exponent", js, item(`"product_id":"b","quantity":1e2`), key, 400, "items[1].quantity"},
		{"quantity huge", js, item(`"product_id":"b","quantity":99999999999999999999`), key, 400, "items[1].quantity"},
		{"quantity string", js, item(`"product_id":"b","quantity":"1"`), key, 400, "items[1].quantity"},
		{"quantity null", js, item(`"product_id":"b","quantity":null`), key, 400, "items[1].quantity"},
		{"quantity true", js, item(`"product_id":"b","quantity":true`), key, 400, "items[1].quantity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := post(t, s.URL, c.contentType, c.body, c.keys...)
			var p struct {
				Field, Detail string
				Status        int
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Fatalf("the body is no JSON object: %q", body)
			}
			if resp.StatusCode != c.status || p.Status != c.status || p.Field != c.field || p.Detail == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want %d naming %q", resp.StatusCode, body, c.status, c.field)
			}
		})
	}
	if len(d.keys) > 0 {
		t.Errorf("%d of the refused orders were taken: %v", len(d.keys), d.taken)
	}
}

func TestRoutesByRole(t *testing.T) {
	for _, c := range []struct {
		config web.Config
		routes string
	}{
		{web.Config{}, ""},
		{web.Config{Catalog: new(memory.Catalog)}, "/products /products/kettle"},
		{web.Config{Intake: new(desk)}, "/orders"},
		{web.Config{Index: new(memory.Index)}, "/summaries"},
	} {
		c.config.Log = slog.New(slog.DiscardHandler)
		handler := web.New(c.config).Handler()
		for _, path := range []string{"/products", "/products/kettle", "/orders", "/summaries", "/healthz", "/readyz"} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("BREW", path, nil))
			want := http.StatusNotFound
			if strings.Contains(" "+c.routes+" /healthz /readyz ", " "+path+" ") {
				want = http.StatusMethodNotAllowed
			}
			if w.Code != want || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("a server of %q answers %s with %d, want %d", c.routes, path, w.Code, want)
			}
		}
	}
}

// traced is a catalogue with a cache.
type traced struct{ memory.Catalog }

func (c *traced) Product(ctx context.Context, id string) (shop.Product, error) {
	shop.NoteOrigin(ctx, shop.OriginShared)
	return c.Catalog.Product(ctx, id)
}

func TestOriginOfProducts(t *testing.T) {
	c := new(traced)
	shoptest.MustPut(t, c, shoptest.Sample("kettle"))
	s := serve(t, c)
	for path, want := range map[string]string{"/products/kettle": "shared", "/products/absent": "shared", "/products": ""} {
		resp, _ := do(t, "GET", s.URL+path, "")
		if got := resp.Header.Get("X-Cache"); got != want {
			t.Errorf("%s: X-Cache %q, want %q", path, got, want)
		}
		if age := resp.Header.Get("Cache-Control"); (age == "no-store") != (resp.StatusCode == http.StatusNotFound) {
			t.Errorf("%s: Cache-Control %q", path, age)
		}
	}
}
