package shop_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/shoptest"
)

func newSeal(t *testing.T, letter string) shop.Seal {
	t.Helper()
	s, err := shop.NewSeal([]byte(strings.Repeat(letter, shop.MinSealKey)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeal(t *testing.T) {
	s := newSeal(t, "a")
	lines := []shop.Line{{ProductID: "kettle", Quantity: 1}, {ProductID: "mill", Quantity: 23}}
	id := s.ID("key", lines)
	if !s.Made(id) || len(id) != 39 {
		t.Errorf("made %q and does not know it", id)
	}
	if swapped := s.ID("key", []shop.Line{lines[1], lines[0]}); swapped != id {
		t.Errorf("lines in another order are another order: %q and %q", swapped, id)
	}
	for name, other := range map[string]string{
		"another key":      s.ID("key2", lines),
		"another quantity": s.ID("key", []shop.Line{lines[0], {ProductID: "mill", Quantity: 2}}),
		"another product":  s.ID("key", []shop.Line{lines[0], {ProductID: "mill2", Quantity: 3}}),
		"fewer lines":      s.ID("key", lines[:1]),
		"another seal":     newSeal(t, "b").ID("key", lines),
	} {
		if other == id {
			t.Errorf("%s: the same ID", name)
		}
	}
	if newSeal(t, "b").Made(id) {
		t.Error("another seal knows the ID")
	}
	if _, err := shop.NewSeal([]byte("short")); !errors.Is(err, shop.ErrSealKey) {
		t.Errorf("a short key: got %v, want ErrSealKey", err)
	}
}

// TestSealKnowsOnlyItsOwn changes each character of an ID to each other one: the last has spare bits, which must not give an ID a second spelling.
func TestSealKnowsOnlyItsOwn(t *testing.T) {
	s := newSeal(t, "a")
	id := s.ID("key", []shop.Line{{ProductID: "kettle", Quantity: 1}})
	for i := range id {
		for _, c := range []byte("abcdefghijklmnopqrstuvwxyz234567A=\n") {
			forged := id[:i] + string(c) + id[i+1:]
			if forged != id && s.Made(forged) {
				t.Errorf("%q passes for %q", forged, id)
			}
		}
	}
}

func TestMessage(t *testing.T) {
	want := shoptest.SampleOrder("key", 3, "kettle", "mill")
	body, err := shop.EncodeOrder(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := shop.DecodeOrder(body); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := shop.DecodeOrder(bytes.Replace(body, []byte("{"), []byte(`{"added":1,`), 1)); err != nil || got.ID != want.ID {
		t.Errorf("a field of a newer version: got %+v, %v", got, err)
	}
	edit := func(old, new string) string { return strings.Replace(string(body), old, new, 1) }
	for name, poison := range map[string]string{
		"nothing":          "",
		"no JSON":          "{",
		"another type":     "[]",
		"two orders":       string(body) + string(body),
		"broken UTF-8":     edit("Name of", "\xff"),
		"no ID":            edit(want.ID, ""),
		"forged spelling":  edit(want.ID, strings.ToUpper(want.ID)),
		"no key":           edit(`"key":"key"`, `"key":""`),
		"no items":         `{"id":"` + want.ID + `","key":"key","items":[],"placed_at":"2026-01-01T00:00:00Z"}`,
		"zero pieces":      edit(`"quantity":3`, `"quantity":0`),
		"half a piece":     edit(`"quantity":3`, `"quantity":0.5`),
		"a negative price": edit(`"price_cents":1250`, `"price_cents":-1`),
		"two currencies":   edit("EUR", "USD"),
		"no name":          edit("Name of kettle", ""),
		"no time":          edit(want.PlacedAt.Format("2006-01-02T15:04:05.999Z07:00"), "0001-01-01T00:00:00Z"),
	} {
		if _, err := shop.DecodeOrder([]byte(poison)); !errors.Is(err, shop.ErrPoison) {
			t.Errorf("%s: got %v, want poison", name, err)
		}
	}
}

// FuzzDecodeOrder checks that whatever passes for an order obeys its rules and comes back as it was when it is sent again.
func FuzzDecodeOrder(f *testing.F) {
	body, err := shop.EncodeOrder(shoptest.SampleOrder("key", 3, "kettle"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"id":"x","key":"k","items":[{}],"placed_at":"2026-01-01T00:00:00+25:00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := shop.DecodeOrder(body)
		if err != nil {
			if !errors.Is(err, shop.ErrPoison) {
				t.Fatalf("got %v, want poison", err)
			}
			return
		}
		if err := o.Validate(); err != nil {
			t.Fatalf("an order that is none: %v", err)
		}
		again, err := shop.EncodeOrder(o)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := shop.DecodeOrder(again); err != nil || !reflect.DeepEqual(back, o) {
			t.Errorf("got %+v, %v\nwant %+v", back, err, o)
		}
		if o.PlacedAt != o.PlacedAt.Truncate(time.Millisecond) || o.TotalCents() < 0 {
			t.Errorf("placed at %v for %d cents", o.PlacedAt, o.TotalCents())
		}
	})
}
