package state

import (
	"bytes"
	"iter"
	"sync"
)

// maxShared bounds the values that are kept decoded, in bytes of their JSON.
const maxShared = 4 << 20

// Shared is Get for what is read far more often than it changes, such as the policies that every call is decided by: a value is decoded once for as long as its bytes in the
// store stay the same, and so is always that of the transaction. Callers share what it refers to, and nobody may change it: who edits a value reads it with Get.
func (t Table[T]) Shared(tx *Tx, key string) (value T, ok bool, err error) {
	return t.get(tx, key, t.sharing(tx))
}

// SharedWithPrefix is WithPrefix with values as Shared returns them.
func (t Table[T]) SharedWithPrefix(tx *Tx, prefix string) iter.Seq2[string, T] {
	return t.walk(tx, prefix, t.sharing(tx))
}

// sharing decodes what nobody has decoded yet.
func (t Table[T]) sharing(tx *Tx) func(key string, data []byte) (T, error) {
	return func(key string, data []byte) (T, error) {
		at := place{table: t.name, key: key}
		if value, ok := tx.shared.find(at, data).(T); ok {
			return value, nil
		}
		value, err := t.decode(key, data)
		if err == nil {
			tx.shared.keep(at, data, value)
		}
		return value, err
	}
}

// place is where a value stands in the store.
type place struct{ table, key string }

// shared are decoded values with the bytes that they were decoded from. A value belongs to its bytes and not to a moment, so that neither an older snapshot nor a write that
// fails can leave a wrong one behind.
type shared struct {
	mu     sync.RWMutex
	values map[place]decoded
	size   int // of their bytes
}

type decoded struct {
	data  []byte
	value any
}

// find returns the value that was decoded from the same bytes, or nil.
func (s *shared) find(at place, data []byte) any {
	s.mu.RLock()
	d := s.values[at]
	s.mu.RUnlock()
	if !bytes.Equal(d.data, data) {
		return nil
	}
	return d.value
}

// keep takes a value in the place of the one before. When there are too many, all go: those in use come back with the next call.
func (s *shared) keep(at place, data []byte, value any) {
	if len(data) > maxShared {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size += len(data) - len(s.values[at].data)
	if s.values == nil || s.size > maxShared {
		s.values, s.size = map[place]decoded{}, len(data)
	}
	s.values[at] = decoded{data: bytes.Clone(data), value: value} // bbolt's bytes are gone with the transaction
}
