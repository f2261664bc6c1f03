package memory

import (
	"bytes"
	"context"
	"sync"
	"time"

	"storefront/services/shop"
)

// Cache is a shop.Cache in memory. The zero value is empty and ready for use.
type Cache struct {
	mu     sync.Mutex
	values map[string]cached
	down   bool
}

type cached struct {
	value []byte
	until time.Time
}

// Flush forgets every value, as a cache does that comes back empty.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.values)
}

// SetDown takes the cache away or brings it back with what it held.
func (c *Cache) SetDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// Get implements shop.Cache.
func (c *Cache) Get(_ context.Context, key string) (value []byte, found bool, err error) {
	err = c.locked(func() {
		var v cached
		v, found = c.live(key)
		value = bytes.Clone(v.value)
	})
	return value, found, err
}

// Set implements shop.Cache.
func (c *Cache) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	return c.locked(func() { c.set(key, value, ttl) })
}

// SetNX implements shop.Cache.
func (c *Cache) SetNX(_ context.Context, key string, value []byte, ttl time.Duration) (stored bool, err error) {
	err = c.locked(func() {
		if _, found := c.live(key); !found {
			c.set(key, value, ttl)
			stored = true
		}
	})
	return stored, err
}

// Delete implements shop.Cache.
func (c *Cache) Delete(_ context.Context, key string) error {
	return c.locked(func() { delete(c.values, key) })
}

func (c *Cache) locked(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return &shop.Error{Code: shop.Unavailable, Message: "the cache does not answer"}
	}
	f()
	return nil
}

func (c *Cache) live(key string) (cached, bool) {
	v, ok := c.values[key]
	if ok && !time.Now().Before(v.until) {
		delete(c.values, key)
		return cached{}, false
	}
	return v, ok
}

func (c *Cache) set(key string, value []byte, ttl time.Duration) {
	if c.values == nil {
		c.values = map[string]cached{}
	}
	c.values[key] = cached{bytes.Clone(value), time.Now().Add(ttl)}
}
