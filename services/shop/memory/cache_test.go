package memory_test

import (
	"testing"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

func TestCache(t *testing.T) {
	shoptest.Cache(t, func(*testing.T) shop.Cache { return new(memory.Cache) })
}

func TestCacheDown(t *testing.T) {
	c := new(memory.Cache)
	if err := c.Set(t.Context(), "k", []byte("v"), 1<<40); err != nil {
		t.Fatal(err)
	}
	c.SetDown(true)
	if _, _, err := c.Get(t.Context(), "k"); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("a cache that is down answers %v", err)
	}
	c.SetDown(false)
	if _, found, err := c.Get(t.Context(), "k"); err != nil || !found {
		t.Errorf("back up: %v, %v", found, err)
	}
}
