package search

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"storefront/lab/search/internal/refusal"
)

// notFound is the error of an index that is not there.
func notFound(name string) error {
	return refusal.New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", name).
		With("index", name).With("index_uuid", "_na_").With("resource.id", name).With("resource.type", "index_or_alias")
}

// checkName tells why a name cannot be an index's.
func checkName(name string) error {
	why := ""
	switch {
	case name == "" || name == "." || name == "..":
		why = "must not be empty, '.' or '..'"
	case strings.ContainsAny(name, "\\/*?\"<>| ,#:"):
		why = `must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?], '#' or ':'`
	case strings.ContainsAny(name[:1], "_-+"):
		why = "must not start with '_', '-', or '+'"
	case name != strings.ToLower(name):
		why = "must be lowercase"
	case len(name) > 255:
		why = "index name is too long, (more than 255 bytes)"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 }):
		why = "must be UTF-8 without control characters"
	default:
		return nil
	}
	return refusal.New(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%s], %s", name, why).With("index", name).With("index_uuid", "_na_")
}

// choose finds the indices of an expression: names, aliases, patterns with stars, _all, in a list with commas. Empty means all.
func (r *call) choose(expression string) ([]*openIndex, error) {
	ignore, err := r.flag("ignore_unavailable", false)
	if err != nil {
		return nil, err
	}
	empty, err := r.flag("allow_no_indices", true)
	if err != nil {
		return nil, err
	}
	if e := r.params.Get("expand_wildcards"); e != "" && e != "open" && e != "all" {
		return nil, refusal.Argument("[expand_wildcards] of [%s] is not served: open or all", e)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	if expression == "" || expression == "_all" {
		expression = "*"
	}
	for one := range strings.SplitSeq(expression, ",") {
		found := r.catalog.matching(one)
		if len(found) == 0 && !strings.Contains(one, "*") && !ignore {
			return nil, notFound(one)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	var out []*openIndex
	for _, n := range slices.Compact(names) {
		out = append(out, r.indices[n])
	}
	if len(out) == 0 && !empty {
		return nil, notFound(expression)
	}
	return out, nil
}

// matching returns the indices that a name, an alias or a pattern of either stands for.
func (k *catalog) matching(one string) []string {
	var out []string
	for name, x := range k.Indices {
		fits := wild(one, name)
		for a := range x.Aliases {
			fits = fits || wild(one, a)
		}
		if fits {
			out = append(out, name)
		}
	}
	return out
}

// wild tells whether a name is of a pattern with stars.
func wild(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}

// use is what a document's index is wanted for.
type use int

const (
	reading use = iota
	writing
	making // writing, and the index is made when it is not there
)

// target finds the one index that a document of a name goes to or comes from.
func (r *call) target(name string, want use) (*openIndex, error) {
	for {
		r.mu.RLock()
		x := r.indices[name]
		var behind []string
		if x == nil {
			behind = r.catalog.behind(name, want != reading)
			if len(behind) == 1 {
				x = r.indices[behind[0]]
			}
		}
		r.mu.RUnlock()
		switch {
		case x != nil:
			return x, nil
		case len(behind) > 1 && want != reading:
			return nil, refusal.Argument("no write index is defined for alias [%s]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index", name)
		case len(behind) > 1:
			return nil, refusal.Argument("Alias [%s] has more than one indices associated with it [%s], can't execute a single index op", name, strings.Join(behind, ", "))
		case want != making:
			return nil, notFound(name)
		}
		if err := r.makeIndex(name, indexRequest{}); err != nil {
			if e := refusal.From(err); e.Type != "resource_already_exists_exception" {
				return nil, err
			}
		}
	}
}

// behind returns the indices of an alias; to write to, the one that takes writes.
func (k *catalog) behind(name string, write bool) []string {
	var all, chosen []string
	for _, n := range k.names() {
		a, ok := k.Indices[n].Aliases[name]
		if !ok {
			continue
		}
		all = append(all, n)
		if a.Write != nil && *a.Write {
			chosen = append(chosen, n)
		}
	}
	if write && len(chosen) == 1 {
		return chosen
	}
	return all
}

// raw is JSON as a value of an answer.
func raw(text []byte) json.RawMessage { return json.RawMessage(text) }
