// Package cached puts a shared cache in front of a catalogue, so that reads cost the database one query for each key and lifetime however many ask, in
// however many processes, and so that a cache that is empty, slow or gone never passes its load on to the database.
package cached

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"storefront/services/shop"
)

// DefaultMaxReads is the usual bound on concurrent reads of the database, below the connections that a process has.
const DefaultMaxReads = 8

// Config is what a Catalog needs.
type Config struct {
	Source   shop.Catalog // the truth
	Cache    shop.Cache   // shared by every process of the fleet; New puts a breaker before it unless it has one
	MaxReads int          // reads of Source under way at once in this process; 0 means DefaultMaxReads
	Log      *slog.Logger
}

// Catalog is a shop.Catalog that reads Source through Cache. An answer is at most a minute old, a product that does not exist is noticed for 5 s to be
// missing, and a page is at most 11 s old. Reads may briefly lag behind PutProduct as those of Source do. It is safe for concurrent use.
type Catalog struct {
	source shop.Catalog
	cache  shop.Cache
	log    *slog.Logger

	flights singleflight.Group
	reads   chan struct{} // holds one for each read under way
	window  *lru.Cache[string, entry]

	background sync.WaitGroup
	refreshing sync.Map // the keys that this process refreshes
	missed     missed
	closing    sync.Mutex // held while something starts in the background, or Close begins
	closed     chan struct{}
}

// New returns a catalogue; Close ends what it does in the background.
func New(c Config) *Catalog {
	if c.MaxReads == 0 {
		c.MaxReads = DefaultMaxReads
	}
	window, err := lru.New[string, entry](windowSize)
	if err != nil {
		panic(err) // the size is a constant, and positive
	}
	cache := c.Cache
	if _, ok := cache.(*breaker); !ok {
		cache = NewBreaker(cache)
	}
	return &Catalog{source: c.Source, cache: cache, log: c.Log, reads: make(chan struct{}, c.MaxReads), window: window, closed: make(chan struct{})}
}

// Close waits for the refreshes under way, each of which has a time limit. Who still reads after it is answered, and starts no other one.
func (c *Catalog) Close() {
	c.closing.Lock()
	if !c.isClosed() {
		close(c.closed)
	}
	c.closing.Unlock()
	c.background.Wait()
}

func (c *Catalog) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// start runs f in the background and reports whether it could: not once Close has begun, which would wait for f or, worse, would not.
func (c *Catalog) start(f func()) bool {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.isClosed() {
		return false
	}
	c.background.Go(f)
	return true
}

// Product implements shop.Catalog.
func (c *Catalog) Product(ctx context.Context, id string) (shop.Product, error) {
	return read[shop.Product](ctx, c, lookup{key: productKey(id), life: productLife, ask: func(ctx context.Context) (any, error) {
		return c.source.Product(ctx, id)
	}})
}

// Products implements shop.Catalog.
func (c *Catalog) Products(ctx context.Context, q shop.Query) (shop.Page, error) {
	q = normal(q)
	return read[shop.Page](ctx, c, lookup{key: pageKey(q), life: pageLife, ask: func(ctx context.Context) (any, error) {
		return c.source.Products(ctx, q)
	}})
}

// PutProduct implements shop.Catalog. The product's entry leaves the cache after the write; pages that show the product expire by themselves.
func (c *Catalog) PutProduct(ctx context.Context, p shop.Product) (created bool, err error) {
	created, err = c.source.PutProduct(ctx, p)
	// After an error the write may have happened all the same. Whether the client still waits does not matter to those who read.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadFor)
	defer cancel()
	c.invalidate(ctx, productKey(p.ID))
	return created, err
}

// lookup is a question to the catalogue.
type lookup struct {
	key  string // of the answer in the cache
	life lifetime
	ask  func(context.Context) (any, error) // puts it to the source
}

func read[T any](ctx context.Context, c *Catalog, l lookup) (value T, err error) {
	e, origin, err := c.find(ctx, l)
	if err == nil {
		value, err = decode[T](e)
	}
	if errors.Is(err, errShape) { // as after an update of the shop that changed the form
		c.log.WarnContext(ctx, "an entry of another form in the cache is replaced", "key", l.key, "error", err)
		e, origin, err = c.share(ctx, "replace:"+l.key, func(ctx context.Context) (entry, shop.Origin, error) { return c.load(ctx, l) })
		if err == nil {
			value, err = decode[T](e)
		}
	}
	shop.NoteOrigin(ctx, origin)
	return value, err
}

// find answers l for all who ask it at the same time in this process, so that a popular key is one command in flight and not a thousand that queue for a
// connection.
func (c *Catalog) find(ctx context.Context, l lookup) (entry, shop.Origin, error) {
	return c.share(ctx, l.key, func(ctx context.Context) (entry, shop.Origin, error) {
		e, found, err := c.get(ctx, l.key)
		switch {
		case err != nil:
			return c.bypass(ctx, l)
		case found && e.fresh():
			return e, shop.OriginHit, nil
		case found:
			c.refresh(l)
			return e, shop.OriginHit, nil
		}
		return c.fill(ctx, l)
	})
}

// Keys in the cache begin with what they hold, so that the shop can share it with other uses.
func productKey(id string) string { return "product:" + id }

func pageKey(q shop.Query) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", q.Limit, q.After, q.Search))
	return "products:" + hex.EncodeToString(sum[:16])
}

// normal returns the query that q is another spelling of: words count, not the spaces between them nor their order.
func normal(q shop.Query) shop.Query {
	words := strings.Fields(q.Search)
	slices.Sort(words)
	q.Search = strings.Join(slices.Compact(words), " ")
	return q
}

// share runs f once for all who ask for key at the same time. f goes on when the one who started it gives up, for the others.
func (c *Catalog) share(ctx context.Context, key string, f func(context.Context) (entry, shop.Origin, error)) (entry, shop.Origin, error) {
	type answer struct {
		entry
		origin shop.Origin
	}
	started := false
	flight := c.flights.DoChan(key, func() (any, error) {
		started = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightFor)
		defer cancel()
		e, origin, err := shielded(func() (entry, shop.Origin, error) { return f(ctx) })
		return answer{e, origin}, err
	})
	select {
	case r := <-flight:
		a, _ := r.Val.(answer)
		if !started && a.origin == shop.OriginFill {
			a.origin = shop.OriginShared
		}
		return a.entry, a.origin, r.Err
	case <-ctx.Done():
		return entry{}, "", &shop.Error{Code: shop.Unavailable, Message: "the catalogue did not answer in time", Err: ctx.Err()}
	}
}

// shielded runs f and makes an error of its panic, which in the goroutine of a flight or of a refresh would end the process, out of reach of the server's
// own recovery.
func shielded(f func() (entry, shop.Origin, error)) (e entry, origin shop.Origin, err error) {
	defer func() {
		if p := recover(); p != nil {
			e, origin, err = entry{}, "", &shop.Error{Code: shop.Internal, Message: "reading the catalogue", Err: fmt.Errorf("panic: %v", p)}
		}
	}()
	return f()
}
