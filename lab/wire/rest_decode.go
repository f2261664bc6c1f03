package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// restCodec is what REST-JSON and REST-XML share: members in headers, path and query string, and bodies that are one member.
type restCodec struct{ restBody }

// restBody is the part of a REST protocol that is not HTTP.
type restBody interface {
	decodeBody(body []byte, v reflect.Value, rootName string) error
	encodeBody(a *answer, c *call, v reflect.Value, root member) error
	encodeError(c *call, e *Error) *answer
	contentType() string
	badArgument(name string, err error) *Error // a header or parameter that does not parse
}

func (c restCodec) decode(_ *call, r *request, in reflect.Value) error {
	query, err := url.ParseQuery(r.http.URL.RawQuery)
	if err != nil {
		return c.badArgument("query string", err)
	}
	for m := range members(in) {
		var err error
		switch m.Get("location") {
		case "header":
			err = setHeader(m, r.http.Header)
		case "headers":
			setHeaders(m, r.http.Header)
		case "uri":
			if label, ok := r.labels[m.wireName()]; ok {
				err = setScalar(m.value, label, orElse(m.Get("timestampFormat"), iso8601))
			}
		case "querystring":
			err = setQuery(in, m, query)
		}
		if err != nil {
			return c.badArgument(m.wireName(), err)
		}
	}
	return c.decodePayload(r, in)
}

// decodePayload reads the body: the member that is the payload, or else all members without another place.
func (c restCodec) decodePayload(r *request, in reflect.Value) error {
	m, ok := payload(in)
	if !ok {
		return c.decodeBody(r.body, in, structTag(in.Type()).Get("locationName"))
	}
	t := m.value.Type()
	switch {
	case t == reflect.TypeFor[io.ReadCloser]():
		if r.stream != nil {
			m.value.Set(reflect.ValueOf(r.stream))
		}
		return nil
	case len(r.body) == 0:
		return nil
	case isBlob(t):
		m.value.SetBytes(r.body)
		return nil
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		m.value.Set(reflect.ValueOf(new(string(r.body))))
		return nil
	}
	return c.decodeBody(r.body, settable(m.value), m.wireName())
}

func setHeader(m member, h http.Header) error {
	values := h.Values(m.wireName())
	if len(values) == 0 {
		return nil
	}
	text := strings.Join(values, ",")
	if m.wireName() == "Content-Encoding" { // aws-chunked is about the request, not the content
		if text = strings.Trim(strings.Replace(text, "aws-chunked", "", 1), ", "); text == "" {
			return nil
		}
	}
	t := m.value.Type()
	switch {
	case m.Get("type") == "jsonvalue":
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return err
		}
		return json.Unmarshal(data, m.value.Addr().Interface())
	case t.Kind() == reflect.Slice && !isBlob(t):
		for part := range strings.SplitSeq(text, ",") {
			element := reflect.New(t.Elem()).Elem()
			if err := setScalar(element, strings.TrimSpace(part), orElse(m.Get("timestampFormat"), rfc822)); err != nil {
				return err
			}
			m.value.Set(reflect.Append(m.value, element))
		}
		return nil
	}
	return setScalar(m.value, text, orElse(m.Get("timestampFormat"), rfc822))
}

// setHeaders collects the headers whose names start with the member's prefix, which comes off. Their names are in lower case, as S3 keeps them.
func setHeaders(m member, h http.Header) {
	prefix := strings.ToLower(m.Get("locationName"))
	found := map[string]string{}
	for name, values := range h {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), prefix); ok {
			found[rest] = strings.Join(values, ",")
		}
	}
	if len(found) > 0 {
		m.value.Set(reflect.ValueOf(found).Convert(m.value.Type()))
	}
}

func setQuery(in reflect.Value, m member, query url.Values) error {
	t, name := m.value.Type(), m.wireName()
	values, ok := query[name]
	switch {
	case t.Kind() == reflect.Map && m.Get("type") != "jsonvalue":
		return setQueryMap(in, m, query)
	case !ok:
		return nil
	case m.Get("type") == "jsonvalue":
		return json.Unmarshal([]byte(values[0]), m.value.Addr().Interface())
	}
	format := orElse(m.Get("timestampFormat"), iso8601)
	if t.Kind() != reflect.Slice || isBlob(t) {
		return setScalar(m.value, values[0], format)
	}
	m.value.Set(reflect.MakeSlice(t, len(values), len(values)))
	for i, text := range values {
		if err := setScalar(m.value.Index(i), text, format); err != nil {
			return err
		}
	}
	return nil
}

// setQueryMap takes every parameter that no other member of the input names.
func setQueryMap(in reflect.Value, m member, query url.Values) error {
	others := map[string]bool{}
	for other := range members(in) {
		if other.Get("location") == "querystring" && other.name != m.name {
			others[other.wireName()] = true
		}
	}
	v := reflect.MakeMap(m.value.Type())
	for name, values := range query {
		switch {
		case others[name]:
		case v.Type().Elem().Kind() == reflect.String:
			v.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(values[0]))
		case v.Type().Elem().Kind() == reflect.Slice:
			v.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(values))
		default:
			return fmt.Errorf("a query string cannot hold a %s", v.Type())
		}
	}
	m.value.Set(v)
	return nil
}
