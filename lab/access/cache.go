package access

import "sync"

// maxParsed bounds how many documents a Cache holds.
const maxParsed = 4096

// Cache parses documents once. The zero value is ready, and safe for concurrent use. What it returns is shared: nobody may change it.
type Cache struct {
	mu     sync.RWMutex
	parsed map[string]*Document
}

// Parse is Parse by way of the cache, which keeps only what parses.
func (c *Cache) Parse(text string) (*Document, error) {
	c.mu.RLock()
	d := c.parsed[text]
	c.mu.RUnlock()
	if d != nil {
		return d, nil
	}
	fresh, err := Parse(text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed == nil || len(c.parsed) >= maxParsed {
		c.parsed = map[string]*Document{}
	}
	c.parsed[text] = &fresh
	return &fresh, nil
}
