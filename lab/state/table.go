package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"
)

// ErrReadOnly is returned for a write inside View.
var ErrReadOnly = errors.New("write in a read-only transaction")

// Table is a named table of values of type T by string key, stored as JSON. It is a value: declare one per kind of thing.
type Table[T any] struct{ name string }

// NewTable names a table. Names are "<service>.<thing>", so that Watch can follow a service by its prefix.
func NewTable[T any](name string) Table[T] { return Table[T]{name: name} }

// Get returns the value at key, and whether there is one. It is the caller's own.
func (t Table[T]) Get(tx *Tx, key string) (value T, ok bool, err error) {
	return t.get(tx, key, t.decode)
}

func (t Table[T]) get(tx *Tx, key string, decode func(key string, data []byte) (T, error)) (value T, ok bool, err error) {
	b := tx.tx.Bucket([]byte(t.name))
	if b == nil {
		return value, false, nil
	}
	data := b.Get([]byte(key))
	if data == nil {
		return value, false, nil
	}
	value, err = decode(key, data)
	return value, err == nil, err
}

func (t Table[T]) decode(key string, data []byte) (value T, err error) {
	if err := json.Unmarshal(data, &value); err != nil {
		return value, fmt.Errorf("state %s/%s: %w", t.name, key, err)
	}
	return value, nil
}

// Put stores value at key.
func (t Table[T]) Put(tx *Tx, key string, value T) error {
	b, err := tx.bucket(t.name)
	if err != nil {
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("state %s/%s: %w", t.name, key, err)
	}
	return b.Put([]byte(key), data)
}

// Delete removes key; a key that is not there is no error.
func (t Table[T]) Delete(tx *Tx, key string) error {
	b, err := tx.bucket(t.name)
	if err != nil {
		return err
	}
	return b.Delete([]byte(key))
}

// All yields every key and value in key order. It must not be mixed with writes to the same table: collect first, then write.
// A value that does not decode ends the transaction with a panic that names it, since the file is then not ours.
func (t Table[T]) All(tx *Tx) iter.Seq2[string, T] { return t.WithPrefix(tx, "") }

// WithPrefix yields the keys that start with prefix, and their values, in key order.
func (t Table[T]) WithPrefix(tx *Tx, prefix string) iter.Seq2[string, T] {
	return t.walk(tx, prefix, t.decode)
}

func (t Table[T]) walk(tx *Tx, prefix string, decode func(key string, data []byte) (T, error)) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		b := tx.tx.Bucket([]byte(t.name))
		if b == nil {
			return
		}
		c := b.Cursor()
		for k, data := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, data = c.Next() {
			key := string(k)
			value, err := decode(key, data)
			if err != nil {
				panic(err.Error())
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// Len counts the keys of the table.
func (t Table[T]) Len(tx *Tx) int {
	b := tx.tx.Bucket([]byte(t.name))
	if b == nil {
		return 0
	}
	return b.Stats().KeyN
}

// Sequence returns the next number of a named counter, from 1.
func (tx *Tx) Sequence(name string) (uint64, error) {
	b, err := tx.bucket("sequence." + name)
	if err != nil {
		return 0, err
	}
	return b.NextSequence()
}

func (tx *Tx) bucket(name string) (*bbolt.Bucket, error) {
	if tx.touched == nil {
		return nil, fmt.Errorf("state %s: %w", name, ErrReadOnly)
	}
	tx.touched[name] = struct{}{}
	b, err := tx.tx.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", name, err)
	}
	return b, nil
}
