package shard

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/blevesearch/bleve/v2/document"
)

func open(t *testing.T, indexer *Indexer, dir string) *Copy {
	t.Helper()
	c, err := Open(dir, indexer, func(*document.Document, *Record) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func put(t *testing.T, checkpoint uint64, records []Record, copies ...*Copy) {
	t.Helper()
	for _, c := range copies {
		err := c.Update(func(tx *Tx) error {
			for i := range records {
				if err := tx.Put(&records[i]); err != nil {
					return err
				}
			}
			return tx.SetCheckpoint(checkpoint)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// content is all that a copy holds, in the order of its operations, and what its index finds.
func content(t *testing.T, c *Copy) (out string) {
	t.Helper()
	if _, err := c.Refresh(); err != nil {
		t.Fatal(err)
	}
	err := c.View(func(tx *Tx) error {
		ids, _ := tx.Since(0, 1<<20)
		for _, id := range ids {
			r, ok, err := tx.Get(id)
			if err != nil || !ok {
				return fmt.Errorf("%s is numbered and not there: %v", id, err)
			}
			out += fmt.Sprintf("%s@%d/%d v%d %t %s\n", id, r.Seq, r.Term, r.Version, r.Deleted, r.Source)
		}
		out += fmt.Sprintf("sequence %d, documents %d", tx.Sequence(), c.live.Load())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRecoveryOfDivergedCopies gives two copies histories that differ after their last common operation, as a crash between the syncs of a
// write leaves them, and more of it than one batch. The one that recovers becomes like the primary, in store and index, also when it is
// opened again in between.
func TestRecoveryOfDivergedCopies(t *testing.T) {
	indexer := NewIndexer()
	t.Cleanup(indexer.Close)
	dir := t.TempDir()
	primary, replica := open(t, indexer, filepath.Join(dir, "p")), open(t, indexer, filepath.Join(dir, "r"))
	record := func(id string, seq, term, version uint64, deleted bool) Record {
		return Record{ID: id, Seq: seq, Term: term, Version: version, Deleted: deleted, Source: fmt.Appendf(nil, `"%s-%d"`, id, term)}
	}
	put(t, 0, []Record{record("a", 1, 1, 1, false), record("b", 2, 1, 1, false), record("c", 3, 1, 1, false)}, primary, replica)
	put(t, 3, nil, primary, replica)

	// Only the replica has these: never acknowledged. They are in its index already.
	put(t, 3, []Record{record("b", 4, 1, 2, true), record("x", 5, 1, 1, false), record("a", 6, 1, 2, false)}, replica)
	if got := content(t, replica); got == content(t, primary) {
		t.Fatal("the copies do not differ")
	}
	// The primary goes on in a new term.
	put(t, 3, []Record{record("c", 4, 2, 2, true)}, primary)
	var many []Record
	for i := range uint64(2*recoveryBatch + 7) {
		many = append(many, record(fmt.Sprint("n", i), 5+i, 2, 1, false))
	}
	put(t, 3, many, primary)

	d, err := replica.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for step, more := 0, true; more; step++ {
		if more, err = replica.Step(primary, &d); err != nil {
			t.Fatal(err)
		}
		if step == 1 { // the node is lost in the midst: it begins anew
			if err := replica.Close(); err != nil {
				t.Fatal(err)
			}
			replica = open(t, indexer, filepath.Join(dir, "r"))
			if d, err = replica.Begin(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := replica.Finish(primary); err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, replica), content(t, primary); got != want {
		t.Errorf("the replica has\n%.400s\nwant\n%.400s", got, want)
	}
	if _, err := replica.Refresh(); err != nil {
		t.Fatal(err)
	}
	snapshot, err := replica.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Release()
	if _, err := Indexed(snapshot, "x"); err == nil {
		t.Error("the index still has a document that never was acknowledged")
	}
	if r, err := Indexed(snapshot, "a"); err != nil || r.Version != 1 {
		t.Errorf("the index has version %d of a document whose second version was taken back: %v", r.Version, err)
	}
}
