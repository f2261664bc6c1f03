package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// indexRequest is what an index shall be made with.
type indexRequest struct {
	settings map[string]string
	mapping  []byte
	aliases  map[string]alias
}

func (r *call) createIndex() (answer, error) {
	members, err := r.members("settings", "mappings", "aliases")
	if err != nil {
		return answer{}, err
	}
	req := indexRequest{mapping: members["mappings"]}
	if req.settings, err = flatten(members["settings"]); err != nil {
		return answer{}, err
	}
	if req.aliases, err = readAliases(members["aliases"]); err != nil {
		return answer{}, err
	}
	name := r.path["index"]
	if err := r.makeIndex(name, req); err != nil {
		return answer{}, err
	}
	return ok(map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": name})
}

func readAliases(text []byte) (map[string]alias, error) {
	out := map[string]alias{}
	if text == nil {
		return out, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return nil, refusal.Parsing("[aliases]: %v; filters and routing of aliases are not served", err)
	}
	for name := range out {
		if err := checkAlias(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func checkAlias(name string) error {
	if err := checkName(strings.ToLower(name)); err != nil {
		return refusal.New(http.StatusBadRequest, "invalid_alias_name_exception", "Invalid alias name [%s]: %s", name, refusal.From(err).Reason)
	}
	return nil
}

// makeIndex makes an index with its shards.
func (c *Cluster) makeIndex(name string, req indexRequest) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.settled(func() error {
		meta, err := c.draft(name, req)
		if err != nil {
			return err
		}
		err = c.change(func(k *catalog) error {
			if k.Indices[name] != nil {
				return refusal.New(http.StatusBadRequest, "resource_already_exists_exception", "index [%s/%s] already exists", name, k.Indices[name].UUID).
					With("index", name).With("index_uuid", k.Indices[name].UUID)
			}
			if len(k.behind(name, false)) > 0 {
				return refusal.New(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%s], already exists as alias", name).With("index", name)
			}
			k.Indices[name] = meta
			c.indices[name] = c.newIndex(meta)
			return nil
		})
		if err != nil {
			return err
		}
		var errs []error
		for _, g := range c.indices[name].groups { // who changes indices holds the topology, as we do
			errs = append(errs, c.allocateGroup(g, nil))
		}
		return errors.Join(errs...)
	})
}

// draft decides on an index: what templates say, and over it what the request says.
func (c *Cluster) draft(name string, req indexRequest) (*indexMeta, error) {
	meta := &indexMeta{Name: name, UUID: newUUID(), Created: c.config.Now().UnixMilli(), Shards: 1, Replicas: 1, Aliases: map[string]alias{}}
	var err error
	if meta.Mapping, err = mapping.Parse(nil); err != nil {
		return nil, err
	}
	layers := append(c.templates(name), req)
	for _, l := range layers {
		for key, value := range l.settings {
			if err := meta.set(key, value, true); err != nil {
				return nil, err
			}
		}
		more, err := mapping.Parse(l.mapping)
		if err != nil {
			return nil, err
		}
		dynamic := more.Dynamic
		if dynamic == "true" {
			dynamic = meta.Mapping.Dynamic
		}
		if meta.Mapping, err = meta.Mapping.Merge(more); err != nil {
			return nil, err
		}
		meta.Mapping.Dynamic = dynamic
		maps.Copy(meta.Aliases, l.aliases)
	}
	for range meta.Shards {
		meta.Groups = append(meta.Groups, &groupMeta{})
	}
	return meta, nil
}

// templates returns what applies to an index of a name, in order.
func (c *Cluster) templates(name string) []indexRequest {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found []*template
	for _, t := range c.catalog.Templates {
		if slices.ContainsFunc(t.Patterns, func(p string) bool { return wild(p, name) }) {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b *template) int { return a.Order - b.Order })
	var out []indexRequest
	for _, t := range found {
		settings, _ := flattenMembers(t.Settings) // was checked when the template was put
		out = append(out, indexRequest{settings: settings, mapping: t.Mappings, aliases: t.Aliases})
	}
	return out
}

// flatten reads settings in any of their forms: {"index":{"number_of_shards":1}}, {"index.number_of_shards":"1"}, {"number_of_shards":1}.
func flatten(text []byte) (map[string]string, error) {
	if text == nil {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, refusal.Parsing("[settings] must be an object")
	}
	return flattenMembers(members)
}

func flattenMembers(members map[string]json.RawMessage) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range members {
		var child map[string]json.RawMessage
		if json.Unmarshal(v, &child) == nil && child != nil {
			if name != "index" {
				return nil, unknownSetting("index." + strings.TrimPrefix(name, "index."))
			}
			more, err := flattenMembers(child)
			if err != nil {
				return nil, err
			}
			maps.Copy(out, more)
			continue
		}
		out["index."+strings.TrimPrefix(name, "index.")] = strings.Trim(string(v), `"`)
	}
	return out, nil
}

func unknownSetting(name string) error {
	return refusal.Argument("unknown setting [%s] please check that any required plugins are installed, or check the breaking changes documentation for removed settings", name)
}

// set takes a setting. fresh tells that the index is being made.
func (m *indexMeta) set(name, value string, fresh bool) error {
	number := func(low, high int) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return 0, refusal.Argument("Failed to parse value [%s] for setting [%s] must be >= %d and <= %d", value, name, low, high)
		}
		return n, nil
	}
	var err error
	switch name {
	case "index.number_of_shards":
		if !fresh {
			return refusal.Argument("Can't update non dynamic settings [[%s]] for open indices [[%s/%s]]", name, m.Name, m.UUID)
		}
		m.Shards, err = number(1, 1024)
	case "index.number_of_replicas":
		m.Replicas, err = number(0, 64)
	case "index.refresh_interval":
		if value == "null" {
			m.Refresh = ""
			return nil
		}
		if _, valid := duration(value); !valid {
			return refusal.Argument("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", name, value)
		}
		m.Refresh = value
	default:
		return unknownSetting(name)
	}
	return err
}

