package memory_test

import (
	"testing"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

func TestCatalog(t *testing.T) {
	shoptest.Catalog(t, func(*testing.T) shop.Catalog { return new(memory.Catalog) })
}
