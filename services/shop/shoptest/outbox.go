package shoptest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"storefront/services/shop"
)

// Answer is a shop.Publish that answers err for every summary.
func Answer(err error) shop.Publish {
	return func(_ context.Context, s []shop.Summary) []error { return slices.Repeat([]error{err}, len(s)) }
}

func outbox(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	orders := []shop.Order{SampleOrder("one", 1, "kettle"), SampleOrder("two", 100, "kettle"), SampleOrder("three", 1, "kettle")}
	for _, o := range orders {
		if _, err := l.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		MustApply(t, l, o, shop.Outcome{Status: stored(t, l, o.ID).Status, Reason: stored(t, l, o.ID).Reason, Duplicate: true})
	}
	broken := errors.New("the index is away")
	if n, err := l.Pending(t.Context(), 10, Answer(broken)); !errors.Is(err, broken) || n != (shop.Published{}) {
		t.Errorf("publish failed: got %+v, %v", n, err)
	}
	var got []shop.Summary
	publish := func(_ context.Context, s []shop.Summary) []error {
		got = append(got, s...)
		return make([]error, len(s))
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := l.Pending(t.Context(), 2, publish); err != nil || n != (shop.Published{Taken: want}) {
			t.Fatalf("got %+v, %v; want %d", n, err, want)
		}
	}
	if len(got) != len(orders) {
		t.Fatalf("got %d summaries, want %d", len(got), len(orders))
	}
	for i, s := range got {
		if want := shop.Summarize(stored(t, l, orders[i].ID), s.Version); !reflect.DeepEqual(s, want) {
			t.Errorf("got %+v\nwant %+v", s, want)
		}
		if s.Version < 1 || i > 0 && s.Version <= got[i-1].Version {
			t.Errorf("version %d of summary %d does not rise", s.Version, i)
		}
	}
}

// outboxShared empties the outbox, and then what is set aside, from within publish: what one caller holds, another does not get.
func outboxShared(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	for i := range 4 {
		MustApply(t, l, SampleOrder(fmt.Sprint(i), 1, "kettle"), shop.Outcome{Status: shop.Accepted})
	}
	for _, hand := range []func(context.Context, int, shop.Publish) (shop.Published, error){l.Pending, l.Retry} {
		seen := map[string]int{}
		refuse := func(ctx context.Context, s []shop.Summary) []error {
			for _, one := range s {
				seen[one.ID]++
			}
			return Answer(errRefused)(ctx, s)
		}
		_, err := hand(t.Context(), 2, func(ctx context.Context, s []shop.Summary) []error {
			if n, err := hand(ctx, 10, refuse); err != nil || n != (shop.Published{Refused: 2}) {
				t.Errorf("the second caller got %+v, %v; want the 2 that the first does not hold", n, err)
			}
			return refuse(ctx, s)
		})
		if err != nil || len(seen) != 4 {
			t.Errorf("got %v, %v; want four orders, each once", seen, err)
		}
	}
	wantRefused(t, l, 4)
}

// errRefused is an answer that is kept as a reason: longer than need be, and with what a database takes for no text.
var errRefused = shop.Invalidf("status", "is \x00, \xff and then %s", strings.Repeat("é", 5000))

// outboxRefused has a batch of which some are taken, some refused and some not answered for: each fares as if it were alone.
func outboxRefused(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	answers := map[string]error{}
	versions := map[string]int64{}
	order := func(key string, answer error) string {
		o := SampleOrder(key, 1, "kettle")
		MustApply(t, l, o, shop.Outcome{Status: shop.Accepted})
		answers[o.ID] = answer
		return o.ID
	}
	var handed []string
	publish := func(_ context.Context, s []shop.Summary) (errs []error) {
		for _, one := range s {
			handed, errs = append(handed, one.ID), append(errs, answers[one.ID])
			if v, known := versions[one.ID]; known && v != one.Version {
				t.Errorf("the version of %s is %d and was %d", one.ID, one.Version, v)
			}
			versions[one.ID] = one.Version
			if want := shop.Summarize(stored(t, l, one.ID), one.Version); !reflect.DeepEqual(one, want) {
				t.Errorf("got %+v\nwant %+v", one, want)
			}
		}
		return errs
	}
	want := func(what string, hand func(context.Context, int, shop.Publish) (shop.Published, error), n int, want shop.Published, wantErr error, ids ...string) {
		t.Helper()
		handed = nil
		if got, err := hand(t.Context(), n, publish); got != want || !errors.Is(err, wantErr) || !slices.Equal(handed, ids) {
			t.Fatalf("%s: got %+v, %v, and was handed %q; want %+v, %v, %q", what, got, err, handed, want, wantErr, ids)
		}
	}
	away := &shop.Error{Code: shop.Unavailable, Message: "a shard is away"}
	a, b, c, d, e := order("a", nil), order("b", errRefused), order("c", away), order("d", errRefused), order("e", nil)
	want("nothing is set aside", l.Retry, 10, shop.Published{}, nil)
	want("all of them", l.Pending, 10, shop.Published{Taken: 2, Refused: 2}, away, a, b, c, d, e)
	wantRefused(t, l, 2)
	want("what stayed", l.Pending, 10, shop.Published{}, away, c)
	answers[c] = nil
	want("what stayed", l.Pending, 10, shop.Published{Taken: 1}, nil, c)
	want("nothing is left", l.Pending, 10, shop.Published{}, nil)
	want("the one refused first", l.Retry, 1, shop.Published{Refused: 1}, nil, b)
	want("the next one", l.Retry, 1, shop.Published{Refused: 1}, nil, d)
	wantRefused(t, l, 2)
	answers[b], answers[d] = away, nil
	want("one is taken now", l.Retry, 10, shop.Published{Taken: 1}, away, b, d)
	wantRefused(t, l, 1)
	answers[b] = nil
	want("the last one", l.Retry, 10, shop.Published{Taken: 1}, nil, b)
	wantRefused(t, l, 0)
	want("nothing is set aside", l.Retry, 10, shop.Published{}, nil)
	want("nothing is left", l.Pending, 10, shop.Published{}, nil)
}

func wantRefused(t *testing.T, l Store, want int) {
	t.Helper()
	if n, err := l.Refused(t.Context()); err != nil || n != want {
		t.Errorf("%d summaries are refused, %v; want %d", n, err, want)
	}
}
