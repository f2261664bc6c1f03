package search

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"
)

// route returns the shard of a document: by the hash of its routing, which is its ID unless it was given one.
func (x *openIndex) route(id, routing string) *group {
	if routing == "" {
		routing = id
	}
	return x.groups[shardOf(routing, len(x.groups))]
}

// routed returns the shards that documents of some routings are on: all, when there are none.
func (x *openIndex) routed(routings []string) []*group {
	if len(routings) == 0 {
		return x.groups
	}
	var out []*group
	for _, g := range x.groups {
		if slices.ContainsFunc(routings, func(r string) bool { return x.route("", r) == g }) {
			out = append(out, g)
		}
	}
	return out
}

// shardOf is where Elasticsearch puts a routing: murmur3 of its UTF-16 code units, low byte first, modulo the number of routing shards,
// of which each shard has two, or by doubling as many as fit into 1024.
func shardOf(routing string, shards int) int {
	factor := 2
	for shards*factor*2 <= 1024 {
		factor *= 2
	}
	if shards == 1 {
		return 0
	}
	hash := int(int32(murmur3(units(routing))))
	n := shards * factor
	return (hash%n + n) % n / factor
}

// units are the UTF-16 code units of a text as bytes.
func units(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// murmur3 is MurmurHash3's variant x86_32 with seed 0. The library of that name reads memory beyond what the race detector allows.
func murmur3(b []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	mix := func(k uint32) uint32 { return bits.RotateLeft32(k*c1, 15) * c2 }
	h, length := uint32(0), uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h^mix(binary.LittleEndian.Uint32(b)), 13)*5 + 0xe6546b64
	}
	if len(b) > 0 {
		var tail [4]byte
		copy(tail[:], b)
		h ^= mix(binary.LittleEndian.Uint32(tail[:]))
	}
	h ^= length
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
