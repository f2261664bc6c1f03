package tags_test

import (
	"maps"
	"testing"

	"storefront/components/internal/tags"
)

func TestWithCopies(t *testing.T) {
	shared := map[string]string{"Project": "storefront"}
	got := tags.With(shared, "product")
	if want := map[string]string{"Project": "storefront", "Name": "product"}; !maps.Equal(got, want) {
		t.Errorf("With = %v, want %v", got, want)
	}
	if len(shared) != 1 {
		t.Errorf("With changed its argument: %v", shared)
	}
	if got := tags.With(nil, "product"); !maps.Equal(got, map[string]string{"Name": "product"}) {
		t.Errorf("With(nil) = %v", got)
	}
}
