package shard

import (
	"encoding/binary"
	"errors"
)

// Record is the latest state of a document in a shard.
type Record struct {
	ID      string
	Routing string // empty: the document was routed by its ID
	Seq     uint64 // number of the operation that made it, within the shard, from 1 (clients see it from 0)
	Term    uint64 // of the primary that numbered it
	Version uint64
	Deleted bool   // a tombstone: it keeps the version of a document that is gone
	Source  []byte // JSON, as it was sent
}

var errRecord = errors.New("a stored document cannot be read: the shard's store is damaged")

// encode writes all but the ID, which is the key. change is the number of the change within this copy.
func (r *Record) encode(change uint64) []byte {
	b := make([]byte, 0, 48+len(r.Routing)+len(r.Source))
	for _, v := range [...]uint64{change, r.Seq, r.Term, r.Version} {
		b = binary.AppendUvarint(b, v)
	}
	deleted := byte(0)
	if r.Deleted {
		deleted = 1
	}
	b = append(b, deleted)
	b = binary.AppendUvarint(b, uint64(len(r.Routing)))
	b = append(b, r.Routing...)
	return append(b, r.Source...)
}

// decode reads what encode wrote. The source shares no memory with b.
func decode(id string, b []byte) (r Record, change uint64, err error) {
	r.ID = id
	for _, v := range [...]*uint64{&change, &r.Seq, &r.Term, &r.Version} {
		n := 0
		if *v, n = binary.Uvarint(b); n <= 0 {
			return Record{}, 0, errRecord
		}
		b = b[n:]
	}
	if len(b) == 0 || b[0] > 1 {
		return Record{}, 0, errRecord
	}
	r.Deleted, b = b[0] == 1, b[1:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return Record{}, 0, errRecord
	}
	b = b[n:]
	r.Routing = string(b[:length])
	r.Source = append([]byte(nil), b[length:]...)
	return r, change, nil
}
