package search

import (
	"encoding/json"
	"strings"

	"storefront/lab/search/internal/mapping"
)

// filter is which members of a source an answer shows.
type filter struct {
	none               bool
	includes, excludes []string
}

func (f filter) wanted() bool { return !f.none }

// sourceFilter reads _source, _source_includes and _source_excludes.
func (r *call) sourceFilter() (filter, error) {
	f := filter{includes: fields(r.params.Get("_source_includes")), excludes: fields(r.params.Get("_source_excludes"))}
	switch s := r.params.Get("_source"); s {
	case "", "true":
	case "false":
		f.none = true
	default:
		f.includes = append(f.includes, fields(s)...)
	}
	return f, nil
}

func fields(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// apply returns what the filter leaves of a source.
func (f filter) apply(source []byte) (json.RawMessage, error) {
	if len(f.includes)+len(f.excludes) == 0 {
		return raw(source), nil
	}
	root, err := mapping.Decode(source)
	if err != nil {
		return nil, err
	}
	return json.Marshal(f.prune("", root))
}

func (f filter) prune(prefix string, object map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range object {
		path := prefix + name
		if f.names(f.excludes, path) {
			continue
		}
		included := len(f.includes) == 0 || f.names(f.includes, path)
		switch child := v.(type) {
		case map[string]any:
			if pruned := f.prune(path+".", child); len(pruned) > 0 || included {
				out[name] = pruned
			}
		case []any:
			if list, any := f.pruneList(path, child, included); any {
				out[name] = list
			}
		default:
			if included {
				out[name] = v
			}
		}
	}
	return out
}

func (f filter) pruneList(path string, list []any, included bool) ([]any, bool) {
	out := []any{}
	for _, e := range list {
		if o, is := e.(map[string]any); is {
			if pruned := f.prune(path+".", o); len(pruned) > 0 || included {
				out = append(out, pruned)
			}
		} else if included {
			out = append(out, e)
		}
	}
	return out, included || len(out) > 0
}

// names tells whether a list names a path, or an object that it is in.
func (f filter) names(list []string, path string) bool {
	for _, p := range list {
		if wild(p, path) || wild(p+".*", path) {
			return true
		}
	}
	return false
}
