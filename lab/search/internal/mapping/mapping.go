// Package mapping is what an index knows of its documents' fields: their types, how values become terms, what is added for a field that
// was never seen.
package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"storefront/lab/search/internal/refusal"
)

// Mapping is the mapping of an index. It is not changed once it is made: Merge makes a new one.
type Mapping struct {
	Dynamic    string               // "true", "false" or "strict"
	Properties map[string]*Property // by name
}

// Property is a field, or an object with fields of its own (Type "object").
type Property struct {
	Type        string               `json:"type,omitempty"`
	Properties  map[string]*Property `json:"properties,omitempty"`
	Fields      map[string]*Property `json:"fields,omitempty"`
	Dynamic     flexible             `json:"dynamic,omitempty"`
	Index       *bool                `json:"index,omitempty"`
	DocValues   *bool                `json:"doc_values,omitempty"`
	Enabled     *bool                `json:"enabled,omitempty"`
	IgnoreAbove int                  `json:"ignore_above,omitempty"`
	Format      string               `json:"format,omitempty"`
	Analyzer    string               `json:"analyzer,omitempty"`
}

// flexible is a word that may also be written as a boolean.
type flexible string

// UnmarshalJSON reads a word or a boolean.
func (f *flexible) UnmarshalJSON(b []byte) error {
	*f = flexible(strings.Trim(string(b), `"`))
	return nil
}

const fieldLimit = 1000 // index.mapping.total_fields.limit

// kinds are the types that a field may have, each with what family of values it takes.
func family(kind string) string {
	switch kind {
	case "text", "keyword", "boolean", "date", "object":
		return kind
	case "long", "integer", "short", "byte":
		return "whole"
	case "double", "float":
		return "decimal"
	}
	return ""
}

