package ec2

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

type filters = []api.Filter

// matcher makes one condition of filters: every filter must match, and each matches with any of its values.
func (k kind[T]) matcher(tx *state.Tx, filters filters) (func(T) bool, error) {
	var all []func(T) bool
	for _, f := range filters {
		name := wire.Value(f.Name)
		values, ok := k.filters[name]
		if !ok && k.tagType != "" {
			values, ok = tagFilter[T](tx, name)
		}
		if !ok {
			return nil, fault("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		if len(f.Values) == 0 {
			return nil, fault("InvalidParameterValue", "The filter '%s' has no value", name)
		}
		all = append(all, func(v T) bool { return anyMatch(f.Values, values(v)) })
	}
	return func(v T) bool {
		for _, match := range all {
			if !match(v) {
				return false
			}
		}
		return true
	}, nil
}

// tagFilter knows tag:<key>, tag-key and tag-value.
func tagFilter[T record](tx *state.Tx, name string) (func(T) []string, bool) {
	pick := func(keep func(key, value string) (string, bool)) func(T) []string {
		return func(v T) []string {
			var out []string
			for key, value := range tagsOf(tx, v.id()) {
				if s, ok := keep(key, value); ok {
					out = append(out, s)
				}
			}
			return out
		}
	}
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		return pick(func(k, v string) (string, bool) { return v, k == key }), true
	}
	switch name {
	case "tag-key":
		return pick(func(k, _ string) (string, bool) { return k, true }), true
	case "tag-value":
		return pick(func(_, v string) (string, bool) { return v, true }), true
	}
	return nil, false
}

func anyMatch(patterns, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(p, v) })
	})
}

// wildcard matches EC2's filter values: * is any text, ? any character, \ quotes them.
func wildcard(pattern, value string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == value
	}
	// path.Match stops * at a slash and knows classes; neither exists here.
	swap := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(strings.NewReplacer("[", `\[`, "/", "\x00").Replace(pattern), swap.Replace(value))
	return ok && err == nil
}

// one, flag and number make the values of a filter.
func one[T any](f func(T) string) func(T) []string {
	return func(v T) []string { return []string{f(v)} }
}

func flag[T any](f func(T) bool) func(T) []string {
	return func(v T) []string {
		if f(v) {
			return []string{"true"}
		}
		return []string{"false"}
	}
}

// page cuts a page out of a sorted list. A token names the last item of the page before, so that changes in between lose nothing.
func page[T, A any](tx *state.Tx, found []T, q query, key func(T) string, show func(*state.Tx, T) A) ([]A, *string, error) {
	if token := wire.Value(q.nextToken); token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, nil, fault("InvalidNextToken", "The token '%s' is invalid", token)
		}
		found = slices.DeleteFunc(slices.Clone(found), func(v T) bool { return key(v) <= string(last) })
	}
	var next *string
	if q.maxResults != nil {
		if n := *q.maxResults; n < 1 || n > 1000 {
			return nil, nil, fault("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between 1 and 1000.", n)
		} else if int(n) < len(found) {
			found = found[:n]
			next = new(base64.RawURLEncoding.EncodeToString([]byte(key(found[n-1]))))
		}
	}
	out := make([]A, 0, len(found))
	for _, v := range found {
		out = append(out, show(tx, v))
	}
	return out, next, nil
}
