package wire

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// xmlEncoder writes elements.
type xmlEncoder struct{ *bytes.Buffer }

func (x xmlEncoder) open(name string, attrs ...[2]string) {
	x.WriteString("<" + name)
	for _, a := range attrs {
		x.WriteString(" " + a[0] + `="`)
		x.escape(a[1])
		x.WriteByte('"')
	}
	x.WriteByte('>')
}

func (x xmlEncoder) close(name string) { x.WriteString("</" + name + ">") }

func (x xmlEncoder) element(name, text string) {
	x.open(name)
	x.escape(text)
	x.close(name)
}

func (x xmlEncoder) escape(text string) { _ = xml.EscapeText(x, []byte(text)) } // a bytes.Buffer does not fail

// body writes the members of a structure that belong into the body.
func (x xmlEncoder) body(v reflect.Value) error {
	for m := range members(v) {
		if !m.inBody() || m.Get("xmlAttribute") == "true" || !m.isSet() {
			continue
		}
		if err := x.member(m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (x xmlEncoder) member(m member) error {
	t, name := m.value.Type(), m.elementName()
	switch {
	case t.Kind() == reflect.Slice && !isBlob(t):
		if m.flattened() {
			return x.list(name, m.value)
		}
		x.open(name)
		defer x.close(name)
		return x.list(orElse(m.Get("locationNameList"), "member"), m.value)
	case t.Kind() == reflect.Map:
		if m.flattened() {
			return x.table(name, m.value, m.StructTag)
		}
		x.open(name)
		defer x.close(name)
		return x.table("entry", m.value, m.StructTag)
	}
	return x.value(name, m.value, m.StructTag)
}

// value writes one element. A list within a list or a map has no names of its own: its elements are called member.
func (x xmlEncoder) value(name string, v reflect.Value, tag reflect.StructTag) error {
	v = reflect.Indirect(v)
	switch t := v.Type(); {
	case isScalar(t):
		x.element(name, formatScalar(v, orElse(tag.Get("timestampFormat"), iso8601)))
		return nil
	case t.Kind() == reflect.Struct:
		x.open(name, attributes(v, tag)...)
		defer x.close(name)
		return x.body(v)
	case t.Kind() == reflect.Slice:
		x.open(name)
		defer x.close(name)
		return x.list("member", v)
	case t.Kind() == reflect.Map:
		x.open(name)
		defer x.close(name)
		return x.table("entry", v, "")
	default:
		return fmt.Errorf("a value of type %s cannot be XML", t)
	}
}

func (x xmlEncoder) list(name string, v reflect.Value) error {
	for i := range v.Len() {
		if err := x.value(name, v.Index(i), ""); err != nil {
			return err
		}
	}
	return nil
}

func (x xmlEncoder) table(entry string, v reflect.Value, tag reflect.StructTag) error {
	values := map[string]reflect.Value{}
	for key, value := range v.Seq2() {
		values[key.String()] = value
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		x.open(entry)
		x.element(orElse(tag.Get("locationNameKey"), "key"), key)
		if err := x.value(orElse(tag.Get("locationNameValue"), "value"), values[key], ""); err != nil {
			return err
		}
		x.close(entry)
	}
	return nil
}

// attributes returns the XML attributes of a structure: its namespace, and the members that are attributes.
func attributes(v reflect.Value, tag reflect.StructTag) [][2]string {
	var out [][2]string
	if uri := tag.Get("xmlURI"); uri != "" {
		name := "xmlns"
		if prefix := tag.Get("xmlPrefix"); prefix != "" {
			name += ":" + prefix
		}
		out = append(out, [2]string{name, uri})
	}
	for m := range members(v) {
		if m.Get("xmlAttribute") == "true" && m.isSet() {
			out = append(out, [2]string{m.wireName(), formatScalar(m.value, iso8601)})
		}
	}
	return out
}
