package shoptest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"storefront/services/shop"
)

// Index runs the contract of shop.Index against indices that open returns, each empty and its own.
func Index(t *testing.T, open func(*testing.T) shop.Index) {
	t.Run("Empty", func(t *testing.T) {
		if page, err := open(t).Search(t.Context(), shop.SummaryQuery{Limit: 10}); err != nil || len(page.Items) != 0 || page.More {
			t.Errorf("got %+v, %v; want an empty page", page, err)
		}
	})
	t.Run("PutAndSearch", func(t *testing.T) { putAndSearch(t, open(t)) })
	t.Run("Versions", func(t *testing.T) { versions(t, open(t)) })
	t.Run("Paging", func(t *testing.T) { indexPaging(t, open(t)) })
	t.Run("Words", func(t *testing.T) { indexWords(t, open(t)) })
}

// SampleSummary is a valid summary; the same n gives the same, and a greater n one that was placed later.
func SampleSummary(n int) shop.Summary {
	seal, err := shop.NewSeal([]byte(strings.Repeat("k", shop.MinSealKey)))
	if err != nil {
		panic(err) // the key is a constant, and long enough
	}
	lines := []shop.Line{{ProductID: "kettle", Quantity: 2}, {ProductID: "cup-espresso", Quantity: 6}}
	return shop.Summary{
		ID: seal.ID(fmt.Sprint("sample-", n), lines), Status: shop.Accepted, TotalCents: 13140, Currency: "EUR", Version: 1,
		Items:    []shop.SummaryItem{{ProductID: "kettle", Name: "Kettle", Quantity: 2}, {ProductID: "cup-espresso", Name: "Espresso cup", Quantity: 6}},
		PlacedAt: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC).Add(time.Duration(n) * time.Millisecond),
	}
}

func put(t *testing.T, x shop.Index, summaries ...shop.Summary) {
	t.Helper()
	if err := errors.Join(x.Put(t.Context(), summaries)...); err != nil {
		t.Fatal(err)
	}
}

// wantFound waits until a search finds exactly the wanted summaries, in their order.
func wantFound(t *testing.T, x shop.Index, search string, want ...shop.Summary) {
	t.Helper()
	for i := range want {
		want[i].Version = 0
	}
	var got shop.SummaryPage
	Eventually(t, fmt.Sprintf("a search for %q finds %d summaries", search, len(want)), func() bool {
		var err error
		if got, err = x.Search(t.Context(), shop.SummaryQuery{Limit: shop.MaxLimit, Search: search}); err != nil {
			t.Fatalf("search %q: %v", search, err)
		}
		return fmt.Sprintf("%+v", got.Items) == fmt.Sprintf("%+v", want)
	})
}

func putAndSearch(t *testing.T, x shop.Index) {
	rejected := SampleSummary(2)
	rejected.Status, rejected.Reason = shop.Rejected, shop.ReasonStock
	put(t, x)
	put(t, x, SampleSummary(1), rejected)
	wantFound(t, x, "", rejected, SampleSummary(1))
	put(t, x, SampleSummary(1), SampleSummary(3), rejected)
	wantFound(t, x, "", SampleSummary(3), rejected, SampleSummary(1))
}

func versions(t *testing.T, x shop.Index) {
	of := func(version int64, reason string) shop.Summary {
		s := SampleSummary(1)
		s.Version, s.Reason = version, reason
		return s
	}
	put(t, x, of(5, "fifth"))
	put(t, x, of(4, "fourth"), of(5, "fifth again"), SampleSummary(2))
	wantFound(t, x, "", SampleSummary(2), of(5, "fifth"))
	put(t, x, of(6, "sixth"))
	wantFound(t, x, "", SampleSummary(2), of(6, "sixth"))
}

func indexPaging(t *testing.T, x shop.Index) {
	const n = 7
	var all []shop.Summary
	for i := range n {
		s := SampleSummary(i)
		s.PlacedAt = SampleSummary(i / 3).PlacedAt // several of one time
		all = append(all, s)
	}
	put(t, x, all...)
	Eventually(t, "all are found", func() bool {
		page, err := x.Search(t.Context(), shop.SummaryQuery{Limit: n})
		return err == nil && len(page.Items) == n
	})
	var seen []shop.SummaryCursor
	for q := (shop.SummaryQuery{Limit: 2}); ; {
		page, err := x.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Items {
			seen = append(seen, shop.SummaryCursor{PlacedAt: s.PlacedAt, ID: s.ID})
		}
		if !page.More {
			break
		}
		if len(page.Items) != q.Limit {
			t.Fatalf("a page with more behind it has %d items, want %d", len(page.Items), q.Limit)
		}
		q.After = seen[len(seen)-1]
	}
	for i := 1; i < len(seen); i++ {
		if a, b := seen[i-1], seen[i]; a.PlacedAt.Before(b.PlacedAt) || a.PlacedAt.Equal(b.PlacedAt) && a.ID >= b.ID {
			t.Errorf("item %d, %v, comes before %v", i-1, a, b)
		}
	}
	if len(seen) != n {
		t.Errorf("the pages have %d items together, want %d", len(seen), n)
	}
}

func indexWords(t *testing.T, x shop.Index) {
	press := SampleSummary(1)
	press.Items = []shop.SummaryItem{{ProductID: "french-press", Name: "Press, für 6 Tassen", Quantity: 1}}
	mill := SampleSummary(2)
	mill.Status, mill.Reason = shop.Rejected, shop.ReasonStock
	mill.Items = []shop.SummaryItem{{ProductID: "mill", Name: `Mill "Nº 5" (50% off)`, Quantity: 1}, {ProductID: "press-filter", Name: "Filter", Quantity: 1}}
	put(t, x, press, mill)
	wantFound(t, x, "", mill, press)
	for search, want := range map[string][]shop.Summary{
		"press": {mill, press}, "PRESS": {mill, press}, "french-press": {press}, "press mill": {mill}, "tassen FÜR": {press}, press.ID: {press},
		"rejected": {mill}, "out of stock": {mill}, "accepted": {press}, "pres": nil, "press tea": nil, "50": {mill}, "  ": {mill, press},
		// The language of queries means nothing to a customer, and must not break.
		`"`: {mill, press}, "press*": {mill, press}, "(press": {mill, press}, `AND "mill`: nil, "status:rejected": nil, "mill OR press": nil, "-press": {mill, press},
		`\`: {mill, press}, "{}[]^~?:/!": {mill, press}, "press~2": nil, "_exists_:id": nil, "f*": nil,
	} {
		wantFound(t, x, search, want...)
	}
}
