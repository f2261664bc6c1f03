// Package state keeps the lab's state on disk: typed tables in one bbolt file, changed in transactions, with watches for reconcilers.
//
// A change is durable against the death of the daemon (kill -9) once Update has returned. It is not synced to the disk platter: after a
// power cut of the machine itself the lab may lose the last moments, which a lab can afford and a test suite pays for dearly.
package state

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// Store is the durable state of one region. It is safe for concurrent use.
type Store struct {
	db     *bbolt.DB
	shared shared

	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct {
	prefixes []string
	wake     chan struct{}
}

// Tx is a transaction: read-only under View, read-write under Update. It is valid only inside the function it was passed to.
type Tx struct {
	tx      *bbolt.Tx
	shared  *shared
	touched map[string]struct{}
}

// Open opens or creates the store in the file path. It fails when another process holds the file for more than a second.
func Open(path string) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("opening the lab's state %s: %w", path, err)
	}
	return &Store{db: db, watchers: map[*watcher]struct{}{}}, nil
}

// Close syncs and closes the store.
func (s *Store) Close() error {
	if err := s.db.Sync(); err != nil {
		return fmt.Errorf("syncing the lab's state: %w", err)
	}
	return s.db.Close()
}

// View runs f in a read-only transaction on a consistent snapshot.
func (s *Store) View(f func(*Tx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return f(&Tx{tx: tx, shared: &s.shared}) })
}

// Update runs f in the one read-write transaction. When f fails nothing is changed, and its error is returned as it is.
// Update must not be called from within View or Update.
func (s *Store) Update(f func(*Tx) error) error {
	touched := map[string]struct{}{}
	if err := s.db.Update(func(tx *bbolt.Tx) error { return f(&Tx{tx: tx, shared: &s.shared, touched: touched}) }); err != nil {
		return err
	}
	s.notify(touched)
	return nil
}

// Watch returns a channel that receives a value after each commit that changed a table whose name starts with one of the prefixes.
// Commits coalesce while nobody receives. The first value comes at once, so that a reconciler's loop begins with what is there.
// The watch ends with ctx.
func (s *Store) Watch(ctx context.Context, prefixes ...string) <-chan struct{} {
	w := &watcher{prefixes: prefixes, wake: make(chan struct{}, 1)}
	w.wake <- struct{}{}
	s.mu.Lock()
	s.watchers[w] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	})
	return w.wake
}

func (s *Store) notify(touched map[string]struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if w.wants(touched) {
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (w *watcher) wants(touched map[string]struct{}) bool {
	for table := range touched {
		for _, p := range w.prefixes {
			if strings.HasPrefix(table, p) {
				return true
			}
		}
	}
	return false
}
