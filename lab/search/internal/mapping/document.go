package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"storefront/lab/search/internal/refusal"
)

// NamesField is the index's field that holds, for each document, the paths of the fields that it has, each as often as the field has terms:
// so the lengths of texts can be summed up.
const NamesField = "_field_names"

const maxDepth = 20 // index.mapping.depth.limit

// reading is one document on its way through the mapping.
type reading struct {
	id   string
	out  *document.Document // nil: only check
	seen map[string]int     // terms by path: how long the field is
}

// Decode reads a document: one JSON object in valid UTF-8.
func Decode(source []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil || root == nil || !utf8.Valid(source) {
		return nil, refusal.Mapping("failed to parse: the document must be one JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, refusal.Mapping("failed to parse: there is something after the document")
	}
	return root, nil
}

// Check reads a document and returns what the mapping must learn before the document can be stored: nil for nothing.
func (m *Mapping) Check(id string, source []byte) (*Mapping, error) {
	r := &reading{id: id, seen: map[string]int{}}
	root, err := Decode(source)
	if err != nil {
		return nil, err
	}
	added, err := r.object("", root, m.Properties, m.Dynamic, 0)
	if err != nil || added == nil {
		return nil, err
	}
	return &Mapping{Dynamic: m.Dynamic, Properties: added}, nil
}

// Analyze adds a document's fields to what the index gets.
func (m *Mapping) Analyze(out *document.Document, source []byte) error {
	root, err := Decode(source)
	if err != nil {
		return err
	}
	r := &reading{id: out.ID(), out: out, seen: map[string]int{}}
	if _, err := r.object("", root, m.Properties, m.Dynamic, 0); err != nil {
		return err
	}
	out.AddField(document.NewTextFieldCustom(NamesField, nil, nil, index.IndexField, names(r.seen)))
	return nil
}

// object reads an object and returns the fields that the mapping misses.
func (r *reading) object(prefix string, value map[string]any, known map[string]*Property, dynamic string, depth int) (map[string]*Property, error) {
	if depth > maxDepth {
		return nil, refusal.Argument("Limit of mapping depth [%d] has been exceeded due to object field [%s]", maxDepth, strings.TrimSuffix(prefix, "."))
	}
	var added map[string]*Property
	for name, v := range value {
		if v == nil {
			continue
		}
		path := prefix + name
		if name == "" || strings.HasPrefix(path, "_") {
			return nil, refusal.Mapping("Field [%s] is a metadata field and cannot be added inside a document, or has no name", path)
		}
		if strings.Contains(name, ".") {
			return nil, refusal.Mapping("field name [%s] with a dot is not served: write it as an object", path)
		}
		p := known[name]
		if p == nil {
			var err error
			if p, err = r.learn(path, v, dynamic); err != nil {
				return nil, err
			}
			if p == nil {
				continue
			}
			added = put(added, name, p)
		}
		more, err := r.values(path, v, p, dynamic, depth)
		if err != nil {
			return nil, err
		}
		if more != nil {
			n := *p
			n.Properties = more
			added = put(added, name, &n)
		}
	}
	return added, nil
}

func put(m map[string]*Property, name string, p *Property) map[string]*Property {
	if m == nil {
		m = map[string]*Property{}
	}
	m[name] = p
	return m
}

// learn decides what becomes of a field that the mapping does not have: nil for nothing.
func (r *reading) learn(path string, v any, dynamic string) (*Property, error) {
	switch dynamic {
	case "false":
		return nil, nil
	case "strict":
		return nil, refusal.New(400, "strict_dynamic_mapping_exception", "mapping set to strict, dynamic introduction of [%s] within [_doc] is not allowed", path)
	}
	p := guess(v)
	if p == nil || r.out == nil {
		return p, nil
	}
	return nil, nil // stored before the mapping knew the field
}

// guess is the type of a field by its first value, as dynamic mapping chooses it.
func guess(v any) *Property {
	switch v := v.(type) {
	case bool:
		return &Property{Type: "boolean"}
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return &Property{Type: "float"}
		}
		return &Property{Type: "long"}
	case string:
		for _, f := range []string{"strict_date_optional_time", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd"} {
			if _, ok := ParseDate(v, f); ok && len(v) >= len("2006-01-02") {
				p := &Property{Type: "date"}
				if f != "strict_date_optional_time" {
					p.Format = f
				}
				return p
			}
		}
		return &Property{Type: "text", Fields: map[string]*Property{"keyword": {Type: "keyword", IgnoreAbove: 256}}}
	case map[string]any:
		return &Property{Type: "object"}
	case []any:
		for _, e := range v {
			if p := guess(e); p != nil {
				return p
			}
		}
	}
	return nil
}

