package shop

import (
	"context"
	"time"
)

// Cache keeps values for a time. It may lose any of them at any moment, and it may be away: then every method fails with an Unavailable error and
// whoever uses it goes on without. Every implementation passes shoptest.Cache.
type Cache interface {
	// Get returns the value of key and whether there is one.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	// Set stores value for ttl, which is at least a millisecond.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// SetNX stores value for ttl unless the key has one, and reports whether it did. Of any number of callers at once one is told so.
	SetNX(ctx context.Context, key string, value []byte, ttl time.Duration) (stored bool, err error)
	// Delete removes key. A key that is not there is no error.
	Delete(ctx context.Context, key string) error
}
