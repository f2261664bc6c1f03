package wire

import (
	"iter"
	"reflect"
	"strconv"
)

// member is one member of a generated structure, with what the model says about it in its struct tags.
type member struct {
	reflect.StructTag
	name  string // in the model and in Go
	value reflect.Value
}

// members yields the members of a structure in their order.
func members(v reflect.Value) iter.Seq[member] {
	return func(yield func(member) bool) {
		t := v.Type()
		for i := range t.NumField() {
			f := t.Field(i)
			if f.PkgPath != "" || f.Name == "_" {
				continue
			}
			if !yield(member{f.Tag, f.Name, v.Field(i)}) {
				return
			}
		}
	}
}

// wireName is the name in messages: locationName, or else the member's own.
func (m member) wireName() string { return orElse(m.Get("locationName"), m.name) }

// elementName is the name of the XML elements or query parameters that carry the member. A flattened list takes that of its elements. xmlName is where
// services that are served over JSON and the query protocol keep it.
func (m member) elementName() string {
	if name := m.Get("xmlName"); name != "" {
		return name
	}
	if m.flattened() && m.Get("locationNameList") != "" {
		return m.Get("locationNameList")
	}
	return m.wireName()
}

func (m member) flattened() bool { return m.Get("flattened") == "true" }
func (m member) inBody() bool    { return m.Get("location") == "" }
func (m member) required() bool  { return m.Get("required") == "true" }

// bound returns the number of the tag min or max.
func (m member) bound(tag string) (float64, bool) {
	text, ok := m.Lookup(tag)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// isSet tells whether the member is there: pointers, lists, maps, blobs and streams are nil when it is not.
func (m member) isSet() bool { return !m.value.IsNil() }

// structTag is the tag of a structure itself, kept on its blank field.
func structTag(t reflect.Type) reflect.StructTag {
	if f, ok := t.FieldByName("_"); ok {
		return f.Tag
	}
	return ""
}

// payload returns the member that is the whole body, if the structure has one.
func payload(v reflect.Value) (member, bool) {
	name := structTag(v.Type()).Get("payload")
	f, ok := v.Type().FieldByName(name)
	if name == "" || !ok {
		return member{}, false
	}
	return member{f.Tag, f.Name, v.FieldByIndex(f.Index)}, true
}

// settable returns the value behind an optional member, making it when it is not there.
func settable(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
