// Package memory implements the ports of the shop in memory: for tests and for trying the service without anything beside it.
package memory

import (
	"context"
	"slices"
	"strings"
	"sync"
	"unicode"

	"storefront/services/shop"
)

// Catalog is a shop.Catalog in memory. The zero value is empty and ready for use.
type Catalog struct {
	mu       sync.RWMutex
	products []shop.Product // sorted by ID
}

// Products implements shop.Catalog.
func (c *Catalog) Products(_ context.Context, q shop.Query) (shop.Page, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	wanted := words(q.Search)
	var page shop.Page
	for _, p := range c.products {
		if p.ID <= q.After || !hasAll(words(p.Name+" "+p.Description), wanted) {
			continue
		}
		if len(page.Items) == q.Limit {
			page.More = true
			break
		}
		page.Items = append(page.Items, p)
	}
	return page, nil
}

// Product implements shop.Catalog.
func (c *Catalog) Product(_ context.Context, id string) (shop.Product, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, found := c.find(id)
	if !found {
		return shop.Product{}, &shop.Error{Code: shop.NotFound, Message: "there is no product " + id}
	}
	return c.products[i], nil
}

// PutProduct implements shop.Catalog.
func (c *Catalog) PutProduct(_ context.Context, p shop.Product) (created bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, found := c.find(p.ID)
	if found {
		c.products[i] = p
		return false, nil
	}
	c.products = slices.Insert(c.products, i, p)
	return true, nil
}

func (c *Catalog) find(id string) (int, bool) {
	return slices.BinarySearchFunc(c.products, id, func(p shop.Product, id string) int { return strings.Compare(p.ID, id) })
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func hasAll(have, wanted []string) bool {
	for _, w := range wanted {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}
