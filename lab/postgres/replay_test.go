package postgres_test

import (
	"errors"
	"testing"

	"storefront/lab/postgres"
)

// A reader that is kept from replaying goes on answering, and follows again afterwards. A promotion ends the pause and loses nothing.
func TestPausedReaders(t *testing.T) {
	l := newLab(t)
	writer := l.create(l.spec(0))
	if err := l.cluster().PauseReaders(t.Context()); !errors.Is(err, postgres.ErrNotReader) {
		t.Errorf("without a reader: %v, want ErrNotReader", err)
	}
	reader := l.start(l.spec(1))
	w := l.connect(0)
	l.exec(w, "create table t (id int)")
	l.eventually("the reader follows", func() bool { return tables(t, l) == 1 })
	if err := l.cluster().PauseReaders(t.Context()); err != nil || !l.cluster().ReplayPaused() {
		t.Fatalf("pausing: %v", err)
	}
	l.exec(w, "create table u (id int)")
	l.eventually("the reader has received what it does not replay", func() bool {
		s, err := reader.Check(t.Context())
		return err == nil && s.Streaming && s.Lag > 0
	})
	if n := tables(t, l); n != 1 {
		t.Errorf("a paused reader shows %d tables, want 1", n)
	}
	if err := l.cluster().ResumeReaders(t.Context()); err != nil || l.cluster().ReplayPaused() {
		t.Fatalf("resuming: %v", err)
	}
	l.eventually("the reader follows again", func() bool { return tables(t, l) == 2 })

	if err := l.cluster().PauseReaders(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.exec(w, "create table v (id int)")
	client := l.connect(1)
	if err := l.cluster().Promote(t.Context(), reader.ID()); err != nil {
		t.Fatal(err)
	}
	if n := tables(t, l); n != 3 || l.cluster().ReplayPaused() {
		t.Errorf("after the promotion of a paused reader: %d tables, want 3; paused: %t", n, l.cluster().ReplayPaused())
	}
	if client.Ping(t.Context()) == nil {
		t.Error("who was connected to the reader is connected to the writer now, as if it still were one")
	}
	<-writer.Done()
}

// tables counts the tables that the second node shows.
func tables(t *testing.T, l *lab) (n int) {
	t.Helper()
	if err := l.connect(1).QueryRow(t.Context(), "select count(*) from pg_tables where schemaname = 'public'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
