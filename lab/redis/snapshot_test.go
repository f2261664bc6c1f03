package redis_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"storefront/lab/redis"
)

func TestASnapshotIsTheDataOfItsMoment(t *testing.T) {
	l := newLab(t)
	one := l.start(l.spec("one"))
	c := l.client(one, "", token)
	for i := range 1000 {
		l.must(c.Set(t.Context(), fmt.Sprint("key", i), strings.Repeat("v", 100), 0).Err())
	}
	l.must(c.Set(t.Context(), "mortal", "1", time.Hour).Err())
	size, err := one.Snapshot(t.Context(), "before.2026")
	if err != nil || size < 1000 {
		t.Fatalf("the snapshot has %d bytes, %v", size, err)
	}
	l.must(c.Set(t.Context(), "late", "1", 0).Err())
	l.must(l.engine.CopySnapshot("before.2026", "again"))
	l.must(one.Stop())
	l.must(l.engine.DeleteSnapshot("before.2026"))

	l.open() // as after a restart of the lab
	spec := l.spec("two")
	spec.Snapshot = "again"
	two := l.start(spec)
	restored := l.client(two, "", token)
	if n := restored.DBSize(t.Context()).Val(); n != 1001 || restored.Exists(t.Context(), "late").Val() != 0 {
		t.Errorf("%d keys came back, want the 1001 of that moment", n)
	}
	if left := restored.TTL(t.Context(), "mortal").Val(); left <= 0 || left > time.Hour {
		t.Errorf("the mortal key lives for %s", left)
	}
	replica := l.start(l.spec("three"))
	l.must(replica.Follow(t.Context(), two))
	l.eventually("a replica has it too", func() bool { return l.client(replica, "", token).DBSize(t.Context()).Val() == 1001 })
	_, err = replica.Snapshot(t.Context(), "again") // in the place of the other
	l.must(err)

	l.must(two.Stop())
	spec = l.spec("four")
	spec.Snapshot = "again"
	if n := l.client(l.start(spec), "", token).DBSize(t.Context()).Val(); n != 1001 {
		t.Errorf("of the replica's snapshot %d keys came back, want 1001", n)
	}
	empty := l.spec("two")
	if n := l.client(l.start(empty), "", token).DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("a node that starts anew has %d keys", n)
	}
	l.must(l.engine.DeleteSnapshot("again"))
	l.must(l.engine.DeleteSnapshot("again"))
	if left, _ := filepath.Glob(filepath.Join(l.dir, ".*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestSnapshotsThatCannotBe(t *testing.T) {
	l := newLab(t)
	n := l.start(l.spec("one"))
	for _, id := range []string{"", "../x", "a/b", ".hidden", "Upper", strings.Repeat("a", 256)} {
		_, err := n.Snapshot(t.Context(), id)
		for _, err := range []error{err, l.engine.CopySnapshot(id, "a"), l.engine.CopySnapshot("a", id), l.engine.DeleteSnapshot(id)} {
			if !errors.Is(err, redis.ErrName) {
				t.Errorf("%q: got %v, want ErrName", id, err)
			}
		}
	}
	if err := l.engine.CopySnapshot("none", "a"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("copying what is not there: %v", err)
	}
	spec := l.spec("two")
	spec.Snapshot = "none"
	if _, err := l.engine.Start(t.Context(), spec); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("starting with what is not there: %v", err)
	}
	l.must(os.MkdirAll(filepath.Join(l.dir, ".snapshots"), 0o700))
	l.must(os.WriteFile(filepath.Join(l.dir, ".snapshots", "broken"), []byte("no data"), 0o600))
	spec.Snapshot = "broken"
	if _, err := l.engine.Start(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "the server ended") {
		t.Errorf("starting with a broken file: %v", err)
	}
	l.must(n.Stop())
	if _, err := n.Snapshot(t.Context(), "late"); err == nil {
		t.Error("a stopped node was saved")
	}
}
