package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Get implements shop.Cache.
func (c *Cache) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	err = c.onceMore(ctx, func(r *redis.Client) error {
		value, err = r.Get(ctx, key).Bytes()
		if found = err == nil; errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return value, found, err
}

// Set implements shop.Cache.
func (c *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return c.onceMore(ctx, func(r *redis.Client) error { return r.Set(ctx, key, value, ttl).Err() })
}

// SetNX implements shop.Cache. When the connection is lost between the store and its answer, the caller who stored may be told that it did not.
func (c *Cache) SetNX(ctx context.Context, key string, value []byte, ttl time.Duration) (stored bool, err error) {
	err = c.onceMore(ctx, func(r *redis.Client) error {
		err := r.SetArgs(ctx, key, value, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
		if stored = err == nil; errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return stored, err
}

// Delete implements shop.Cache.
func (c *Cache) Delete(ctx context.Context, key string) error {
	return c.onceMore(ctx, func(r *redis.Client) error { return r.Del(ctx, key).Err() })
}
