package wire

import (
	"net/http"
	"reflect"
)

// queryCodec is AWS's query protocol: form-encoded requests, XML answers.
type queryCodec struct{}

func (queryCodec) decode(_ *call, r *request, in reflect.Value) error {
	root, ok := parseForm(r.form)
	if !ok {
		return Errorf(http.StatusBadRequest, "MalformedInput", "A parameter is nested too deep")
	}
	return formDecoder{names: member.elementName, refuse: func(path string, err error) error {
		return Errorf(http.StatusBadRequest, "MalformedInput", "%s: %v", path, err)
	}}.structure(root, in, "")
}

// formDecoder fills values from a form. Its fields are where the query and the EC2 protocol differ.
type formDecoder struct {
	names   func(member) string // of the parameter that carries a member
	flatten bool                // every list is flattened
	refuse  func(path string, err error) error
}

func (d formDecoder) structure(n *formNode, v reflect.Value, path string) error {
	for m := range members(v) {
		name := d.names(m)
		child := n.child(name)
		if child == nil {
			continue
		}
		if err := d.value(child, m.value, m.StructTag, path+name); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) value(n *formNode, v reflect.Value, tag reflect.StructTag, path string) error {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isScalar(t):
		if err := setScalar(v, n.value, orElse(tag.Get("timestampFormat"), iso8601)); err != nil {
			return d.refuse(path, err)
		}
		return nil
	case t.Kind() == reflect.Struct:
		return d.structure(n, settable(v), path+".")
	case t.Kind() == reflect.Slice:
		return d.list(n, v, tag, path)
	case t.Kind() == reflect.Map:
		return d.table(n, v, tag, path)
	}
	return nil
}

func (d formDecoder) list(n *formNode, v reflect.Value, tag reflect.StructTag, path string) error {
	if tag.Get("flattened") != "true" && !d.flatten {
		name := orElse(tag.Get("locationNameList"), "member")
		path += "." + name
		if inner := n.child(name); inner != nil {
			n = inner
		}
	}
	elements := n.elements()
	v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	for i, e := range elements {
		if err := d.value(e, v.Index(i), "", path); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) table(n *formNode, v reflect.Value, tag reflect.StructTag, path string) error {
	if tag.Get("flattened") != "true" {
		if inner := n.child("entry"); inner != nil {
			n = inner
		}
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range n.elements() {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if k := e.child(orElse(tag.Get("locationNameKey"), "key")); k != nil {
			key.SetString(k.value)
		}
		if w := e.child(orElse(tag.Get("locationNameValue"), "value")); w != nil {
			if err := d.value(w, value, "", path); err != nil {
				return err
			}
		}
		v.SetMapIndex(key, value)
	}
	return nil
}
