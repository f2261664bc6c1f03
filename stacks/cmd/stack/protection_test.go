package main

import (
	"slices"
	"testing"
)

func TestProtected(t *testing.T) {
	resource := func(name, outputs string) string {
		return `{"urn":"urn:pulumi:prod::storefront::aws:x/y:Y::` + name + `","custom":true,"type":"aws:x/y:Y","outputs":` + outputs + `}`
	}
	for export, want := range map[string][]string{
		`{"version":3,"deployment":{}}`: nil,
		`{"version":3,"deployment":{"resources":[` + resource("b", `{"deletionProtection":true}`) + `,` + resource("a", `{"enableDeletionProtection":true}`) + `,` +
			resource("c", `{"deletionProtection":false}`) + `,` + resource("d", `{}`) + `]}}`: {"a", "b"},
	} {
		if got, err := protected([]byte(export)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", export, got, err, want)
		}
	}
	if _, err := protected([]byte("broken")); err == nil {
		t.Error("a state that is no JSON was taken")
	}
}
