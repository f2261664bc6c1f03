package web

import (
	"testing"

	"storefront/services/shop"
)

func FuzzParseProduct(f *testing.F) {
	for _, s := range []string{`{"name":"n","currency":"EUR"}`, `{}`, `[]`, `{"name":1}`, `{"x":{}}`, "\xff", `{"id":"y"} `, `nullnull`, `{"name":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parseProduct(body, "x")
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if p.ID != "x" || p.Validate() != nil {
			t.Errorf("took %+v: %v", p, p.Validate())
		}
	})
}

func FuzzParseLines(f *testing.F) {
	for _, s := range []string{`{"items":[{"product_id":"a","quantity":1}]}`, `{"items":[{"product_id":"a","quantity":1},{"product_id":"a","quantity":2}]}`, `{}`, `{"items":{}}`,
		`{"items":[[]]}`, `{"items":[{"":0}]}`, `{"items":[],"items":[]}`, "\xff", `{"items":[{"product_id":"\ud800","quantity":1e1}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := parseLines(body)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if err := shop.ValidateLines(lines); err != nil {
			t.Errorf("took %+v: %v", lines, err)
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"limit=1", "cursor=YQ&q=steel", "limit=-1", "cursor=%00", "q=%ff", "limit=99999999999999999999", "a;b", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if err := q.Validate(); err != nil {
			t.Errorf("took %+v: %v", q, err)
		}
	})
}

func FuzzParseSummaryQuery(f *testing.F) {
	cursor := encodeCursor(shop.SummaryCursor{ID: "abcdefghijklmnopqrstuvwxyz234567abcdefg"})
	for _, s := range []string{"limit=1&q=x", "cursor=" + cursor, "cursor=e30", "limit=-1", "cursor=%00", "q=%ff", "q=a&q=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseSummaryQuery(raw)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if err := q.Validate(); err != nil {
			t.Errorf("took %+v: %v", q, err)
		}
		if q.After != (shop.SummaryCursor{}) {
			if again, err := decodeCursor(encodeCursor(q.After)); err != nil || again != q.After {
				t.Errorf("cursor %+v comes back as %+v, %v", q.After, again, err)
			}
		}
	})
}

func wantInvalid(t *testing.T, err error) {
	t.Helper()
	if shop.CodeOf(err) != shop.Invalid {
		t.Errorf("got %v, want an invalid error", err)
	}
}
