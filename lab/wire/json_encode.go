package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

func (jsonCodec) encode(c *call, out reflect.Value) (*answer, error) {
	a := newAnswer(c.operation.status(), "application/x-amz-json-"+c.service.JSONVersion)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	return a, jsonEncoder{&a.body}.value(out, "")
}

func (jsonCodec) encodeError(c *call, e *Error) *answer {
	a := newAnswer(e.Status, "application/x-amz-json-"+c.service.JSONVersion)
	if c.service.QueryToo || c.service.NewerToo {
		a.header.Set("X-Amzn-Query-Error", orElse(e.QueryCode, e.Code)+";"+faultOf(e))
	}
	jsonError(a, c, e, "__type")
	return a
}

// jsonError writes an error's body and headers; typeMember is where the JSON protocol, but not REST-JSON, repeats the code.
func jsonError(a *answer, c *call, e *Error, typeMember string) {
	a.header.Set("X-Amzn-Requestid", c.requestID)
	a.header.Set("X-Amzn-Errortype", e.Code)
	body := map[string]any{"message": e.Message}
	for name, value := range e.Fields {
		body[name] = value
	}
	if typeMember != "" {
		body[typeMember] = e.Code
	}
	x := jsonEncoder{&a.body}
	x.quote(body)
}

// jsonEncoder writes JSON.
type jsonEncoder struct{ *bytes.Buffer }

// value writes v. Members of a structure that are not set, or do not belong into the body, are left out.
func (x jsonEncoder) value(v reflect.Value, tag reflect.StructTag) error {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		x.time(t, orElse(tag.Get("timestampFormat"), unixTimestamp))
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return x.structure(v)
	case reflect.Map:
		return x.table(v, tag)
	case reflect.Slice:
		if isBlob(v.Type()) {
			x.quote(base64.StdEncoding.EncodeToString(v.Bytes()))
			return nil
		}
		return x.list(v)
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			x.quote(formatFloat(f))
			return nil
		}
		x.quote(v.Float())
	case reflect.String:
		x.quote(v.String())
	case reflect.Bool:
		x.quote(v.Bool())
	case reflect.Int64:
		x.quote(v.Int())
	case reflect.Interface:
		return x.quote(v.Interface())
	default:
		return fmt.Errorf("a value of type %s cannot be JSON", v.Type())
	}
	return nil
}

func (x jsonEncoder) structure(v reflect.Value) error {
	x.WriteByte('{')
	separator := ""
	for m := range members(v) {
		if !m.inBody() || !m.isSet() {
			continue
		}
		x.WriteString(separator)
		separator = ","
		x.quote(m.wireName())
		x.WriteByte(':')
		if err := x.value(m.value, m.StructTag); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	x.WriteByte('}')
	return nil
}

func (x jsonEncoder) list(v reflect.Value) error {
	x.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			x.WriteByte(',')
		}
		if err := x.value(v.Index(i), ""); err != nil {
			return err
		}
	}
	x.WriteByte(']')
	return nil
}

func (x jsonEncoder) table(v reflect.Value, tag reflect.StructTag) error {
	if tag.Get("type") == "jsonvalue" { // a document in a string
		document, err := json.Marshal(v.Interface())
		if err != nil {
			return err
		}
		return x.quote(string(document))
	}
	values := map[string]reflect.Value{}
	for key, value := range v.Seq2() {
		values[key.String()] = value
	}
	x.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			x.WriteByte(',')
		}
		x.quote(key)
		x.WriteByte(':')
		if err := x.value(values[key], ""); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	x.WriteByte('}')
	return nil
}

func (x jsonEncoder) time(t time.Time, format string) {
	if format == unixTimestamp {
		x.WriteString(formatTime(t, format))
		return
	}
	x.quote(formatTime(t, format))
}

// quote writes a plain value as encoding/json does, without HTML escapes and the line end.
func (x jsonEncoder) quote(v any) error {
	e := json.NewEncoder(x)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	x.Truncate(x.Len() - 1)
	return nil
}
