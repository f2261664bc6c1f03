package policy

import (
	"errors"
	"strings"
	"testing"

	"storefront/internal/inventory"
)

func TestExceptions(t *testing.T) {
	resources := []*inventory.Resource{
		res(listener, "old", in{"protocol": "HTTP"}), res(listener, "older", in{"protocol": "HTTP"}), res(queue, "q", in{"kmsMasterKeyId": "@k"}),
	}
	for name, tt := range map[string]struct {
		exceptions []Exception
		want       Outcome
		unused     string
	}{
		"all":               {[]Exception{{1, []string{"old*"}, "kept"}}, Excepted, ""},
		"each":              {[]Exception{{1, []string{"old"}, "kept"}, {1, []string{"older"}, "kept too"}}, Excepted, ""},
		"one of two":        {[]Exception{{1, []string{"old"}, "kept"}}, Failed, ""},
		"nothing there":     {[]Exception{{1, []string{"old*", "gone"}, "kept"}}, Excepted, `row 1: "gone"`},
		"a row that is met": {[]Exception{{44, []string{"q"}, "no"}}, Failed, `row 44: "q"`},
		"not applicable":    {[]Exception{{62, []string{"*"}, "no"}}, Failed, `row 62: "*"`},
	} {
		results, err := Evaluate(inventory.NewStack(resources), tt.exceptions)
		if (err != nil) != (tt.unused != "") || err != nil && (!errors.Is(err, ErrException) || !strings.Contains(err.Error(), tt.unused)) {
			t.Errorf("%s: %v, want %q", name, err, tt.unused)
		}
		if results[0].Outcome != tt.want {
			t.Errorf("%s: %s, want %s", name, results[0].Outcome, tt.want)
		}
		if tt.want == Excepted && (len(results[0].Problems) == 0 || len(results[0].Reasons) == 0) {
			t.Errorf("%s: %+v: what is excepted, and why, is not said", name, results[0])
		}
	}
}

func TestExceptionsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":     "prod: [{row: 1, resources: [a]}]",
		"no resources":  "prod: [{row: 1, reason: x}]",
		"no row":        "prod: [{row: 66, resources: [a], reason: x}]",
		"bad pattern":   "prod: [{row: 1, resources: ['['], reason: x}]",
		"twice":         "prod: [{row: 1, resources: [a], reason: x}, {row: 1, resources: [a], reason: y}]",
		"unknown field": "prod: [{row: 1, resource: a, reason: x}]",
		"no YAML":       "prod: [",
	} {
		if _, err := parseExceptions([]byte(text)); !errors.Is(err, ErrException) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommittedExceptions(t *testing.T) {
	for _, profile := range []string{"prod", "dev"} {
		list, err := Exceptions(profile)
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %d exceptions, %v", profile, len(list), err)
		}
	}
	prod, _ := Exceptions("prod")
	rows := map[int]bool{}
	for _, e := range prod {
		rows[e.Row] = true
	}
	if len(rows) > 5 {
		t.Errorf("prod has exceptions of %d rows, at most 5 are wanted", len(rows))
	}
	if _, err := Exceptions("lab"); !errors.Is(err, ErrException) {
		t.Errorf("a profile without exceptions: %v", err)
	}
}
