package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
	"storefront/services/shop/web"
)

func serve(t *testing.T, catalog shop.Catalog, dependencies ...shop.Dependency) *httptest.Server {
	t.Helper()
	s := web.New(web.Config{Catalog: catalog, Dependencies: dependencies, ServedBy: "i-0123 us-east-1a", Log: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server
}

func do(t *testing.T, method, url, body string) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(data, &decoded); err != nil {
		t.Fatalf("%s %s: the body is no JSON object: %q", method, url, data)
	}
	return resp, decoded
}

func TestProducts(t *testing.T) {
	s := serve(t, new(memory.Catalog))
	const body = `{"name":"Kettle","description":"Steel","price_cents":4500,"currency":"EUR","stock":3}`
	resp, got := do(t, "PUT", s.URL+"/products/kettle", body)
	if resp.StatusCode != http.StatusCreated || got["id"] != "kettle" {
		t.Fatalf("first put: %d %v", resp.StatusCode, got)
	}
	if resp, _ := do(t, "PUT", s.URL+"/products/kettle", body); resp.StatusCode != http.StatusOK {
		t.Errorf("second put: %d, want 200", resp.StatusCode)
	}
	resp, got = do(t, "GET", s.URL+"/products/kettle", "")
	if resp.StatusCode != http.StatusOK || got["price_cents"] != 4500.0 || resp.Header.Get("X-Served-By") != "i-0123 us-east-1a" {
		t.Errorf("get: %d %v %v", resp.StatusCode, got, resp.Header)
	}
}

func TestPaging(t *testing.T) {
	catalog := new(memory.Catalog)
	for _, id := range []string{"a", "b", "c"} {
		shoptest.MustPut(t, catalog, shoptest.Sample(id))
	}
	s := serve(t, catalog)
	_, first := do(t, "GET", s.URL+"/products?limit=2", "")
	if len(first["items"].([]any)) != 2 || first["next"] == "" {
		t.Fatalf("first page: %v", first)
	}
	_, second := do(t, "GET", s.URL+"/products?limit=2&cursor="+first["next"].(string), "")
	if len(second["items"].([]any)) != 1 || second["next"] != "" {
		t.Errorf("second page: %v", second)
	}
	_, none := do(t, "GET", s.URL+"/products?q=nothing", "")
	if items, ok := none["items"].([]any); !ok || len(items) != 0 {
		t.Errorf("no match: %v, want an empty list", none)
	}
}

func TestRefusals(t *testing.T) {
	s := serve(t, new(memory.Catalog))
	good := `{"name":"n","description":"","price_cents":1,"currency":"EUR","stock":1}`
	with := func(field, value string) string {
		var m map[string]json.RawMessage
		_ = json.Unmarshal([]byte(good), &m)
		m[field] = json.RawMessage(value)
		b, _ := json.Marshal(m)
		return string(b)
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		field                    string
	}{
		{"limit word", "GET", "/products?limit=many", "", 400, "limit"},
		{"limit zero", "GET", "/products?limit=0", "", 400, "limit"},
		{"limit high", "GET", "/products?limit=101", "", 400, "limit"},
		{"cursor", "GET", "/products?cursor=%21", "", 400, "cursor"},
		{"cursor of no ID", "GET", "/products?cursor=QUJD", "", 400, "cursor"},
		{"search long", "GET", "/products?q=" + strings.Repeat("x", 101), "", 400, "q"},
		{"search UTF-8", "GET", "/products?q=%ff", "", 400, "q"},
		{"search NUL", "GET", "/products?q=%00", "", 400, "q"},
		{"id", "GET", "/products/UPPER", "", 400, "id"},
		{"absent", "GET", "/products/absent", "", 404, ""},
		{"path", "GET", "/nowhere", "", 404, ""},
		{"method", "DELETE", "/products/x", "", 405, ""},
		{"no JSON", "PUT", "/products/x", "{", 400, "body"},
		{"array", "PUT", "/products/x", "[]", 400, "body"},
		{"two objects", "PUT", "/products/x", good + good, 400, "body"},
		{"unknown field", "PUT", "/products/x", with("colour", `"red"`), 400, "colour"},
		{"wrong type", "PUT", "/products/x", with("stock", `"many"`), 400, "stock"},
		{"fraction", "PUT", "/products/x", with("price_cents", `1.5`), 400, "price_cents"},
		{"negative", "PUT", "/products/x", with("price_cents", `-1`), 400, "price_cents"},
		{"no name", "PUT", "/products/x", with("name", `""`), 400, "name"},
		{"NUL in name", "PUT", "/products/x", with("name", `"a\u0000"`), 400, "name"},
		{"currency", "PUT", "/products/x", with("currency", `"euro"`), 400, "currency"},
		{"other id", "PUT", "/products/x", with("id", `"y"`), 400, "id"},
		{"broken UTF-8", "PUT", "/products/x", strings.Replace(good, `"n"`, "\"\xff\"", 1), 400, "body"},
		{"too large", "PUT", "/products/x", with("description", `"`+strings.Repeat("x", web.MaxBody)+`"`), 413, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, got := do(t, c.method, s.URL+c.path, c.body)
			field, _ := got["field"].(string)
			if resp.StatusCode != c.status || field != c.field || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %v, want %d naming %q", resp.StatusCode, got, c.status, c.field)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	down := errors.New("secret detail")
	s := serve(t, new(memory.Catalog), shop.Dependency{Name: "database", Check: func(context.Context) error { return down }})
	if resp, _ := do(t, "GET", s.URL+"/healthz", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d, want 200 whatever the dependencies do", resp.StatusCode)
	}
	resp, got := do(t, "GET", s.URL+"/readyz", "")
	if resp.StatusCode != http.StatusServiceUnavailable || got["dependencies"].(map[string]any)["database"] != "unavailable" {
		t.Errorf("readyz: %d %v", resp.StatusCode, got)
	}
}

func TestHealthCountsRefusedSummaries(t *testing.T) {
	l := new(memory.Ledger)
	shoptest.MustPut(t, l, shoptest.Sample("kettle"))
	shoptest.MustApply(t, l, shoptest.SampleOrder("key", 1, "kettle"), shop.Outcome{Status: shop.Accepted})
	s := httptest.NewServer(web.New(web.Config{Index: new(memory.Index), Outbox: l, Log: slog.New(slog.DiscardHandler)}).Handler())
	defer s.Close()
	for want := range 2 {
		if resp, got := do(t, "GET", s.URL+"/readyz", ""); resp.StatusCode != http.StatusOK || got["refused_summaries"] != float64(want) {
			t.Errorf("readyz: %d %v, want 200 and %d refused", resp.StatusCode, got, want)
		}
		if _, err := l.Pending(t.Context(), 1, shoptest.Answer(shop.Invalidf("status", "is no number"))); err != nil {
			t.Fatal(err)
		}
	}
}

type failing struct{ memory.Catalog }

func (*failing) Product(context.Context, string) (shop.Product, error) {
	return shop.Product{}, errors.New("password=hunter2")
}

func (*failing) Products(context.Context, shop.Query) (shop.Page, error) { panic("bug") }

// hanging is a catalogue behind a network that drops packets.
type hanging struct{ memory.Catalog }

func (*hanging) PutProduct(ctx context.Context, _ shop.Product) (bool, error) {
	<-ctx.Done()
	return false, &shop.Error{Code: shop.Unavailable, Message: "the database does not answer", Err: ctx.Err()}
}

// TestNothingHangs has a client that waits for as long as it takes: it is answered before the server may no longer write.
func TestNothingHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := web.New(web.Config{Catalog: new(hanging), Log: slog.New(slog.DiscardHandler)}).Handler()
		r := httptest.NewRequestWithContext(t.Context(), "PUT", "/products/kettle", strings.NewReader(`{"name":"Kettle","description":"","price_cents":1,"currency":"EUR","stock":1}`))
		r.Header.Set("Content-Type", "application/json")
		w, began := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, r)
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took >= 30*time.Second {
			t.Errorf("answered %d after %s, want 503 in less than 30 s", w.Code, took)
		}
	})
}

func TestFaultsShowNothingInside(t *testing.T) {
	s := serve(t, new(failing))
	for _, path := range []string{"/products/x", "/products"} {
		resp, got := do(t, "GET", s.URL+path, "")
		if resp.StatusCode != http.StatusInternalServerError || got["detail"] != nil {
			t.Errorf("%s: %d %v, want a bare 500", path, resp.StatusCode, got)
		}
	}
}

func TestCloseLetsRequestsFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := web.New(web.Config{Address: "127.0.0.1:0", Catalog: new(memory.Catalog), Log: slog.New(slog.DiscardHandler),
		Dependencies: []shop.Dependency{{Name: "slow", Check: func(context.Context) error { close(entered); <-release; return nil }}}})
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	status := make(chan int, 1)
	go func() {
		resp, err := http.Get(s.URL() + "/readyz")
		if err != nil {
			status <- 0
			return
		}
		defer resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-entered
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	close(release)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the request under way got %d, want 200", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
