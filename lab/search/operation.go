package search

import (
	"net/http"

	"storefront/lab/search/internal/refusal"
	"storefront/lab/search/internal/shard"
)

// operation is one change of one document, as it goes to its shard and as it comes back.
type operation struct {
	id, routing string
	source      []byte // nil: delete
	create      bool   // only if the document is not there
	versioning  string // "internal", "external" or "external_gte"
	version     uint64 // of external versioning
	ifSeq       *uint64
	ifTerm      uint64

	record  shard.Record // what is stored now
	existed bool
	err     error // why nothing was changed
}

// decide makes the record that the operation leaves, or tells why it must not be done.
func (o *operation) decide(old shard.Record, known bool, seq, term uint64) {
	o.existed = known && !old.Deleted
	o.record, o.err = shard.Record{}, o.conflict(old, known)
	if o.err != nil {
		return
	}
	o.record = shard.Record{ID: o.id, Routing: o.routing, Seq: seq, Term: term, Version: old.Version + 1, Deleted: o.source == nil, Source: o.source}
	if o.versioning != "internal" {
		o.record.Version = o.version
	}
}

func (o *operation) conflict(old shard.Record, known bool) error {
	fail := func(format string, args ...any) error {
		return refusal.New(http.StatusConflict, "version_conflict_engine_exception", "["+o.idText()+"]: version conflict, "+format, args...)
	}
	switch {
	case o.create && o.existed:
		return fail("document already exists (current version [%d])", old.Version)
	case o.ifSeq != nil && !o.existed:
		return fail("required seqNo [%d], primary term [%d]. but no document was found", *o.ifSeq, o.ifTerm)
	case o.ifSeq != nil && (*o.ifSeq != old.Seq-1 || o.ifTerm != old.Term):
		return fail("required seqNo [%d], primary term [%d]. current document has seqNo [%d] and primary term [%d]", *o.ifSeq, o.ifTerm, old.Seq-1, old.Term)
	case o.versioning == "external" && known && o.version <= old.Version:
		return fail("current version [%d] is higher or equal to the one provided [%d]", old.Version, o.version)
	case o.versioning == "external_gte" && known && o.version < old.Version:
		return fail("current version [%d] is higher than the one provided [%d]", old.Version, o.version)
	}
	return nil
}

// idText is the ID as part of a format.
func (o *operation) idText() string {
	out := make([]byte, 0, len(o.id))
	for i := range len(o.id) {
		if o.id[i] == '%' {
			out = append(out, '%')
		}
		out = append(out, o.id[i])
	}
	return string(out)
}

// result is the operation's outcome in an answer.
func (o *operation) result() (name string, status int) {
	switch {
	case o.source == nil && o.existed:
		return "deleted", http.StatusOK
	case o.source == nil:
		return "not_found", http.StatusNotFound
	case o.existed:
		return "updated", http.StatusOK
	}
	return "created", http.StatusCreated
}

// use is what the operation wants its index for. A deletion makes none, unless the tombstone counts.
func (o *operation) use() use {
	if o.source == nil && o.versioning == "internal" {
		return writing
	}
	return making
}
