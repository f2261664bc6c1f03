package rds

import (
	"slices"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// page cuts a list, which is in the order of its keys, to one answer's worth.
func page[T any](items []T, key func(T) string, marker *string, maxRecords *int64) ([]T, *string, error) {
	limit := wire.Or(maxRecords, 100)
	if limit < 20 || limit > 100 {
		return nil, nil, invalidValue("Invalid value %d for MaxRecords. Must be between 20 and 100", limit)
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

// filter keeps the items that every filter of the request selects. fields names the known filters.
func filter[T any](items []T, filters []api.Filter, fields map[string]func(T) []string) ([]T, error) {
	for _, f := range filters {
		field, known := fields[wire.Value(f.Name)]
		if !known {
			return nil, invalidValue("Unrecognized filter name: %s", wire.Value(f.Name))
		}
		if len(f.Values) == 0 {
			return nil, invalidCombination("Filter %s has no values", wire.Value(f.Name))
		}
		items = slices.DeleteFunc(items, func(item T) bool {
			return !slices.ContainsFunc(field(item), func(v string) bool { return slices.Contains(f.Values, v) })
		})
	}
	return items, nil
}

func one[T any](f func(T) string) func(T) []string {
	return func(v T) []string { return []string{f(v)} }
}
