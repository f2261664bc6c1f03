package web

import (
	"net/url"
	"testing"

	"storefront/services/shop"
)

func FuzzParseProduct(f *testing.F) {
	for _, s := range []string{`{"name":"n","currency":"EUR"}`, `{}`, `[]`, `{"name":1}`, `{"x":{}}`, "\xff", `{"id":"y"} `, `nullnull`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parseProduct(body, "x")
		if err == nil && p.ID != "x" {
			t.Errorf("the body changed the ID to %q", p.ID)
		}
		if err != nil && shop.CodeOf(err) != shop.Invalid {
			t.Errorf("got %v, want an invalid error", err)
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"limit=1", "cursor=YQ&q=steel", "limit=-1", "cursor=%00", "q=%ff", "limit=99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := parseQuery(values)
		if err != nil && shop.CodeOf(err) != shop.Invalid {
			t.Errorf("got %v, want an invalid error", err)
		}
		if err == nil && (q.Limit < 1 || q.Limit > shop.MaxLimit) {
			t.Errorf("took limit %d", q.Limit)
		}
	})
}
