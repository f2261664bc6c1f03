package shard

import (
	"errors"
	"fmt"
	"sync"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"
	"go.etcd.io/bbolt"
)

// refreshBatch is how many documents the index takes at once: it bounds the memory of a refresh.
const refreshBatch = 1000

// Refresh brings the index to where the store is. It tells whether there was something to do.
func (c *Copy) Refresh() (bool, error) {
	leave, err := c.enter()
	if err != nil {
		return false, err
	}
	defer leave()
	c.refresh.Lock()
	defer c.refresh.Unlock()
	did := false
	for goal := c.changed.Load(); c.indexed.Load() < goal; did = true {
		if err := c.follow(); err != nil {
			return did, fmt.Errorf("refreshing the index: %w", err)
		}
	}
	if !did {
		return false, nil
	}
	c.statistics.Store(&sync.Map{})
	reader, err := c.index.Reader()
	if err != nil {
		return true, err
	}
	return true, errors.Join(c.count(reader), reader.Close())
}

// Stale tells whether the store has changes that the index has not.
func (c *Copy) Stale() bool { return c.indexed.Load() < c.changed.Load() }

// follow indexes the next changes.
func (c *Copy) follow() error {
	c.indexer.batch.Lock()
	defer c.indexer.batch.Unlock()
	batch, last := index.NewBatch(), uint64(0)
	err := c.db.View(func(tx *bbolt.Tx) error {
		cursor, found := tx.Bucket(changes).Cursor(), 0
		last = tx.Bucket(changes).Sequence()
		for k, id := cursor.Seek(key(c.indexed.Load() + 1)); k != nil; k, id = cursor.Next() {
			if err := c.add(batch, &Tx{tx: tx}, string(id)); err != nil {
				return err
			}
			if found++; found == refreshBatch {
				last = number(k)
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	batch.SetInternal(indexedKey, key(last))
	if err := c.index.Batch(batch); err != nil {
		return err
	}
	c.indexed.Store(last)
	return nil
}

// add adds the document to the batch as the store has it now.
func (c *Copy) add(batch *index.Batch, tx *Tx, id string) error {
	r, ok, err := tx.Get(id)
	if err != nil {
		return err
	}
	if r.Version > 1 {
		c.deleted.Add(1)
	}
	if !ok || r.Deleted {
		batch.Delete(id)
		return nil
	}
	d := document.NewDocument(id)
	if err := c.analyze(d, &r); err != nil {
		return fmt.Errorf("document %q: %w", id, err)
	}
	d.AddField(document.NewTextFieldCustom(RecordField, nil, r.encode(0), index.StoreField, nil))
	batch.Update(d)
	return nil
}

func (c *Copy) count(r index.IndexReader) error {
	n, err := r.DocCount()
	c.live.Store(int64(n))
	return err
}

// RecordField is the stored field that holds the document as it was when it was indexed.
const RecordField = "_record"

// Snapshot is the index as of the last refresh.
type Snapshot struct {
	index.IndexReader
	Statistics *sync.Map // for who computes something of all documents: it is kept until the next refresh
	leave      func()
}

// Snapshot opens a snapshot. The copy stays open until it is released.
func (c *Copy) Snapshot() (*Snapshot, error) {
	leave, err := c.enter()
	if err != nil {
		return nil, err
	}
	statistics := c.statistics.Load()
	r, err := c.index.Reader()
	if err != nil {
		leave()
		return nil, err
	}
	return &Snapshot{IndexReader: r, Statistics: statistics, leave: leave}, nil
}

// Release ends the use of the snapshot.
func (s *Snapshot) Release() {
	_ = s.IndexReader.Close() // counts down; nothing is written
	s.leave()
}

// Indexed returns a document as of the last refresh.
func Indexed(r index.IndexReader, id string) (Record, error) {
	d, err := r.Document(id)
	if err != nil || d == nil {
		return Record{}, fmt.Errorf("document %q of the index: %w", id, errors.Join(err, errRecord))
	}
	found, out := false, Record{}
	d.VisitFields(func(f index.Field) {
		if f.Name() == RecordField {
			out, _, err = decode(id, f.Value())
			found = err == nil
		}
	})
	if !found {
		return Record{}, errRecord
	}
	return out, nil
}
