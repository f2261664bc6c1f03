package memory_test

import (
	"testing"

	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

func TestLedger(t *testing.T) {
	shoptest.Ledger(t, func(*testing.T) shoptest.Store { return new(memory.Ledger) })
}

func TestQueue(t *testing.T) {
	shoptest.Queue(t, func(*testing.T) shoptest.QueueStore { return &memory.Queue{MaxReceive: shoptest.MaxReceive} })
}
