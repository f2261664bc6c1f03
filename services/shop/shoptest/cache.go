package shoptest

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storefront/services/shop"
)

// Cache runs the contract of shop.Cache against caches that open returns, each empty and its own.
func Cache(t *testing.T, open func(*testing.T) shop.Cache) {
	t.Run("SetAndGet", func(t *testing.T) { setAndGet(t, open(t)) })
	t.Run("Expiry", func(t *testing.T) { expiry(t, open(t)) })
	t.Run("SetNX", func(t *testing.T) { setNX(t, open(t)) })
	t.Run("SetNXAtOnce", func(t *testing.T) { setNXAtOnce(t, open(t)) })
	t.Run("Delete", func(t *testing.T) { deleteKey(t, open(t)) })
}

const long = time.Minute

func setAndGet(t *testing.T, c shop.Cache) {
	wantValue(t, c, "absent", nil)
	for _, value := range [][]byte{[]byte("one"), []byte("two"), {0, 0xff, '\r', '\n'}, bytes.Repeat([]byte("x"), 1<<20)} {
		if err := c.Set(t.Context(), "k", value, long); err != nil {
			t.Fatal(err)
		}
		wantValue(t, c, "k", value)
	}
	wantValue(t, c, "K", nil)
}

func expiry(t *testing.T, c shop.Cache) {
	if err := c.Set(t.Context(), "short", []byte("v"), 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "the value expires", func() bool { return value(t, c, "short") == nil })
	if ok, err := c.SetNX(t.Context(), "short", []byte("w"), 20*time.Millisecond); err != nil || !ok {
		t.Fatalf("SetNX of an expired key: %v, %v", ok, err)
	}
	Eventually(t, "what SetNX stored expires", func() bool { return value(t, c, "short") == nil })
	// A longer time replaces a shorter one.
	for _, ttl := range []time.Duration{time.Millisecond, long} {
		if err := c.Set(t.Context(), "longer", []byte("v"), ttl); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Set(t.Context(), "mark", []byte("v"), 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "20 ms go by", func() bool { return value(t, c, "mark") == nil })
	wantValue(t, c, "longer", []byte("v"))
}

func setNX(t *testing.T, c shop.Cache) {
	for i, want := range []bool{true, false} {
		if ok, err := c.SetNX(t.Context(), "k", []byte{byte(i)}, long); err != nil || ok != want {
			t.Fatalf("call %d: %v, %v; want %v", i, ok, err, want)
		}
	}
	wantValue(t, c, "k", []byte{0})
}

func setNXAtOnce(t *testing.T, c shop.Cache) {
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			ok, err := c.SetNX(t.Context(), "lease", []byte("x"), long)
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d callers were told that they stored the value, want 1", won.Load())
	}
}

func deleteKey(t *testing.T, c shop.Cache) {
	if err := c.Set(t.Context(), "k", []byte("v"), long); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		wantValue(t, c, "k", nil)
	}
	if ok, err := c.SetNX(t.Context(), "k", []byte("w"), long); err != nil || !ok {
		t.Errorf("SetNX after Delete: %v, %v", ok, err)
	}
}

func value(t *testing.T, c shop.Cache, key string) []byte {
	t.Helper()
	v, found, err := c.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return nil
	}
	return v
}

func wantValue(t *testing.T, c shop.Cache, key string, want []byte) {
	t.Helper()
	if got := value(t, c, key); !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("%s holds %.20q, want %.20q", key, got, want)
	}
}

// Eventually polls until done, and ends the test when that takes more than ten seconds.
func Eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s until %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
