package elasticache

import (
	"iter"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// oneOrAll lists what a table holds, or the one thing that a request names.
func oneOrAll[T any](tx *state.Tx, name *string, find func(*state.Tx, string) (T, error), all iter.Seq2[string, T]) (list []T, err error) {
	if name != nil {
		v, err := find(tx, *name)
		return []T{v}, err
	}
	for _, v := range all {
		list = append(list, v)
	}
	return list, nil
}

// page cuts a list, which is in the order of its keys, to one answer's worth.
func page[T any](items []T, key func(T) string, marker *string, maxRecords *int64) ([]T, *string, error) {
	limit := wire.Or(maxRecords, 100)
	if limit < 1 || limit > 100 {
		return nil, nil, invalidValue("Invalid value %d for MaxRecords. Must be between 1 and 100", limit)
	}
	cut, next, ok := state.Cut(items, key, wire.Value(marker), limit)
	if !ok {
		return nil, nil, invalidValue("Invalid marker: %s", *marker)
	}
	return cut, next, nil
}

// checkPage refuses what page refuses, for lists that are empty.
func checkPage(marker *string, maxRecords *int64) error {
	_, _, err := page([]string{}, func(s string) string { return s }, marker, maxRecords)
	return err
}
