package state

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"
)

// Page takes up to limit values from a sequence in key order, beginning after the key `after`. next is the key to pass as `after` for the page
// that follows, or nil on the last page. A limit of 0 or less means everything.
func Page[T any](all iter.Seq2[string, T], after string, limit int64) (items []T, next *string) {
	last := ""
	for key, v := range all {
		if key <= after && after != "" {
			continue
		}
		if limit > 0 && int64(len(items)) == limit {
			return items, &last
		}
		items, last = append(items, v), key
	}
	return items, nil
}

// Cut is Page for a list that is in the order of its keys, as long as limit is 1 or more. The marker is opaque to clients, who get it as next; the empty
// one is that of the first page. ok is false when it is none that Cut made.
func Cut[T any](list []T, key func(T) string, marker string, limit int64) (items []T, next *string, ok bool) {
	after, err := base64.StdEncoding.DecodeString(marker)
	if err != nil {
		return nil, nil, false
	}
	if marker != "" {
		start, _ := slices.BinarySearchFunc(list, string(after)+"\x00", func(item T, target string) int { return strings.Compare(key(item), target) })
		list = list[start:]
	}
	if int64(len(list)) <= limit {
		return list, nil, true
	}
	list = list[:limit]
	return list, new(base64.StdEncoding.EncodeToString([]byte(key(list[limit-1])))), true
}

// Where keeps the values of a sequence that want accepts, such as those that a request's filters let through, before Page counts them.
func Where[T any](all iter.Seq2[string, T], want func(T) bool) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for key, v := range all {
			if want(v) && !yield(key, v) {
				return
			}
		}
	}
}
