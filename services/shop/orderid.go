package shop

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sizes of the parts of an order's ID in bytes: a digest of what was ordered under which key, and the seal over it.
const (
	digestSize = 16
	sealSize   = 8
)

// MinSealKey is the least size of the key of a Seal in bytes.
const MinSealKey = 32

// ErrSealKey says that the key of a Seal is shorter than MinSealKey.
var ErrSealKey = errors.New("the key that seals the IDs of orders is too short")

// idEncoding writes IDs in lower case, as they are part of URLs.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Seal makes the IDs of orders and recognises them. An ID is a function of the idempotency key and what was ordered, so a repeated request has
// the ID of the first with no store asked; and it carries a message authentication code, so that an ID which nobody gave out is known as such
// before the order has reached the ledger. Every instance of the shop must have the same key.
type Seal struct{ key []byte }

// NewSeal returns the seal with the given secret key, or ErrSealKey.
func NewSeal(key []byte) (Seal, error) {
	if len(key) < MinSealKey {
		return Seal{}, fmt.Errorf("%w: it has %d bytes, want at least %d", ErrSealKey, len(key), MinSealKey)
	}
	return Seal{key: bytes.Clone(key)}, nil
}

// ID returns the ID of the order for valid lines under a valid idempotency key: 39 lower-case letters and digits. The order of the lines does
// not matter.
func (s Seal) ID(key string, lines []Line) string {
	sorted := slices.SortedFunc(slices.Values(lines), func(a, b Line) int { return strings.Compare(a.ProductID, b.ProductID) })
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", key) // neither a key nor a product's ID can hold a space or a line feed, so no two orders read the same
	for _, l := range sorted {
		fmt.Fprintf(h, "%s %d\n", l.ProductID, l.Quantity)
	}
	digest := h.Sum(nil)[:digestSize]
	return idEncoding.EncodeToString(append(digest, s.mac(digest)...))
}

// Made reports whether id was made by this seal.
func (s Seal) Made(id string) bool {
	raw, ok := decodeID(id)
	return ok && hmac.Equal(raw[digestSize:], s.mac(raw[:digestSize]))
}

func (s Seal) mac(digest []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(digest)
	return h.Sum(nil)[:sealSize]
}

func wellFormedID(id string) bool {
	_, ok := decodeID(id)
	return ok
}

// decodeID returns the bytes of id. The last character has spare bits: only the spelling that encodes back to itself counts.
func decodeID(id string) ([]byte, bool) {
	if len(id) != idEncoding.EncodedLen(digestSize+sealSize) {
		return nil, false
	}
	raw, err := idEncoding.DecodeString(id)
	return raw, err == nil && idEncoding.EncodeToString(raw) == id
}

// KeyHash is the form in which idempotency keys are stored: customers choose them, so they are neither shown nor trusted in size and alphabet.
func KeyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
