package state

import "iter"

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
