package search

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"storefront/lab/search/internal/refusal"
)

// aliasAction is one step of POST _aliases.
type aliasAction struct {
	Index   string   `json:"index"`
	Indices []string `json:"indices"`
	Alias   string   `json:"alias"`
	Aliases []string `json:"aliases"`
	Write   *bool    `json:"is_write_index"`
	Must    *bool    `json:"must_exist"`
}

func (r *call) changeAliases() (answer, error) {
	var body struct {
		Actions []map[string]aliasAction `json:"actions"`
	}
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return answer{}, refusal.Parsing("[aliases]: %v; filters and routing of aliases are not served", err)
	}
	if len(body.Actions) == 0 {
		return answer{}, refusal.Argument("No action specified")
	}
	err := r.aliasing(func(k *catalog) error {
		for _, step := range body.Actions {
			if len(step) != 1 {
				return refusal.Argument("Only one action is allowed in each step")
			}
			for name, a := range step {
				if err := k.alias(name, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return acknowledged()
}

// aliasing changes the catalog's aliases all or not at all.
func (r *call) aliasing(f func(*catalog) error) error {
	return r.change(func(k *catalog) error {
		before := map[string]map[string]alias{}
		for name, x := range k.Indices {
			before[name] = maps.Clone(x.Aliases)
		}
		err := f(k)
		if err != nil {
			for name, x := range k.Indices {
				x.Aliases = before[name]
			}
		}
		return err
	})
}

// alias does one step.
func (k *catalog) alias(step string, a aliasAction) error {
	patterns, names := append(a.Indices, fields(a.Index)...), append(a.Aliases, fields(a.Alias)...)
	var indices []string
	for _, p := range patterns {
		found := k.matching(p)
		if len(found) == 0 {
			return notFound(p)
		}
		indices = append(indices, found...)
	}
	if len(indices) == 0 || len(names) == 0 {
		return refusal.Argument("[%s] needs an [index] and an [alias]", step)
	}
	removed := false
	for _, index := range indices {
		x := k.Indices[index]
		for _, name := range names {
			switch step {
			case "add":
				if err := checkAlias(name); err != nil {
					return err
				}
				if k.Indices[name] != nil {
					return refusal.New(http.StatusBadRequest, "invalid_alias_name_exception", "Invalid alias name [%s], an index exists with the same name as the alias", name)
				}
				if x.Aliases == nil {
					x.Aliases = map[string]alias{}
				}
				x.Aliases[name] = alias{Write: a.Write}
			case "remove":
				for have := range maps.Clone(x.Aliases) {
					if wild(name, have) {
						delete(x.Aliases, have)
						removed = true
					}
				}
			default:
				return refusal.Argument("alias action [%s] is not served: add or remove", step)
			}
		}
	}
	if step == "remove" && !removed && (a.Must == nil || *a.Must) {
		return refusal.New(http.StatusNotFound, "aliases_not_found_exception", "aliases [%s] missing", strings.Join(names, ","))
	}
	return nil
}

func (r *call) putAlias() (answer, error) {
	a := aliasAction{Index: r.path["index"], Alias: r.path["name"]}
	members, err := r.members("is_write_index")
	if err != nil {
		return answer{}, err
	}
	if w := members["is_write_index"]; w != nil && json.Unmarshal(w, &a.Write) != nil {
		return answer{}, refusal.Parsing("[is_write_index] must be true or false")
	}
	if err := r.aliasing(func(k *catalog) error { return k.alias("add", a) }); err != nil {
		return answer{}, err
	}
	return acknowledged()
}

func (r *call) deleteAlias() (answer, error) {
	a := aliasAction{Index: r.path["index"], Alias: r.path["name"]}
	if err := r.aliasing(func(k *catalog) error { return k.alias("remove", a) }); err != nil {
		return answer{}, err
	}
	return acknowledged()
}

func (r *call) getAlias() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	wanted := fields(r.path["name"])
	out, found := map[string]any{}, map[string]bool{}
	for _, x := range chosen {
		aliases := map[string]alias{}
		for name, a := range r.aliases(x) {
			for _, w := range wanted {
				if wild(w, name) || w == "_all" {
					aliases[name], found[w] = a, true
				}
			}
			if len(wanted) == 0 {
				aliases[name] = a
			}
		}
		if len(aliases) > 0 || len(wanted) == 0 {
			out[x.name] = map[string]any{"aliases": aliases}
		}
	}
	missing := slices.DeleteFunc(wanted, func(w string) bool { return found[w] || strings.Contains(w, "*") || w == "_all" })
	if len(missing) > 0 {
		return answer{status: http.StatusNotFound, body: map[string]any{"error": "alias [" + strings.Join(missing, ",") + "] missing", "status": http.StatusNotFound}}, nil
	}
	return ok(out)
}

// aliases returns an index's aliases.
func (c *Cluster) aliases(x *openIndex) map[string]alias {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if m := c.catalog.Indices[x.name]; m != nil {
		return maps.Clone(m.Aliases)
	}
	return nil
}
