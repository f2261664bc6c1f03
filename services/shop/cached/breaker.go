package cached

import (
	"context"
	"sync/atomic"
	"time"

	"storefront/services/shop"
)

// NewBreaker returns cache with a breaker before it: after an error every command fails at once for a second, and then one of them tries whether the cache
// is back. Whoever uses the cache in a process should share one, so that a dead cache costs all of them together one command a second.
func NewBreaker(cache shop.Cache) shop.Cache { return &breaker{cache: cache} }

// breaker is a shop.Cache that leaves a failing cache alone for skipFor.
type breaker struct {
	cache shop.Cache
	until atomic.Int64 // when to try again, in nanoseconds since 1970; 0 while the cache answers
}

func (b *breaker) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	err = b.do(ctx, func() error {
		value, found, err = b.cache.Get(ctx, key)
		return err
	})
	return value, found, err
}

func (b *breaker) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return b.do(ctx, func() error { return b.cache.Set(ctx, key, value, ttl) })
}

func (b *breaker) SetNX(ctx context.Context, key string, value []byte, ttl time.Duration) (set bool, err error) {
	err = b.do(ctx, func() error {
		set, err = b.cache.SetNX(ctx, key, value, ttl)
		return err
	})
	return set, err
}

func (b *breaker) Delete(ctx context.Context, key string) error {
	return b.do(ctx, func() error { return b.cache.Delete(ctx, key) })
}

func (b *breaker) do(ctx context.Context, command func() error) error {
	now := time.Now()
	if until := b.until.Load(); until != 0 {
		if now.UnixNano() < until || !b.until.CompareAndSwap(until, now.Add(skipFor).UnixNano()) {
			return &shop.Error{Code: shop.Unavailable, Message: "the cache is left alone after an error"}
		}
	}
	err := command()
	switch {
	case err == nil:
		b.until.Store(0)
	case ctx.Err() == nil: // a caller who gave up says nothing about the cache
		b.until.Store(time.Now().Add(skipFor).UnixNano())
	}
	return err
}
