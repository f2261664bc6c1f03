package naming_test

import (
	"regexp"
	"strings"
	"testing"

	"storefront/components/internal/naming"
)

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int
		want  string
	}{
		{"storefront", 24, "storefront"},
		{strings.Repeat("a", 24), 24, strings.Repeat("a", 24)},
		{"storefront-product-servers", 24, "storefront-produc-7e53be"},
		{"storefront-product-servant", 24, "storefront-produc-4cf7c2"},
		{"abcdefghij------------------", 18, "abcdefghij-c0c67e"},
	} {
		if got := naming.Short(tt.name, tt.limit); got != tt.want {
			t.Errorf("Short(%q, %d) = %q, want %q", tt.name, tt.limit, got, tt.want)
		}
	}
}

func TestLogicalLeavesRoomForTheSuffix(t *testing.T) {
	if got := naming.Logical(naming.LoadBalancerLimit, "storefront", "summary-servers-of-the-shop"); len(got)+8 > 32 {
		t.Errorf("Logical = %q: %d characters, 24 are allowed", got, len(got))
	}
	if got, want := naming.Logical(naming.LoadBalancerLimit, "storefront", "product"), "storefront-product"; got != want {
		t.Errorf("Logical = %q, want %q", got, want)
	}
}

func TestIdentifier(t *testing.T) {
	for in, want := range map[string]string{
		"storefront-lab":   "storefront-lab",
		"Storefront_Lab":   "storefront-lab",
		"3rd--try-":        "rd-try",
		"___":              "x",
		"ünïcode database": "n-code-database",
	} {
		if got := naming.Identifier(in); got != want {
			t.Errorf("Identifier(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzShort(f *testing.F) {
	f.Add("storefront-product-servers", 24)
	f.Fuzz(func(t *testing.T, name string, limit int) {
		if limit < 8 || limit > 255 {
			t.Skip()
		}
		got := naming.Short(name, limit)
		if len(got) > limit {
			t.Errorf("Short(%q, %d) = %q: too long", name, limit, got)
		}
		if got != naming.Short(name, limit) {
			t.Error("two calls, two names")
		}
		if len(name) <= limit && got != name {
			t.Errorf("Short(%q, %d) = %q, want it unchanged", name, limit, got)
		}
	})
}

func FuzzIdentifier(f *testing.F) {
	valid := regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)
	f.Add("storefront")
	f.Fuzz(func(t *testing.T, name string) {
		if got := naming.Identifier(name); !valid.MatchString(got) || len(got) > naming.ClusterLimit {
			t.Errorf("Identifier(%q) = %q", name, got)
		}
	})
}
