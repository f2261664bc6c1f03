package memory_test

import (
	"testing"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

func TestIndex(t *testing.T) {
	shoptest.Index(t, func(*testing.T) shop.Index { return new(memory.Index) })
}
