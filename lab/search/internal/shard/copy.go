// Package shard is one copy of a shard on the disk of one node: a durable store of documents (bbolt), which is the truth, and a full-text
// index (bleve's scorch) that follows it at every refresh.
package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"go.etcd.io/bbolt"
)

// ErrClosed is returned by a copy after Close: its node was lost.
var ErrClosed = errors.New("the shard copy is closed")

// The buckets of a store. A document is found by ID, by the shard's sequence number, and by the number of the change in this copy: the
// first two are the same in all copies, the last is what the index follows, also when a recovery takes sequence numbers back.
var (
	documents = []byte("documents") // ID -> record
	sequence  = []byte("sequence")  // sequence number of the latest operation on a document -> ID
	changes   = []byte("changes")   // number of the latest change of a document in this copy -> ID
	meta      = []byte("meta")
)

var (
	checkpointKey = []byte("checkpoint")
	sequenceKey   = []byte("sequence")
	indexedKey    = []byte("indexed")
)

// Copy is an open copy. It is safe for concurrent use.
type Copy struct {
	db      *bbolt.DB
	index   *scorch.Scorch
	indexer *Indexer
	analyze func(*document.Document, *Record) error

	use     sync.RWMutex // held to read by who works with the copy, to write by Close
	closed  bool
	refresh sync.Mutex
	changed atomic.Uint64 // number of the last change in the store
	indexed atomic.Uint64 // number of the last change in the index
	live    atomic.Int64  // documents without tombstones, in the index
	deleted atomic.Int64  // documents deleted or replaced since the copy was opened

	statistics atomic.Pointer[sync.Map] // see Snapshot
}

// Open opens the copy in dir, or makes it. analyze adds a document's fields to what the index gets.
func Open(dir string, indexer *Indexer, analyze func(*document.Document, *Record) error) (*Copy, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(dir, "store.db"), 0o600, &bbolt.Options{Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("opening the store in %s: %w", dir, err)
	}
	for at := range 3 { // what was made is found again after a power cut: the store, the shard's directory and the index's
		if err := syncDir(filepath.Join(dir, strings.Repeat("../", at))); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	c := &Copy{db: db, indexer: indexer, analyze: analyze}
	c.statistics.Store(&sync.Map{})
	if err := c.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the shard copy in %s: %w", dir, err), db.Close())
	}
	return c, nil
}

func (c *Copy) open(dir string) error {
	err := c.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{documents, sequence, changes, meta} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		last, _ := tx.Bucket(changes).Cursor().Last()
		c.changed.Store(max(number(last), tx.Bucket(changes).Sequence()))
		return nil
	})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "index")
	if c.index, err = c.indexer.open(path); err == nil {
		return c.resume()
	}
	// The store has all that the index is made of.
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if c.index, err = c.indexer.open(path); err != nil {
		return err
	}
	return c.resume()
}

// resume finds out how far the index followed the store.
func (c *Copy) resume() error {
	reader, err := c.index.Reader()
	if err != nil {
		return err
	}
	at, err := reader.GetInternal(indexedKey)
	if err == nil {
		c.indexed.Store(number(at))
		err = c.count(reader)
	}
	return errors.Join(err, reader.Close())
}

// Close ends the copy when nobody works with it any more.
func (c *Copy) Close() error {
	c.use.Lock()
	defer c.use.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	return errors.Join(c.index.Close(), c.db.Close())
}

// enter keeps the copy open until leave is called.
func (c *Copy) enter() (leave func(), err error) {
	c.use.RLock()
	if c.closed {
		c.use.RUnlock()
		return nil, ErrClosed
	}
	return c.use.RUnlock, nil
}

// Stats is what a copy holds.
type Stats struct{ Documents, Deleted, Bytes int64 }

// Stats tells what the copy holds, as of its last refresh.
func (c *Copy) Stats() Stats {
	leave, err := c.enter()
	if err != nil {
		return Stats{}
	}
	defer leave()
	s := Stats{Documents: c.live.Load(), Deleted: c.deleted.Load()}
	_ = c.db.View(func(tx *bbolt.Tx) error { s.Bytes = tx.Size(); return nil })
	if n, ok := c.index.StatsMap()["CurOnDiskBytes"].(uint64); ok {
		s.Bytes += int64(n)
	}
	return s
}

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func number(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
