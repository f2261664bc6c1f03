package shard

import (
	"go.etcd.io/bbolt"
)

// Tx is one durable change of a copy's store. It is valid inside the function it was passed to.
type Tx struct{ tx *bbolt.Tx }

// Update changes the store. When it has returned without an error, the change is on disk.
func (c *Copy) Update(f func(*Tx) error) error {
	leave, err := c.enter()
	if err != nil {
		return err
	}
	defer leave()
	last := uint64(0)
	err = c.db.Update(func(tx *bbolt.Tx) error {
		if err := f(&Tx{tx: tx}); err != nil {
			return err
		}
		last = tx.Bucket(changes).Sequence()
		return nil
	})
	if err == nil {
		c.changed.Store(max(last, c.changed.Load()))
	}
	return err
}

// View reads the store as it is at one moment.
func (c *Copy) View(f func(*Tx) error) error {
	leave, err := c.enter()
	if err != nil {
		return err
	}
	defer leave()
	return c.db.View(func(tx *bbolt.Tx) error { return f(&Tx{tx: tx}) })
}

// Get returns a document's latest state, also a tombstone.
func (c *Copy) Get(id string) (r Record, ok bool, err error) {
	err = c.View(func(tx *Tx) error { r, ok, err = tx.Get(id); return err })
	return r, ok, err
}

// Get returns a document's latest state, also a tombstone.
func (t *Tx) Get(id string) (Record, bool, error) {
	b := t.tx.Bucket(documents).Get([]byte(id))
	if b == nil {
		return Record{}, false, nil
	}
	r, _, err := decode(id, b)
	return r, err == nil, err
}

// Put stores a document's state, whatever was there.
func (t *Tx) Put(r *Record) error {
	if err := t.release(r.ID); err != nil {
		return err
	}
	change, err := t.change(r.ID)
	if err != nil {
		return err
	}
	if err := t.tx.Bucket(sequence).Put(key(r.Seq), []byte(r.ID)); err != nil {
		return err
	}
	if m := t.tx.Bucket(meta); number(m.Get(sequenceKey)) < r.Seq {
		if err := m.Put(sequenceKey, key(r.Seq)); err != nil {
			return err
		}
	}
	return t.tx.Bucket(documents).Put([]byte(r.ID), r.encode(change))
}

// Forget removes a document as if it had never been, which a recovery does with one that the primary does not know.
func (t *Tx) Forget(id string) error {
	if err := t.release(id); err != nil {
		return err
	}
	if _, err := t.change(id); err != nil {
		return err
	}
	return t.tx.Bucket(documents).Delete([]byte(id))
}

// release takes away the numbers under which a document is found.
func (t *Tx) release(id string) error {
	b := t.tx.Bucket(documents).Get([]byte(id))
	if b == nil {
		return nil
	}
	old, change, err := decode(id, b)
	if err != nil {
		return err
	}
	if err := t.tx.Bucket(changes).Delete(key(change)); err != nil {
		return err
	}
	if s := t.tx.Bucket(sequence); string(s.Get(key(old.Seq))) == id {
		return s.Delete(key(old.Seq))
	}
	return nil
}

// change numbers a change of this copy.
func (t *Tx) change(id string) (uint64, error) {
	b := t.tx.Bucket(changes)
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	return n, b.Put(key(n), []byte(id))
}

// Sequence is the highest sequence number that the copy has seen.
func (t *Tx) Sequence() uint64 { return number(t.tx.Bucket(meta).Get(sequenceKey)) }

// SetSequence sets the highest sequence number: a recovery gives a copy that of the primary.
func (t *Tx) SetSequence(n uint64) error { return t.tx.Bucket(meta).Put(sequenceKey, key(n)) }

// Checkpoint is the sequence number up to which all in-sync copies of the shard are known to be alike.
func (t *Tx) Checkpoint() uint64 { return number(t.tx.Bucket(meta).Get(checkpointKey)) }

// SetCheckpoint sets the checkpoint.
func (t *Tx) SetCheckpoint(n uint64) error {
	if t.Checkpoint() == n {
		return nil
	}
	return t.tx.Bucket(meta).Put(checkpointKey, key(n))
}

// Since returns the IDs of the documents whose latest operation comes after a sequence number, oldest first, and the last number among them.
func (t *Tx) Since(after uint64, limit int) (ids []string, last uint64) {
	last = after
	c := t.tx.Bucket(sequence).Cursor()
	for k, v := c.Seek(key(after + 1)); k != nil && len(ids) < limit; k, v = c.Next() {
		ids, last = append(ids, string(v)), number(k)
	}
	return ids, last
}
