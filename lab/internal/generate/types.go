package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// types writes Go declarations for shapes.
type types struct {
	shapes map[string]*shape
	prefix string // put before the name of every type
	docs   docs
}

// name is the Go name of a shape's type.
func (t types) name(shape string) string { return t.prefix + exported(shape) }

// reach adds to seen the shapes that r leads to, without the shape of r itself unless something below it uses it.
func (t types) reach(r *ref, seen map[string]bool) error {
	s, ok := t.shapes[r.Shape]
	if !ok {
		return fmt.Errorf("shape %s is not in the model", r.Shape)
	}
	if s.EventStream {
		return fmt.Errorf("shape %s is an event stream, which the lab does not serve", r.Shape)
	}
	for _, below := range s.refs() {
		if seen[below.Shape] {
			continue
		}
		seen[below.Shape] = true
		if err := t.reach(below, seen); err != nil {
			return err
		}
	}
	return nil
}

// declare writes the declarations of the named shapes that need one.
func (t types) declare(w io.Writer, seen map[string]bool) {
	for _, name := range sortedKeys(seen) {
		switch s := t.shapes[name]; {
		case s.Type == "structure":
			t.structure(w, t.name(name), sentence(t.docs.Shapes[name].Base), s, nil)
		case len(s.Enum) > 0:
			enum(w, t.name(name), s.Enum)
		}
	}
}

// structure writes one struct; use is the operation's reference to it when it is an input or output.
func (t types) structure(w io.Writer, name, doc string, s *shape, use *ref) {
	if doc != "" {
		doc = ": " + doc
	}
	fmt.Fprintf(w, "\n// %s%s\ntype %s struct {\n\t_ struct{} `%s`\n", name, doc, name, structureTags(s, use))
	for _, member := range sortedKeys(s.Members) {
		r := s.Members[member]
		fmt.Fprintf(w, "\t%s %s `%s`\n", exported(member), t.field(r), t.tags(member, r, slices.Contains(s.Required, member)))
	}
	fmt.Fprint(w, "}\n")
}

// field is the Go type of a member: scalars and structures are optional, so pointers.
func (t types) field(r *ref) string {
	s := t.shapes[r.Shape]
	if r.JSONValue {
		return "map[string]any"
	}
	if s.Type == "blob" && r.over(s.traits).Streaming {
		return "io.ReadCloser"
	}
	switch s.Type {
	case "list", "map", "blob":
		return t.value(r)
	}
	return "*" + t.value(r)
}

// value is the Go type of a shape's values.
func (t types) value(r *ref) string {
	s := t.shapes[r.Shape]
	switch s.Type {
	case "structure":
		return t.name(r.Shape)
	case "list":
		return "[]" + t.value(s.Member)
	case "map":
		return "map[string]" + t.value(s.Value)
	case "string", "character":
		return "string"
	case "boolean":
		return "bool"
	case "integer", "long":
		return "int64"
	case "float", "double":
		return "float64"
	case "timestamp":
		return "time.Time"
	case "blob":
		return "[]byte"
	}
	panic("unknown type " + s.Type + " of shape " + r.Shape) // the models are fixed: a bug of the generator
}

func structureTags(s *shape, use *ref) string {
	var tags tagList
	own, payload := s.traits, s.Payload
	if use != nil {
		own, payload = use.traits.over(own), first(use.Payload, payload)
	}
	tags.add("locationName", own.LocationName)
	tags.add("type", "structure")
	tags.add("payload", exported(payload))
	tags.namespace(own.XMLNamespace)
	return tags.String()
}

// tags is the tag of a member's field, as the SDK for Go v1 writes it, with max besides.
func (t types) tags(member string, r *ref, required bool) string {
	var tags tagList
	s := t.shapes[r.Shape]
	own := r.over(s.traits)
	if own.LocationName == "" && member != exported(member) { // messages carry the model's name, not Go's
		own.LocationName = member
	}
	tags.add("location", own.Location)
	tags.add("locationName", own.LocationName)
	tags.add("queryName", r.QueryName)
	tags.add("xmlName", r.XMLName)
	for key, below := range map[string]*ref{"locationNameList": s.Member, "locationNameKey": s.Key, "locationNameValue": s.Value} {
		if below != nil {
			tags.add(key, below.LocationName)
		}
	}
	slices.Sort(tags)
	if s.Min != nil {
		tags.add("min", s.Min.String())
	}
	if s.Max != nil {
		tags.add("max", s.Max.String())
	}
	if r.JSONValue {
		tags.add("type", "jsonvalue")
	} else {
		tags.add("type", s.Type)
	}
	if s.Type == "timestamp" {
		tags.add("timestampFormat", own.TimestampFormat)
	}
	tags.flag("flattened", own.Flattened)
	tags.flag("xmlAttribute", own.XMLAttribute)
	tags.flag("required", required)
	tags.add("enum", t.enumOf(r, s))
	tags.namespace(own.XMLNamespace)
	tags.flag("idempotencyToken", own.IdempotencyToken)
	tags.flag("sensitive", own.Sensitive)
	return tags.String()
}

// enumOf names the enumeration of a member's or a list member's elements, or is "".
func (t types) enumOf(r *ref, s *shape) string {
	switch {
	case len(s.Enum) > 0:
		return t.name(r.Shape)
	case s.Type == "list" && len(t.shapes[s.Member.Shape].Enum) > 0:
		return t.name(s.Member.Shape)
	}
	return ""
}

// tagList collects the keys and values of a struct tag.
type tagList []string

func (l *tagList) add(key, value string) {
	if value != "" {
		*l = append(*l, fmt.Sprintf("%s:%q", key, value))
	}
}

func (l *tagList) flag(key string, on bool) {
	if on {
		l.add(key, "true")
	}
}

func (l *tagList) namespace(n *xmlNamespace) {
	if n != nil {
		l.add("xmlPrefix", n.Prefix)
		l.add("xmlURI", n.URI)
	}
}

func (l tagList) String() string { return strings.Join(l, " ") }

// enum writes the values of an enumeration as constants.
func enum(w io.Writer, name string, values []string) {
	fmt.Fprintf(w, "\n// The values of %s.\nconst (\n", name)
	used := map[string]bool{}
	for _, value := range values {
		constant := name + camel(value)
		for used[constant] {
			constant += "_"
		}
		used[constant] = true
		fmt.Fprintf(w, "\t%s = %q\n", constant, value)
	}
	fmt.Fprint(w, ")\n")
}

// camel turns an enumeration's value into the end of a Go name: "in-use", "IN_USE" and "In use" become InUse.
func camel(value string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.ToUpper(word) == word {
			word = strings.ToLower(word)
		}
		b.WriteString(exported(word))
	}
	if b.Len() == 0 {
		return "Empty"
	}
	return b.String()
}

// exported puts the first letter in upper case.
func exported(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
