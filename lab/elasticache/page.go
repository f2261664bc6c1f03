package elasticache

import (
	"encoding/base64"
	"slices"
	"strings"

	"storefront/lab/wire"
)

// page cuts a list, which is in the order of its keys, to one answer's worth. The marker is the key that the next page starts after.
func page[T any](items []T, key func(T) string, marker *string, maxRecords *int64) ([]T, *string, error) {
	limit := wire.Or(maxRecords, 100)
	if limit < 1 || limit > 100 {
		return nil, nil, invalidValue("Invalid value %d for MaxRecords. Must be between 1 and 100", limit)
	}
	if marker != nil {
		after, err := base64.StdEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, invalidValue("Invalid marker: %s", *marker)
		}
		start, _ := slices.BinarySearchFunc(items, string(after)+"\x00", func(item T, target string) int { return strings.Compare(key(item), target) })
		items = items[start:]
	}
	if int64(len(items)) <= limit {
		return items, nil, nil
	}
	items = items[:limit]
	return items, new(base64.StdEncoding.EncodeToString([]byte(key(items[limit-1])))), nil
}