// values reads what stands under a field's name: a value, or several.
func (r *reading) values(path string, v any, p *Property, dynamic string, depth int) (map[string]*Property, error) {
	if list, ok := v.([]any); ok {
		var all map[string]*Property
		for _, e := range list {
			if e == nil {
				continue
			}
			seen := *p
			seen.Properties, _ = merge("", p.Properties, all)
			more, err := r.values(path, e, &seen, dynamic, depth)
			if err != nil {
				return nil, err
			}
			if more != nil {
				if all, err = merge("", all, more); err != nil {
					return nil, err
				}
			}
		}
		return all, nil
	}
	object, is := v.(map[string]any)
	if p.Type == "object" {
		if !is {
			return nil, refusal.Mapping("object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", path, path)
		}
		if p.Enabled != nil && !*p.Enabled {
			return nil, nil
		}
		if p.Dynamic != "" {
			dynamic = string(p.Dynamic)
		}
		return r.object(path+".", object, p.Properties, dynamic, depth+1)
	}
	if is {
		return nil, r.failed(path, p, "START_OBJECT", "Can't get text on a START_OBJECT")
	}
	return nil, r.value(path, v, p)
}

// value reads one value of a field, and of the fields that it feeds.
func (r *reading) value(path string, v any, p *Property) error {
	if err := r.one(path, v, p); err != nil {
		return err
	}
	for name, f := range p.Fields {
		if err := r.one(path+"."+name, v, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) one(path string, v any, p *Property) error {
	text := Text(v)
	if !p.Numeric() {
		if p.Type == "boolean" && text != "true" && text != "false" && text != "" {
			return r.failed(path, p, text, "Failed to parse value ["+text+"] as only [true] or [false] are allowed.")
		}
		if p.Type == "boolean" && text == "" {
			text = "false"
		}
		r.text(path, text, p)
		return nil
	}
	n, why := p.Number(text)
	if why != "" {
		return r.failed(path, p, text, why)
	}
	r.seen[path] = 1
	if r.out != nil {
		r.out.AddField(number(path, n, p))
	}
	return nil
}

func (r *reading) text(path, text string, p *Property) {
	if p.IgnoreAbove > 0 && utf8.RuneCountInString(text) > p.IgnoreAbove {
		return
	}
	if r.out == nil {
		return
	}
	var analyzer analysis.Analyzer // nil: the text is the only term
	if p.Type == "text" {
		terms := tokens(Analyzer(p.Analyzer).Analyze([]byte(text)))
		r.seen[path] += len(terms)
		analyzer = terms
	}
	r.seen[path] = max(r.seen[path], 1)
	r.out.AddField(document.NewTextFieldCustom(path, nil, []byte(text), p.options(), analyzer))
}

func (p *Property) options() index.FieldIndexingOptions {
	o := index.FieldIndexingOptions(0)
	if p.Indexed() {
		o |= index.IndexField
	}
	switch {
	case p.Type == "text":
		return o | index.IncludeTermVectors
	case p.Sortable():
		o |= index.DocValues
	}
	return o
}

func (r *reading) failed(path string, p *Property, preview, why string) error {
	e := refusal.Mapping("failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'", path, p.Type, r.id, preview)
	e.Cause = refusal.New(400, "illegal_argument_exception", "%s", why)
	return e
}

// Text is a scalar of JSON as text.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Number reads a value of a numeric field or of a date. why says what is wrong with it.
func (p *Property) Number(text string) (n float64, why string) {
	if p.Type == "date" {
		n, ok := ParseDate(text, p.Format)
		if !ok {
			return 0, "failed to parse date field [" + text + "] with format [" + cmp.Or(p.Format, DefaultFormat) + "]"
		}
		return n, ""
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, "For input string: \"" + text + "\""
	}
	if bits := p.bits(); bits > 0 {
		n = math.Trunc(n)
		if limit := math.Ldexp(1, bits-1); n < -limit || n >= limit {
			return 0, "Value [" + text + "] is out of range for a " + p.Type
		}
	}
	if p.Type == "float" {
		if math.Abs(n) > math.MaxFloat32 {
			return 0, "[float] supports only finite values, but got [" + text + "]"
		}
		n = float64(float32(n))
	}
	return n, ""
}

func (p *Property) bits() int {
	switch p.Type {
	case "long":
		return 64
	case "integer":
		return 32
	case "short":
		return 16
	case "byte":
		return 8
	}
	return 0
}
