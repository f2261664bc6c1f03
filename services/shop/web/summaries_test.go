package web_test

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
	"storefront/services/shop/web"
)

func serveSummaries(t *testing.T, n int) *httptest.Server {
	t.Helper()
	x := new(memory.Index)
	for i := range n {
		if err := x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(i)})[0]; err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(web.New(web.Config{Index: x, Log: slog.New(slog.DiscardHandler)}).Handler())
	t.Cleanup(server.Close)
	return server
}

func TestSummaries(t *testing.T) {
	s := serveSummaries(t, 5)
	var ids []any
	for next := ""; ; {
		resp, page := do(t, "GET", s.URL+"/summaries?q=kettle&limit=2&cursor="+next, "")
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d %v", resp.StatusCode, page)
		}
		for _, item := range page["items"].([]any) {
			ids = append(ids, item.(map[string]any)["id"])
		}
		more, ok := page["next_cursor"]
		if !ok {
			break
		}
		next = more.(string)
	}
	for i, id := range ids {
		if want := shoptest.SampleSummary(4 - i).ID; id != want {
			t.Errorf("item %d is %s, want %s", i, id, want)
		}
	}
	if len(ids) != 5 {
		t.Errorf("the pages have %d items together, want 5", len(ids))
	}
	if _, page := do(t, "GET", s.URL+"/summaries?q=tea", ""); len(page["items"].([]any)) != 0 || page["next_cursor"] != nil {
		t.Errorf("no match: %v, want an empty list", page)
	}
}

func TestSummaryRefusals(t *testing.T) {
	s := serveSummaries(t, 1)
	cursor := func(json string) string { return "cursor=" + base64.RawURLEncoding.EncodeToString([]byte(json)) }
	for _, c := range []struct{ query, field string }{
		{"limit=0", "limit"}, {"limit=-1", "limit"}, {"limit=101", "limit"}, {"limit=1000000000", "limit"}, {"limit=99999999999999999999", "limit"},
		{"limit=1.0", "limit"}, {"limit=", "limit"}, {"limit=ten", "limit"}, {"limit=1&limit=2", "limit"},
		{"q=" + strings.Repeat("x", 101), "q"}, {"q=%ff", "q"}, {"q=%00", "q"}, {"q=%7f", "q"}, {"q=a&q=b", "q"},
		{"cursor=%21", "cursor"}, {"cursor=e30", "cursor"}, {"cursor=bnVsbA", "cursor"}, {"cursor=a&cursor=a", "cursor"},
		{cursor(`{"placed_at":"2026-01-01T00:00:00Z","id":"x"}`), "cursor"}, {cursor(`{"placed_at":5,"id":"x"}`), "cursor"},
		{cursor(`{"placed_at":"2026-01-01T00:00:00Z","id":"` + orderID + `","x":1}`), "cursor"}, {"cursor=" + url.QueryEscape("\xff"), "cursor"},
		{"q=%zz", "query"}, {"a=1;b=2", "query"},
	} {
		resp, got := do(t, "GET", s.URL+"/summaries?"+c.query, "")
		if resp.StatusCode != http.StatusBadRequest || got["field"] != c.field {
			t.Errorf("%s: got %d %v, want 400 naming %q", c.query, resp.StatusCode, got, c.field)
		}
	}
}
