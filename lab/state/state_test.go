package state_test

import (
	"errors"
	"path/filepath"
	"testing"

	"storefront/lab/state"
)

type thing struct{ Name string }

var things = state.NewTable[thing]("test.thing")

func open(t *testing.T, path string) *state.Store {
	t.Helper()
	s, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestUpdateIsAtomic(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	refused := errors.New("refused")
	err := s.Update(func(tx *state.Tx) error {
		if err := things.Put(tx, "a", thing{"one"}); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("got error %v, want the function's own", err)
	}
	_ = s.View(func(tx *state.Tx) error {
		if _, ok, _ := things.Get(tx, "a"); ok {
			t.Error("a refused update left its write behind")
		}
		return nil
	})
}

func TestWriteInViewIsRefused(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	err := s.View(func(tx *state.Tx) error { return things.Put(tx, "a", thing{}) })
	if !errors.Is(err, state.ErrReadOnly) {
		t.Fatalf("got %v, want ErrReadOnly", err)
	}
}

func TestOrderAndPrefix(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	if err := s.Update(func(tx *state.Tx) error {
		for _, k := range []string{"b/2", "a/1", "b/1", "c"} {
			if err := things.Put(tx, k, thing{k}); err != nil {
				return err
			}
		}
		return things.Delete(tx, "c")
	}); err != nil {
		t.Fatal(err)
	}
	_ = s.View(func(tx *state.Tx) error {
		var got []string
		for k, v := range things.WithPrefix(tx, "b/") {
			if v.Name != k {
				t.Errorf("%s holds %+v", k, v)
			}
			got = append(got, k)
		}
		if len(got) != 2 || got[0] != "b/1" || got[1] != "b/2" {
			t.Errorf("got %v, want [b/1 b/2]", got)
		}
		if n := things.Len(tx); n != 3 {
			t.Errorf("got %d keys, want 3", n)
		}
		return nil
	})
}

func TestStateOutlivesTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := open(t, path)
	if err := s.Update(func(tx *state.Tx) error { return things.Put(tx, "a", thing{"kept"}) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	_ = s.View(func(tx *state.Tx) error {
		if v, ok, err := things.Get(tx, "a"); !ok || err != nil || v.Name != "kept" {
			t.Errorf("got %+v, %v, %v", v, ok, err)
		}
		return nil
	})
}

func TestWatch(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	watch := s.Watch(t.Context(), "test.")
	<-watch
	write := func(table state.Table[thing]) {
		if err := s.Update(func(tx *state.Tx) error { return table.Put(tx, "a", thing{}) }); err != nil {
			t.Fatal(err)
		}
	}
	write(state.NewTable[thing]("other.thing"))
	select {
	case <-watch:
		t.Error("woken by a table that is not watched")
	default:
	}
	write(things)
	write(things)
	<-watch
	select {
	case <-watch:
		t.Error("two commits before a receive did not coalesce")
	default:
	}
}
