package shoptest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"storefront/services/shop"
)

// QueueStore is a queue with its outlet.
type QueueStore interface {
	shop.Queue
	shop.Inbox
}

// MaxReceive is the number of receipts after which the queues of the suite must move a message to their dead letters.
const MaxReceive = 2

// Queue runs the contract of shop.Queue and shop.Inbox against queues that open returns, each empty, its own, and giving a message up after
// MaxReceive receipts.
func Queue(t *testing.T, open func(*testing.T) QueueStore) {
	for name, test := range map[string]func(*testing.T, QueueStore){
		"SendAndDelete": sendAndDelete, "Waits": waits, "Visibility": visibility, "Extend": extend, "Release": release, "GivesUp": givesUp, "Batch": batch, "DeleteBatch": deleteBatch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func sendAndDelete(t *testing.T, q QueueStore) {
	body := "{\"name\":\"Großer Kessel ☕ \\\"x\\\" <&>\"}\n"
	send(t, q, body)
	m := receive(t, q, 5*time.Second, 30*time.Second)
	if string(m.Body) != body || m.Received != 1 || m.ID == "" || m.Receipt == "" {
		t.Errorf("got %+v with body %q", m, m.Body)
	}
	for range 2 {
		if errs := q.Delete(t.Context(), []shop.Receipt{m.Receipt}); len(errs) != 1 || errs[0] != nil {
			t.Errorf("got %v, want the message gone", errs)
		}
	}
	nothing(t, q, 0)
}

func waits(t *testing.T, q QueueStore) {
	began := time.Now()
	nothing(t, q, time.Second)
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("an empty queue answered after %s, want to be kept waiting for a second", took)
	}
	got := make(chan error, 1)
	go func() {
		m, err := q.Receive(t.Context(), 1, 20*time.Second, 30*time.Second)
		if err == nil && len(m) != 1 {
			err = fmt.Errorf("received %d messages, want the one sent meanwhile", len(m))
		}
		got <- err
	}()
	send(t, q, "late")
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func visibility(t *testing.T, q QueueStore) {
	send(t, q, "x")
	first := receive(t, q, 5*time.Second, 2*time.Second)
	nothing(t, q, 0)
	second := receive(t, q, 10*time.Second, 30*time.Second)
	if second.ID != first.ID || second.Received != 2 || second.Receipt == first.Receipt {
		t.Errorf("received %+v and then %+v, want the same message with another receipt", first, second)
	}
}

func extend(t *testing.T, q QueueStore) {
	send(t, q, "x")
	m := receive(t, q, 5*time.Second, 2*time.Second)
	if err := q.Extend(t.Context(), m.Receipt, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	nothing(t, q, 3*time.Second)
}

func release(t *testing.T, q QueueStore) {
	send(t, q, "x")
	m := receive(t, q, 5*time.Second, 30*time.Second)
	if err := q.Release(t.Context(), m.Receipt); err != nil {
		t.Fatal(err)
	}
	if again := receive(t, q, 5*time.Second, 30*time.Second); again.ID != m.ID || again.Received != 2 {
		t.Errorf("got %+v, want message %s again", again, m.ID)
	}
}

func givesUp(t *testing.T, q QueueStore) {
	send(t, q, "x")
	for i := range MaxReceive {
		m := receive(t, q, 5*time.Second, 30*time.Second)
		if m.Received != i+1 {
			t.Errorf("receipt %d is counted %d", i+1, m.Received)
		}
		if err := q.Release(t.Context(), m.Receipt); err != nil {
			t.Fatal(err)
		}
	}
	nothing(t, q, time.Second)
}

func batch(t *testing.T, q QueueStore) {
	const n = 12
	for i := range n {
		send(t, q, fmt.Sprint(i))
	}
	var got []string
	for deadline := time.Now().Add(20 * time.Second); len(got) < n && time.Now().Before(deadline); {
		messages, err := q.Receive(t.Context(), 10, time.Second, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) > 10 {
			t.Fatalf("received %d messages at once, more than the limit of 10", len(messages))
		}
		for _, m := range messages {
			got = append(got, string(m.Body))
		}
	}
	slices.Sort(got)
	if unique := slices.Compact(slices.Clone(got)); len(got) != n || len(unique) != n {
		t.Errorf("got %v, want %d messages, each once", got, n)
	}
}

func deleteBatch(t *testing.T, q QueueStore) {
	for i := range 3 {
		send(t, q, fmt.Sprint(i))
	}
	var receipts []shop.Receipt
	for deadline := time.Now().Add(20 * time.Second); len(receipts) < 3 && time.Now().Before(deadline); {
		messages, err := q.Receive(t.Context(), 10, time.Second, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			receipts = append(receipts, m.Receipt)
		}
	}
	if len(receipts) != 3 {
		t.Fatalf("got %v, want three receipts", receipts)
	}
	for range 2 { // the second time one of them is left, and the other one is gone
		if errs := q.Delete(t.Context(), receipts[:2]); len(errs) != 2 || errs[0] != nil || errs[1] != nil {
			t.Errorf("got %v, want both messages gone", errs)
		}
		receipts = receipts[1:]
	}
	nothing(t, q, 3*time.Second)
}

func send(t *testing.T, q shop.Queue, body string) {
	t.Helper()
	if err := q.Send(t.Context(), []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// receive returns the one message of q.
func receive(t *testing.T, q shop.Inbox, wait, visibility time.Duration) shop.Message {
	t.Helper()
	m, err := q.Receive(t.Context(), 10, wait, visibility)
	if err != nil || len(m) != 1 {
		t.Fatalf("received %d messages, %v; want one", len(m), err)
	}
	return m[0]
}

func nothing(t *testing.T, q shop.Inbox, wait time.Duration) {
	t.Helper()
	if m, err := q.Receive(t.Context(), 10, wait, 30*time.Second); err != nil || len(m) != 0 {
		t.Errorf("received %d messages, %v; want none", len(m), err)
	}
}
