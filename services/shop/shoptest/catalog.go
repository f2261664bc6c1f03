// Package shoptest holds the suites that every implementation of the shop's ports passes.
package shoptest

import (
	"fmt"
	"testing"

	"storefront/services/shop"
)

// Catalog runs the contract of shop.Catalog against catalogues that open returns, each empty and its own.
func Catalog(t *testing.T, open func(*testing.T) shop.Catalog) {
	t.Run("PutAndGet", func(t *testing.T) { putAndGet(t, open(t)) })
	t.Run("NotFound", func(t *testing.T) {
		if _, err := open(t).Product(t.Context(), "nothing"); shop.CodeOf(err) != shop.NotFound {
			t.Errorf("got %v, want a not_found error", err)
		}
	})
	t.Run("Paging", func(t *testing.T) { paging(t, open(t)) })
	t.Run("Search", func(t *testing.T) { search(t, open(t)) })
}

// Sample is a valid product with the given ID.
func Sample(id string) shop.Product {
	return shop.Product{ID: id, Name: "Name of " + id, Description: "Of use.", PriceCents: 1250, Currency: "EUR", Stock: 7}
}

func putAndGet(t *testing.T, c shop.Catalog) {
	p := Sample("kettle")
	for _, want := range []bool{true, false} {
		created, err := c.PutProduct(t.Context(), p)
		if err != nil || created != want {
			t.Fatalf("put: got created %v, %v; want %v", created, err, want)
		}
		got, err := c.Product(t.Context(), p.ID)
		if err != nil || got != p {
			t.Fatalf("got %+v, %v; want %+v", got, err, p)
		}
		p.Stock, p.Name = 3, "Großer Kessel ☕"
	}
}

func paging(t *testing.T, c shop.Catalog) {
	for _, i := range []int{3, 1, 5, 2, 4} {
		MustPut(t, c, Sample(fmt.Sprintf("p%d", i)))
	}
	var got []string
	for q := (shop.Query{Limit: 2}); ; {
		page, err := c.Products(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
		if !page.More {
			break
		}
		if len(page.Items) != q.Limit {
			t.Fatalf("a page with more behind it has %d items, want %d", len(page.Items), q.Limit)
		}
		q.After = page.Items[len(page.Items)-1].ID
	}
	if want := "[p1 p2 p3 p4 p5]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func search(t *testing.T, c shop.Catalog) {
	press := Sample("press")
	press.Name, press.Description = "French Press", "Glass and steel."
	mill := Sample("mill")
	mill.Name, mill.Description = "Coffee mill", "Steel burrs, 100% hand-made."
	MustPut(t, c, press)
	MustPut(t, c, mill)
	for words, want := range map[string]string{
		"": "[mill press]", "STEEL": "[mill press]", "steel press": "[press]", "burrs": "[mill]", "tea": "[]", "100": "[mill]", "%": "[mill press]", "ste": "[]",
	} {
		page, err := c.Products(t.Context(), shop.Query{Limit: 10, Search: words})
		if err != nil {
			t.Errorf("search %q: %v", words, err)
		}
		got := []string{}
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("search %q: got %v, want %v", words, got, want)
		}
	}
}

// MustPut stores p or ends the test.
func MustPut(t *testing.T, c shop.Catalog, p shop.Product) {
	t.Helper()
	if _, err := c.PutProduct(t.Context(), p); err != nil {
		t.Fatalf("put %s: %v", p.ID, err)
	}
}
