package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"storefront/services/shop"
)

// Index is a shop.Index in memory. The zero value is empty and ready for use.
type Index struct {
	mu        sync.RWMutex
	summaries map[string]shop.Summary
}

// Put implements shop.Index.
func (x *Index) Put(_ context.Context, summaries []shop.Summary) []error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.summaries == nil {
		x.summaries = map[string]shop.Summary{}
	}
	for _, s := range summaries {
		if s.Version > x.summaries[s.ID].Version {
			s.Items = slices.Clone(s.Items)
			x.summaries[s.ID] = s
		}
	}
	return make([]error, len(summaries))
}

// Search implements shop.Index.
func (x *Index) Search(_ context.Context, q shop.SummaryQuery) (shop.SummaryPage, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	wanted := words(q.Search)
	var found []shop.Summary
	for _, s := range x.summaries {
		if q.After != (shop.SummaryCursor{}) && inPageOrder(place(s), q.After) <= 0 || !hasAll(words(s.Text()), wanted) {
			continue
		}
		s.Version, s.Items = 0, slices.Clone(s.Items)
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b shop.Summary) int { return inPageOrder(place(a), place(b)) })
	more := len(found) > q.Limit
	return shop.SummaryPage{Items: found[:min(len(found), q.Limit)], More: more}, nil
}

func place(s shop.Summary) shop.SummaryCursor {
	return shop.SummaryCursor{PlacedAt: s.PlacedAt, ID: s.ID}
}

// inPageOrder puts the newest first, and those of one time in the order of IDs.
func inPageOrder(a, b shop.SummaryCursor) int {
	return cmp.Or(b.PlacedAt.Compare(a.PlacedAt), strings.Compare(a.ID, b.ID))
}
