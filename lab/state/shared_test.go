package state_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"storefront/lab/state"
)

type listed struct{ Names []string }

var lists = state.NewTable[listed]("test.list")

func name(t *testing.T, tx *state.Tx) string {
	v, _, err := lists.Shared(tx, "a")
	if err != nil {
		t.Error(err)
	}
	return strings.Join(v.Names, " ")
}

// What is shared is what the transaction sees, whichever others write, fail or still read.
func TestSharedIsOfItsTransaction(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	put := func(name string, refused error) {
		err := s.Update(func(tx *state.Tx) error {
			if err := lists.Put(tx, "a", listed{[]string{name}}); err != nil {
				return err
			}
			for _, v := range lists.SharedWithPrefix(tx, "") {
				if v.Names[0] != name {
					t.Errorf("the transaction sees %v of its own %s", v, name)
				}
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
	}
	put("one", nil)
	refused := errors.New("refused")
	put("two", refused)
	_ = s.View(func(before *state.Tx) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			put("three", nil)
			_ = s.View(func(after *state.Tx) error {
				if got := name(t, after); got != "three" {
					t.Errorf("after the change: %s", got)
				}
				return nil
			})
		}()
		<-done
		if got := name(t, before); got != "one" {
			t.Errorf("in the snapshot from before: %s", got)
		}
		return nil
	})
	_ = s.Update(func(tx *state.Tx) error { return lists.Delete(tx, "a") })
	_ = s.View(func(tx *state.Tx) error {
		if _, ok, err := lists.Shared(tx, "a"); ok || err != nil {
			t.Errorf("a deleted value is there: %v, %v", ok, err)
		}
		return nil
	})
}

// A value is decoded once as long as it does not change, Get's is the caller's own, and a table of the same name with another type gets its own.
func TestSharedDecodesOnce(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	_ = s.Update(func(tx *state.Tx) error { return lists.Put(tx, "a", listed{[]string{"one"}}) })
	_ = s.View(func(tx *state.Tx) error {
		first, _, _ := lists.Shared(tx, "a")
		second, _, _ := lists.Shared(tx, "a")
		own, _, _ := lists.Get(tx, "a")
		if &first.Names[0] != &second.Names[0] || &first.Names[0] == &own.Names[0] {
			t.Error("Shared decodes twice, or Get shares")
		}
		if v, ok, err := state.NewTable[map[string]any]("test.list").Shared(tx, "a"); !ok || err != nil || v["Names"] == nil {
			t.Errorf("as another type: %v, %v, %v", v, ok, err)
		}
		if _, _, err := state.NewTable[int]("test.list").Shared(tx, "a"); err == nil {
			t.Error("an object decodes as a number")
		}
		return nil
	})
}

// More than the bound is read right too, by many at once.
func TestSharedBeyondItsBound(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	const size = 1 << 20
	_ = s.Update(func(tx *state.Tx) error {
		for i := range 6 {
			if err := things.Put(tx, fmt.Sprint(i), thing{fmt.Sprint(i, strings.Repeat("x", size))}); err != nil {
				t.Fatal(err)
			}
		}
		return nil
	})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			_ = s.View(func(tx *state.Tx) error {
				for i := range 6 {
					if v, ok, err := things.Shared(tx, fmt.Sprint(i)); !ok || err != nil || !strings.HasPrefix(v.Name, fmt.Sprint(i)) || len(v.Name) < size {
						t.Errorf("%d: %.9s, %v, %v", i, v.Name, ok, err)
					}
				}
				return nil
			})
		})
	}
	all.Wait()
}
