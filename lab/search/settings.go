package search

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// view returns what is decided of each of the chosen indices, by name, as one of its parts shows it.
func (r *call) view(part func(*indexMeta) map[string]any) (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	out := map[string]any{}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, x := range chosen {
		if m := r.catalog.Indices[x.name]; m != nil {
			text, err := json.Marshal(part(m)) // now: the catalog may change while the answer is sent
			if err != nil {
				return answer{}, err
			}
			out[x.name] = raw(text)
		}
	}
	return ok(out)
}

func (r *call) getIndex() (answer, error) {
	return r.view(func(m *indexMeta) map[string]any {
		return map[string]any{"aliases": m.Aliases, "mappings": m.Mapping, "settings": r.settings(m)}
	})
}

func (r *call) getSettings() (answer, error) {
	return r.view(func(m *indexMeta) map[string]any { return map[string]any{"settings": r.settings(m)} })
}

func (r *call) getMapping() (answer, error) {
	return r.view(func(m *indexMeta) map[string]any { return map[string]any{"mappings": m.Mapping} })
}

func (c *Cluster) settings(m *indexMeta) map[string]any {
	out := map[string]any{"creation_date": strconv.FormatInt(m.Created, 10), "uuid": m.UUID, "provided_name": m.Name, "version": map[string]any{"created": "7100299"},
		"number_of_shards": strconv.Itoa(m.Shards), "number_of_replicas": strconv.Itoa(m.Replicas)}
	if m.Refresh != "" {
		out["refresh_interval"] = m.Refresh
	}
	return map[string]any{"index": out}
}

func (r *call) putMapping() (answer, error) {
	if len(r.body) == 0 {
		return answer{}, refusal.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	added, err := mapping.Parse(r.body)
	if err != nil {
		return answer{}, err
	}
	for _, x := range chosen {
		if err := x.extend(added); err != nil {
			return answer{}, err
		}
	}
	members, err := r.members("properties", "dynamic")
	if err != nil || members["dynamic"] == nil {
		return answer{status: http.StatusOK, body: map[string]any{"acknowledged": true}}, err
	}
	for _, x := range chosen {
		if err := x.setDynamic(added.Dynamic); err != nil {
			return answer{}, err
		}
	}
	return acknowledged()
}

func (x *openIndex) setDynamic(dynamic string) error {
	return x.cluster.change(func(k *catalog) error {
		meta := k.Indices[x.name]
		if meta == nil {
			return notFound(x.name)
		}
		m := *meta.Mapping
		m.Dynamic = dynamic
		meta.Mapping = &m
		x.mapping.Store(&m)
		return nil
	})
}

func (r *call) putSettings() (answer, error) {
	text := r.body
	var wrapped struct {
		Settings json.RawMessage `json:"settings"`
	}
	if json.Unmarshal(text, &wrapped) == nil && wrapped.Settings != nil {
		text = wrapped.Settings
	}
	settings, err := flatten(text)
	if err != nil {
		return answer{}, err
	}
	if len(settings) == 0 {
		return answer{}, invalid("no settings to update")
	}
	return answer{status: http.StatusOK, body: map[string]any{"acknowledged": true}}, r.settled(func() error {
		chosen, err := r.choose(r.path["index"])
		if err != nil {
			return err
		}
		var errs []error
		for _, x := range chosen {
			errs = append(errs, r.applySettings(x, settings))
		}
		return errors.Join(errs...)
	})
}

func (c *Cluster) applySettings(x *openIndex, settings map[string]string) error {
	refresh := ""
	err := c.change(func(k *catalog) error {
		meta := k.Indices[x.name]
		if meta == nil {
			return notFound(x.name)
		}
		draft := *meta
		for name, value := range settings {
			if err := draft.set(name, value, false); err != nil {
				return err
			}
		}
		meta.Replicas, meta.Refresh, refresh = draft.Replicas, draft.Refresh, draft.Refresh
		return nil
	})
	if err != nil {
		return err
	}
	x.setRefresh(refresh)
	var errs []error
	for _, g := range x.groups {
		errs = append(errs, c.allocateGroup(g, nil))
	}
	return errors.Join(errs...)
}
