package search

import (
	"bytes"
	"encoding/json"
	"net/http"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

func (r *call) putTemplate() (answer, error) {
	var t template
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return answer{}, refusal.Parsing("template [%s]: %v", r.path["name"], err)
	}
	if len(t.Patterns) == 0 {
		return answer{}, invalid("index patterns are missing")
	}
	order, err := r.number("order", t.Order)
	if err != nil {
		return answer{}, err
	}
	t.Order = order
	settings, err := flattenMembers(t.Settings)
	if err != nil {
		return answer{}, err
	}
	for name, value := range settings {
		if err := new(indexMeta).set(name, value, true); err != nil {
			return answer{}, err
		}
	}
	if _, err := mapping.Parse(t.Mappings); err != nil {
		return answer{}, err
	}
	create, err := r.flag("create", false)
	if err != nil {
		return answer{}, err
	}
	name := r.path["name"]
	err = r.change(func(k *catalog) error {
		if create && k.Templates[name] != nil {
			return refusal.Argument("index_template [%s] already exists", name)
		}
		k.Templates[name] = &t
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return acknowledged()
}

func (r *call) getTemplate() (answer, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := map[string]any{}
	for name, t := range r.catalog.Templates {
		if wild(r.path["name"], name) {
			out[name] = *t
		}
	}
	if len(out) == 0 {
		return answer{status: http.StatusNotFound, body: out}, nil
	}
	return ok(out)
}

func (r *call) deleteTemplate() (answer, error) {
	name := r.path["name"]
	err := r.change(func(k *catalog) error {
		if k.Templates[name] == nil {
			return refusal.New(http.StatusNotFound, "index_template_missing_exception", "index_template [%s] missing", name)
		}
		delete(k.Templates, name)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return acknowledged()
}
