package shop

import "context"

// Origin tells where an answer of a catalogue came from.
type Origin string

// The origins of an answer.
const (
	OriginHit    Origin = "hit"    // the shared cache had it
	OriginFill   Origin = "fill"   // this request read the database and filled the cache
	OriginShared Origin = "shared" // another request did, here or in another process, and this one waited for it
	OriginBypass Origin = "bypass" // the cache does not answer; the answer is at most a second old or comes from the database
)

type originKey struct{}

// WithOrigin returns a context in which a Catalog notes where its answer came from. The origin stays "" when the catalogue has no cache.
func WithOrigin(ctx context.Context) (context.Context, *Origin) {
	o := new(Origin)
	return context.WithValue(ctx, originKey{}, o), o
}

// NoteOrigin notes an answer's origin for whoever asked by WithOrigin; a Catalog calls it before it returns.
func NoteOrigin(ctx context.Context, o Origin) {
	if p, ok := ctx.Value(originKey{}).(*Origin); ok {
		*p = o
	}
}