// Parse reads the mapping of an index, as in {"properties":{...}}. Empty text is the empty mapping.
func Parse(text []byte) (*Mapping, error) {
	m := &Mapping{Dynamic: "true", Properties: map[string]*Property{}}
	if len(bytes.TrimSpace(text)) == 0 {
		return m, nil
	}
	var root struct {
		Dynamic    flexible                   `json:"dynamic"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := strict(text, &root); err != nil {
		return nil, refusal.Mapping("Root mapping definition has unsupported parameters: %v", err)
	}
	if root.Dynamic != "" {
		m.Dynamic = string(root.Dynamic)
	}
	if !slices.Contains([]string{"true", "false", "strict"}, m.Dynamic) {
		return nil, refusal.Mapping("Could not convert [dynamic] of [%s]: true, false or strict", m.Dynamic)
	}
	for name, raw := range root.Properties {
		p := &Property{}
		if err := strict(raw, p); err != nil {
			return nil, refusal.Mapping("Mapping definition for [%s] has unsupported parameters: %v", name, err)
		}
		m.Properties[name] = p
	}
	if err := check("", m.Properties); err != nil {
		return nil, err
	}
	return m, m.bound()
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func check(prefix string, properties map[string]*Property) error {
	for name, p := range properties {
		path := prefix + name
		if p == nil {
			return refusal.Mapping("Expected map for property [fields] on field [%s] but got null", path)
		}
		if name == "" || strings.Contains(name, ".") || strings.HasPrefix(path, "_") {
			return refusal.Mapping("field name [%s] is not served: no dots, not empty, no leading underscore", path)
		}
		if p.Type == "" {
			if p.Properties == nil && p.Enabled == nil && p.Dynamic == "" {
				return refusal.Mapping("No type specified for field [%s]", path)
			}
			p.Type = "object"
		}
		if err := p.check(path); err != nil {
			return err
		}
		if err := check(path+".", p.Properties); err != nil {
			return err
		}
		if err := check(path+".", p.Fields); err != nil {
			return err
		}
	}
	return nil
}

func (p *Property) check(path string) error {
	kind := family(p.Type)
	switch {
	case kind == "":
		return refusal.Mapping("No handler for type [%s] declared on field [%s]", p.Type, path)
	case kind != "object" && (p.Properties != nil || p.Dynamic != "" || p.Enabled != nil):
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: a field of type [%s] has no properties", path, p.Type)
	case kind == "object" && (p.Fields != nil || p.Index != nil || p.DocValues != nil):
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: it is an object", path)
	case p.Dynamic != "" && !slices.Contains([]string{"true", "false", "strict"}, string(p.Dynamic)):
		return refusal.Mapping("Could not convert [%s.dynamic]: true, false or strict", path)
	case p.IgnoreAbove < 0 || p.IgnoreAbove > 0 && kind != "keyword":
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: [ignore_above : %d]", path, p.IgnoreAbove)
	case p.Format != "" && kind != "date":
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: [format : %s]", path, p.Format)
	case p.Analyzer != "" && kind != "text":
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: [analyzer : %s]", path, p.Analyzer)
	case p.Analyzer != "" && Analyzer(p.Analyzer) == nil:
		return refusal.Mapping("analyzer [%s] has not been configured in mappings", p.Analyzer)
	case p.DocValues != nil && kind == "text":
		return refusal.Mapping("Mapping definition for [%s] has unsupported parameters: [doc_values : %t]", path, *p.DocValues)
	}
	for sub, f := range p.Fields {
		if f != nil && (f.Fields != nil || f.Properties != nil) {
			return refusal.Mapping("Type [%s] used in [fields] of [%s.%s] can have no fields of its own", f.Type, path, sub)
		}
	}
	return checkFormat(path, p.Format)
}

func (m *Mapping) bound() error {
	if n := len(m.Leaves()); n > fieldLimit {
		return refusal.Argument("Limit of total fields [%d] has been exceeded", fieldLimit)
	}
	return nil
}

// Merge returns the mapping with what the other one adds. A field keeps its type.
func (m *Mapping) Merge(other *Mapping) (*Mapping, error) {
	properties, err := merge("", m.Properties, other.Properties)
	if err != nil {
		return nil, err
	}
	merged := &Mapping{Dynamic: m.Dynamic, Properties: properties}
	return merged, merged.bound()
}

func merge(prefix string, old, added map[string]*Property) (map[string]*Property, error) {
	out := maps.Clone(old)
	if out == nil && added != nil {
		out = map[string]*Property{}
	}
	for name, a := range added {
		path := prefix + name
		o, known := old[name]
		if !known {
			out[name] = a
			continue
		}
		if o.Type != a.Type {
			return nil, refusal.Argument("mapper [%s] cannot be changed from type [%s] to [%s]", path, o.Type, a.Type)
		}
		if differs(o.Index, a.Index) || differs(o.DocValues, a.DocValues) || o.Format != a.Format || o.Analyzer != a.Analyzer || differs(o.Enabled, a.Enabled) {
			return nil, refusal.Argument("Mapper for [%s] conflicts with existing mapper:\n\tCannot update parameter of the field once it is there", path)
		}
		n := *o
		n.IgnoreAbove = a.IgnoreAbove
		if a.Dynamic != "" {
			n.Dynamic = a.Dynamic
		}
		var err error
		if n.Properties, err = merge(path+".", o.Properties, a.Properties); err != nil {
			return nil, err
		}
		if n.Fields, err = merge(path+".", o.Fields, a.Fields); err != nil {
			return nil, err
		}
		out[name] = &n
	}
	return out, nil
}

// differs compares settings that are true unless said otherwise.
func differs(a, b *bool) bool { return (a == nil || *a) != (b == nil || *b) }

// Field returns the field of a path, as "customer.name.keyword", or nil.
func (m *Mapping) Field(path string) *Property {
	level, fields := m.Properties, map[string]*Property(nil)
	var p *Property
	for name := range strings.SplitSeq(path, ".") {
		next := level[name]
		if next == nil {
			next = fields[name]
		}
		if next == nil {
			return nil
		}
		p, level, fields = next, next.Properties, next.Fields
	}
	if p == nil || p.Type == "object" {
		return nil
	}
	return p
}

// Leaves returns the paths of all fields that hold values, in order.
func (m *Mapping) Leaves() []string {
	var paths []string
	var walk func(string, map[string]*Property)
	walk = func(prefix string, level map[string]*Property) {
		for name, p := range level {
			if p.Type != "object" {
				paths = append(paths, prefix+name)
			}
			walk(prefix+name+".", p.Properties)
			walk(prefix+name+".", p.Fields)
		}
	}
	walk("", m.Properties)
	slices.Sort(paths)
	return paths
}

// Indexed tells whether the field can be searched.
func (p *Property) Indexed() bool { return p.Index == nil || *p.Index }

// Sortable tells whether the field has its values at hand by document.
func (p *Property) Sortable() bool { return p.Type != "text" && (p.DocValues == nil || *p.DocValues) }

// Numeric tells whether the field's values are kept as numbers: numbers themselves, and dates as milliseconds since the epoch.
func (p *Property) Numeric() bool {
	switch family(p.Type) {
	case "whole", "decimal", "date":
		return true
	}
	return false
}

// Whole tells whether the field's numbers have no fraction.
func (p *Property) Whole() bool { return family(p.Type) == "whole" }

// MarshalJSON writes the mapping as Elasticsearch answers it.
func (m *Mapping) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	if m.Dynamic != "true" {
		out["dynamic"] = m.Dynamic
	}
	if len(m.Properties) > 0 {
		out["properties"] = m.Properties
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a mapping.
func (m *Mapping) UnmarshalJSON(text []byte) error {
	p, err := Parse(text)
	if err != nil {
		return fmt.Errorf("mapping: %w", err)
	}
	*m = *p
	return nil
}
