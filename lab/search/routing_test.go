package search

import "testing"

// TestRouting holds the hash against the values that Elasticsearch's own tests have.
func TestRouting(t *testing.T) {
	for text, want := range map[string]uint32{"hell": 0x5a0cb7c3, "hello": 0xd7c31989, "hello w": 0x22ab2984, "hello wo": 0xdf0ca123, "hello wor": 0xe7744d61,
		"The quick brown fox jumps over the lazy dog": 0xe07db09c, "The quick brown fox jumps over the lazy cog": 0x4e63d2ad} {
		if got := murmur3(units(text)); got != want {
			t.Errorf("hash of %q is %x, want %x", text, got, want)
		}
	}
	seen := map[int]bool{}
	for _, id := range []string{"1", "2", "3", "4", "5", "é", "\U0001f600", ""} {
		n := shardOf(id, 3)
		if n < 0 || n > 2 || n != shardOf(id, 3) {
			t.Errorf("%q goes to shard %d of 3", id, n)
		}
		seen[n] = true
	}
	if len(seen) != 3 {
		t.Errorf("eight IDs are on %d of 3 shards", len(seen))
	}
}
