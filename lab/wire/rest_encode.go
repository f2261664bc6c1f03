package wire

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
)

func (c restCodec) encode(call *call, out reflect.Value) (*answer, error) {
	a := newAnswer(call.operation.status(), "")
	for m := range members(out) {
		switch location := m.Get("location"); {
		case location == "" || !m.isSet():
		case location == "statusCode":
			a.status = int(m.value.Elem().Int())
		case location == "headers":
			for name, value := range m.value.Seq2() {
				a.header.Set(m.Get("locationName")+name.String(), value.String())
			}
		case location == "header":
			if err := addHeader(a.header, m); err != nil {
				return nil, err
			}
		}
	}
	return a, c.encodePayload(a, call, out)
}

func (c restCodec) encodePayload(a *answer, call *call, out reflect.Value) error {
	m, ok := payload(out)
	switch {
	case !ok && !hasBody(out):
		return nil
	case !ok:
		setContentType(a, c.contentType())
		return c.encodeBody(a, call, out, member{name: call.operation.Name + "Output"})
	case !m.isSet():
		return nil
	}
	switch value := m.value.Interface().(type) {
	case io.ReadCloser:
		a.stream = value
		setContentType(a, "binary/octet-stream")
	case []byte:
		a.body.Write(value)
		setContentType(a, "application/octet-stream")
	case *string:
		a.body.WriteString(*value)
		setContentType(a, "text/plain")
	default:
		setContentType(a, c.contentType())
		return c.encodeBody(a, call, m.value.Elem(), m)
	}
	return nil
}

// setContentType sets the type of the body unless the output named one.
func setContentType(a *answer, contentType string) {
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", contentType)
	}
}

// hasBody tells whether any member of an output belongs into the body.
func hasBody(out reflect.Value) bool {
	for m := range members(out) {
		if m.inBody() {
			return true
		}
	}
	return false
}

func addHeader(h http.Header, m member) error {
	name, t := m.wireName(), m.value.Type()
	format := orElse(m.Get("timestampFormat"), rfc822)
	switch {
	case m.Get("type") == "jsonvalue":
		document, err := json.Marshal(m.value.Interface())
		if err != nil {
			return err
		}
		h.Set(name, base64.StdEncoding.EncodeToString(document))
	case t.Kind() == reflect.Slice && !isBlob(t):
		texts := make([]string, m.value.Len())
		for i := range texts {
			texts[i] = formatScalar(m.value.Index(i), format)
		}
		h.Set(name, strings.Join(texts, ","))
	default:
		h.Set(name, formatScalar(m.value, format))
	}
	return nil
}
