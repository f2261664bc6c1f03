package wire

import (
	"fmt"
	"reflect"
	"strings"
)

// xmlDecoder fills values from XML. It refuses elements that the model does not know, as Amazon S3's schema does.
type xmlDecoder struct{}

func (d xmlDecoder) structure(n *xmlNode, v reflect.Value) error {
	known := map[string]bool{}
	for m := range members(v) {
		if !m.inBody() {
			continue
		}
		name := m.elementName()
		if m.Get("xmlAttribute") == "true" {
			if value, ok := n.attrs[localName(name)]; ok {
				if err := setScalar(m.value, value, iso8601); err != nil {
					return fmt.Errorf("attribute %s: %w", name, err)
				}
			}
			continue
		}
		known[name] = true
		nodes := n.all(name)
		if len(nodes) == 0 {
			continue
		}
		if err := d.member(nodes, m); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, c := range n.children {
		if !known[c.name] {
			return fmt.Errorf("unknown element %s", c.name)
		}
	}
	return nil
}

// member decodes all the elements that carry a member: several for a flattened list or map.
func (d xmlDecoder) member(nodes []*xmlNode, m member) error {
	t := m.value.Type()
	switch {
	case t.Kind() == reflect.Slice && !isBlob(t) && m.flattened():
		return d.list(nodes, m.value)
	case t.Kind() == reflect.Map && m.flattened():
		return d.table(nodes, m.value, m.StructTag)
	case len(nodes) > 1:
		return fmt.Errorf("the element occurs %d times", len(nodes))
	}
	return d.value(nodes[0], m.value, m.StructTag)
}

func (d xmlDecoder) value(n *xmlNode, v reflect.Value, tag reflect.StructTag) error {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isScalar(t):
		return setScalar(v, n.text.String(), orElse(tag.Get("timestampFormat"), iso8601))
	case t.Kind() == reflect.Struct:
		return d.structure(n, settable(v))
	case t.Kind() == reflect.Slice:
		return d.list(n.all(orElse(tag.Get("locationNameList"), "member")), v)
	case t.Kind() == reflect.Map:
		return d.table(n.all("entry"), v, tag)
	}
	return fmt.Errorf("a value of type %s cannot be XML", t)
}

func (d xmlDecoder) list(nodes []*xmlNode, v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), len(nodes), len(nodes)))
	for i, n := range nodes {
		if err := d.value(n, v.Index(i), ""); err != nil {
			return err
		}
	}
	return nil
}

func (d xmlDecoder) table(entries []*xmlNode, v reflect.Value, tag reflect.StructTag) error {
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		keys, values := e.all(orElse(tag.Get("locationNameKey"), "key")), e.all(orElse(tag.Get("locationNameValue"), "value"))
		if len(keys) != 1 || len(values) != 1 {
			return fmt.Errorf("a map entry needs one key and one value")
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(values[0], value, ""); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(keys[0].text.String()).Convert(v.Type().Key()), value)
	}
	return nil
}

func localName(name string) string { return name[strings.IndexByte(name, ':')+1:] }
