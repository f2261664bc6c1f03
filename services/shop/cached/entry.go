package cached

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"storefront/services/shop"
)

// lifetime says for how long an answer serves.
type lifetime struct {
	fresh   time.Duration // served as it is; jittered, so that keys filled together do not expire together
	stale   time.Duration // and after that still served, while one asker refreshes it
	missing time.Duration // the same for the answer that there is no such thing, which is never served stale
}

var (
	productLife = lifetime{fresh: 30 * time.Second, stale: 30 * time.Second, missing: 5 * time.Second}
	// A write cannot name the pages that it changes, so pages are short-lived.
	pageLife = lifetime{fresh: 5 * time.Second, stale: 5 * time.Second}
)

// entry is an answer of the database as the cache keeps it.
type entry struct {
	FetchedAt  time.Time       `json:"fetched_at"` // when the database was asked
	FreshUntil time.Time       `json:"fresh_until"`
	Value      json.RawMessage `json:"value,omitempty"`
	Missing    string          `json:"missing,omitempty"` // instead of a value: the message of the NotFound error
}

// newEntry turns the answer to a question asked at fetched into an entry. Only a NotFound error is an answer; any other is returned.
func newEntry(fetched time.Time, value any, err error) (entry, error) {
	e := entry{FetchedAt: fetched}
	var known *shop.Error
	switch {
	case errors.As(err, &known) && known.Code == shop.NotFound:
		e.Missing = known.Message
		return e, nil
	case err != nil:
		return entry{}, err
	}
	e.Value, err = json.Marshal(value)
	if err != nil {
		return entry{}, fmt.Errorf("encoding for the cache: %w", err)
	}
	return e, nil
}

// freshen starts e's life and returns for how long the cache is to keep it.
func (e *entry) freshen(l lifetime) (ttl time.Duration) {
	fresh, stale := l.fresh, l.stale
	if e.Missing != "" {
		fresh, stale = l.missing, 0
	}
	fresh = jitter(fresh)
	e.FreshUntil = time.Now().Add(fresh)
	return fresh + stale
}

func (e *entry) fresh() bool { return time.Now().Before(e.FreshUntil) }

// jitter returns d, give or take a fifth.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// errShape says that the value of an entry is not what was asked for.
var errShape = errors.New("decoding from the cache")

// decode returns the answer that e holds, or errShape.
func decode[T any](e entry) (value T, err error) {
	if e.Missing != "" {
		return value, &shop.Error{Code: shop.NotFound, Message: e.Missing}
	}
	if err := json.Unmarshal(e.Value, &value); err != nil {
		return value, fmt.Errorf("%w: %w", errShape, err)
	}
	return value, nil
}
