package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"
)

// jsonCodec is AWS's JSON protocol, 1.0 and 1.1.
type jsonCodec struct{}

func (jsonCodec) decode(_ *call, r *request, in reflect.Value) error {
	return decodeJSON(r.content, in)
}

// decodeJSON fills v from a document; members that the model does not know are ignored, as at AWS. No body at all is an empty document.
func decodeJSON(body []byte, v reflect.Value) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var document any
	err := d.Decode(&document)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("data after the document")
		}
	}
	if err == nil {
		err = setJSON(v, document, "")
	}
	if err != nil {
		return Errorf(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	return nil
}

// setJSON stores a parsed JSON value. null leaves a value as it is.
func setJSON(v reflect.Value, j any, tag reflect.StructTag) error {
	if j == nil {
		return nil
	}
	v = settable(v)
	switch j := j.(type) {
	case map[string]any:
		return setJSONObject(v, j)
	case []any:
		if v.Kind() != reflect.Slice || isBlob(v.Type()) {
			return fmt.Errorf("a list cannot be a %s", jsonKind(v))
		}
		v.Set(reflect.MakeSlice(v.Type(), len(j), len(j)))
		for i, element := range j {
			if err := setJSON(v.Index(i), element, ""); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	case string:
		return setJSONString(v, j, tag)
	case json.Number:
		return setJSONNumber(v, j)
	case bool:
		if v.Kind() != reflect.Bool {
			return fmt.Errorf("a boolean cannot be a %s", jsonKind(v))
		}
		v.SetBool(j)
	}
	return nil
}

func setJSONObject(v reflect.Value, object map[string]any) error {
	switch {
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMapWithSize(v.Type(), len(object)))
		for key, j := range object {
			value := reflect.New(v.Type().Elem()).Elem()
			if value.Kind() == reflect.Interface { // a document of no fixed form
				value.Set(reflect.ValueOf(&j).Elem())
			} else if err := setJSON(value, j, ""); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
		}
		return nil
	case v.Kind() != reflect.Struct || v.Type() == timeType:
		return fmt.Errorf("an object cannot be a %s", jsonKind(v))
	}
	for m := range members(v) {
		j, ok := object[m.wireName()]
		if !ok || !m.inBody() {
			continue
		}
		if err := setJSON(m.value, j, m.StructTag); err != nil {
			return fmt.Errorf("%s: %w", m.wireName(), err)
		}
	}
	return nil
}

func setJSONString(v reflect.Value, text string, tag reflect.StructTag) error {
	switch {
	case tag.Get("type") == "jsonvalue":
		return json.Unmarshal([]byte(text), v.Addr().Interface())
	case v.Type() == timeType:
		t, err := parseTime(text, orElse(tag.Get("timestampFormat"), iso8601))
		if err != nil { // a member without a format of its own may come in either
			t, err = parseTime(text, rfc822)
		}
		v.Set(reflect.ValueOf(t))
		return err
	case isBlob(v.Type()):
		data, err := base64.StdEncoding.DecodeString(text)
		v.SetBytes(data)
		return err
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	case v.Kind() == reflect.Float64: // NaN and the infinities
		return setScalar(v, text, "")
	}
	return fmt.Errorf("a string cannot be a %s", jsonKind(v))
}

func setJSONNumber(v reflect.Value, n json.Number) error {
	f, err := n.Float64()
	switch {
	case err != nil:
		return err
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(unixTime(f)))
		return nil
	case v.Kind() == reflect.Float64:
		v.SetFloat(f)
		return nil
	case v.Kind() == reflect.Int64:
		i, err := n.Int64()
		if err != nil && f == float64(int64(f)) { // 1e3, 5.0
			i, err = int64(f), nil
		}
		v.SetInt(i)
		return err
	}
	return fmt.Errorf("a number cannot be a %s", jsonKind(v))
}

// jsonKind names the kind of value that v holds, for messages.
func jsonKind(v reflect.Value) string {
	switch {
	case v.Type() == timeType:
		return reflect.TypeFor[time.Time]().Name()
	case isBlob(v.Type()):
		return "blob"
	}
	return v.Kind().String()
}
