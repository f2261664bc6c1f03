package shop

import (
	"context"
	"strings"
	"time"
)

// Summary is what the search knows of an order that is accepted or rejected.
type Summary struct {
	ID         string        `json:"id"`
	Status     Status        `json:"status"`
	Reason     string        `json:"reason,omitempty"`
	Items      []SummaryItem `json:"items"`
	TotalCents int64         `json:"total_cents"`
	Currency   string        `json:"currency"`
	PlacedAt   time.Time     `json:"placed_at"` // UTC, to the millisecond
	Version    int64         `json:"-"`         // of the document, at least 1; a greater one is newer
}

// SummaryItem is one item of a summary.
type SummaryItem struct {
	ProductID string `json:"product_id"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
}

// Summarize returns the summary of an order that is accepted or rejected.
func Summarize(o Order, version int64) Summary {
	s := Summary{ID: o.ID, Status: o.Status, Reason: o.Reason, TotalCents: o.TotalCents(), Currency: o.Currency(), PlacedAt: o.PlacedAt, Version: version,
		Items: make([]SummaryItem, len(o.Items))}
	for i, item := range o.Items {
		s.Items[i] = SummaryItem{ProductID: item.ProductID, Name: item.Name, Quantity: item.Quantity}
	}
	return s
}

// Text is what a search looks at: the ID, the status, the reason, and every product's ID and name.
func (s Summary) Text() string {
	parts := []string{s.ID, string(s.Status), s.Reason}
	for _, i := range s.Items {
		parts = append(parts, i.ProductID, i.Name)
	}
	return strings.Join(parts, " ")
}

// SummaryQuery asks for one page of summaries.
type SummaryQuery struct {
	Limit  int           // 1 to MaxLimit
	After  SummaryCursor // the last summary of the page before, or the zero value for the first page
	Search string        // summaries that have all of these words in their Text; "" is no condition
}

// SummaryCursor is the place of a summary in the order of pages.
type SummaryCursor struct {
	PlacedAt time.Time `json:"placed_at"`
	ID       string    `json:"id"`
}

// Validate reports the first bound that q breaks, as an Invalid error that names the field.
func (q SummaryQuery) Validate() error {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Invalidf("limit", "must be between 1 and %d", MaxLimit)
	}
	if q.After != (SummaryCursor{}) && !wellFormedID(q.After.ID) {
		return Invalidf("cursor", "is not one that this service gave out")
	}
	if err := text("q", q.Search, MaxSearch); err != nil {
		return err
	}
	return nil
}

// SummaryPage is a part of the summaries, the newest first and those of one time in the order of IDs.
type SummaryPage struct {
	Items []Summary
	More  bool // further summaries follow the last item
}

// Index searches summaries. It is a copy of the ledger that lags behind. Every implementation passes shoptest.Index.
type Index interface {
	// Put stores summaries, and returns what became of each, in their order: nil for one that is stored; an Invalid error for one that the index
	// does not take as it is, so that trying again is of no use until somebody changes something; any other error for one that it may take later.
	// One with a version at or below that of the stored document is left out without an error, so that repeating and reordering do no harm.
	Put(ctx context.Context, summaries []Summary) []error
	// Search returns the page that a valid q asks for. A summary may take a second or two from Put to be found. Version is not set.
	Search(ctx context.Context, q SummaryQuery) (SummaryPage, error)
}
