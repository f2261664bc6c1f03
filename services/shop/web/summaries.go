package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"storefront/services/shop"
)

type summaryList struct {
	Items []shop.Summary `json:"items"`
	Next  string         `json:"next_cursor,omitempty"` // cursor of the next page; absent on the last one
}

func (s *Server) listSummaries(w http.ResponseWriter, r *http.Request) {
	q, err := parseSummaryQuery(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.config.Index.Search(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list := summaryList{Items: page.Items}
	if list.Items == nil {
		list.Items = []shop.Summary{}
	}
	if page.More {
		last := page.Items[len(page.Items)-1]
		list.Next = encodeCursor(shop.SummaryCursor{PlacedAt: last.PlacedAt, ID: last.ID})
	}
	s.answer(w, r, http.StatusOK, list)
}

func parseSummaryQuery(raw string) (q shop.SummaryQuery, err error) {
	values, err := parseParameters(raw)
	if err != nil {
		return q, err
	}
	if q.Limit, err = parseLimit(values); err != nil {
		return q, err
	}
	if values.Get("cursor") != "" {
		if q.After, err = decodeCursor(values.Get("cursor")); err != nil {
			return q, err
		}
	}
	q.Search = values.Get("q")
	return q, q.Validate()
}

// A cursor is opaque to clients, so that its form can change.
func encodeCursor(c shop.SummaryCursor) string {
	raw, err := json.Marshal(c)
	if err != nil {
		return "" // a time out of the years that JSON can tell, which no stored summary has
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(cursor string) (c shop.SummaryCursor, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &c) != nil || encodeCursor(c) != cursor || c == (shop.SummaryCursor{}) {
		return c, shop.Invalidf("cursor", "is not one that this service gave out")
	}
	return c, nil
}
