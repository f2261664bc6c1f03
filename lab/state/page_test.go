package state_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"storefront/lab/state"
)

// Pages of a list that shrinks between them leave nothing out and show nothing twice.
func TestCut(t *testing.T) {
	var list []string
	for i := range 10 {
		list = append(list, fmt.Sprintf("item-%02d", i))
	}
	self := func(s string) string { return s }
	first, next, ok := state.Cut(list, self, "", 4)
	if !ok || next == nil || !slices.Equal(first, list[:4]) {
		t.Fatalf("first page: %v, %v", first, ok)
	}
	shrunk := slices.Delete(slices.Clone(list), 2, 5) // what the marker names is gone
	second, next, ok := state.Cut(shrunk, self, *next, 4)
	if !ok || next == nil || !slices.Equal(second, list[5:9]) {
		t.Fatalf("second page: %v, %v", second, ok)
	}
	if third, next, ok := state.Cut(shrunk, self, *next, 4); !ok || next != nil || !slices.Equal(third, list[9:]) {
		t.Errorf("last page: %v, %v", third, ok)
	}
	if _, _, ok := state.Cut(list, self, "not base64!", 4); ok {
		t.Error("a marker of nobody's is taken")
	}
	if all, next, ok := state.Cut(list, self, "", 10); !ok || next != nil || len(all) != 10 {
		t.Errorf("a page of everything: %v, %v", all, ok)
	}
}

func TestPage(t *testing.T) {
	values := map[string]int{"a": 1, "b": 2, "c": 3}
	sorted := func(yield func(string, int) bool) {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			if !yield(k, values[k]) {
				return
			}
		}
	}
	first, next := state.Page(sorted, "", 2)
	if !slices.Equal(first, []int{1, 2}) || next == nil || *next != "b" {
		t.Fatalf("first page: %v, next %v", first, next)
	}
	if second, next := state.Page(sorted, *next, 2); !slices.Equal(second, []int{3}) || next != nil {
		t.Errorf("second page: %v, next %v", second, next)
	}
	odd := state.Where(sorted, func(v int) bool { return v%2 == 1 })
	if all, next := state.Page(odd, "", 0); !slices.Equal(all, []int{1, 3}) || next != nil {
		t.Errorf("without a limit: %v, next %v", all, next)
	}
}