func (r *call) deleteIndex() (answer, error) {
	name := r.path["index"]
	r.mu.RLock()
	isAlias := r.indices[name] == nil && len(r.catalog.behind(name, false)) > 0
	r.mu.RUnlock()
	if isAlias {
		return answer{}, refusal.Argument("The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", name)
	}
	return answer{status: http.StatusOK, body: map[string]any{"acknowledged": true}}, r.settled(func() error {
		chosen, err := r.choose(name)
		if err != nil {
			return err
		}
		var errs []error
		for _, x := range chosen {
			errs = append(errs, r.removeIndex(x))
		}
		return errors.Join(errs...)
	})
}

// removeIndex takes an index away, from the catalog first.
func (c *Cluster) removeIndex(x *openIndex) error {
	meta := c.meta(x)
	err := c.change(func(k *catalog) error {
		delete(k.Indices, x.name)
		delete(c.indices, x.name)
		return nil
	})
	if err != nil {
		return err
	}
	x.stop()
	var errs []error
	for _, g := range x.groups {
		errs = append(errs, g.close())
		for _, copy := range meta.Groups[g.shard].Copies {
			if c.lives(copy.Node) { // a lost node forgets it when it comes back
				errs = append(errs, os.RemoveAll(g.dir(copy.Node)))
			}
		}
	}
	return errors.Join(errs...)
}

func (r *call) indexExists() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	if len(chosen) == 0 {
		return answer{status: http.StatusNotFound, body: map[string]any{}}, nil
	}
	return ok(map[string]any{})
}

// refreshIndices makes everything searchable.
func (r *call) refreshIndices() (answer, error) { return r.eachGroup((*group).refresh) }

// flushIndices has nothing to do: a write is on disk before it is answered.
func (r *call) flushIndices() (answer, error) {
	return r.eachGroup(func(*group) error { return nil })
}

func (r *call) eachGroup(do func(*group) error) (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	total, successful := 0, 0
	for _, x := range chosen {
		replicas := r.meta(x).Replicas
		for _, g := range x.groups {
			total += 1 + replicas
			if err := do(g); err != nil {
				return answer{}, err
			}
			successful += len(g.lineup.Load().copies)
		}
	}
	return ok(map[string]any{"_shards": map[string]any{"total": total, "successful": successful, "failed": 0}})
}
