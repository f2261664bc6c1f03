package cloudtrail

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"storefront/lab/wire"
)

// hidden stands for a value that CloudTrail does not write down.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// maxParameters is the size from which request or response are left out, in bytes of JSON: "CloudTrail record contents".
const maxParameters = 100 << 10

// dialect is how the parameters of a service look in events.
type dialect struct {
	asXML  bool                // EC2: names as in its XML messages, and lists are {"items": [...]}
	rename map[string]string   // members that CloudTrail names otherwise
	secret map[string]struct{} // members that hold what customers say to each other
}

func dialectOf(service string) dialect {
	switch service {
	case "ec2":
		return dialect{asXML: true, rename: map[string]string{"return": "_return"}}
	case "s3":
		return dialect{rename: map[string]string{"Bucket": "bucketName"}}
	case "sqs", "sns":
		return dialect{secret: names("MessageBody", "Message", "Subject", "MessageAttributes", "Messages")}
	}
	return dialect{}
}

func names(list ...string) map[string]struct{} {
	set := map[string]struct{}{}
	for _, name := range list {
		set[name] = struct{}{}
	}
	return set
}

// parameters turns an input or output into what an event says of it, or nil when it has no members that are set.
func (d dialect) parameters(message any) map[string]any {
	v := reflect.ValueOf(message)
	if !v.IsValid() || v.IsNil() {
		return nil
	}
	if m := d.structure(v.Elem()); len(m) > 0 {
		return m
	}
	return nil
}

func (d dialect) structure(v reflect.Value) map[string]any {
	m := map[string]any{}
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		if f.Name == "_" || !f.IsExported() || nilable(value) && value.IsNil() || value.Type() == reflect.TypeFor[io.ReadCloser]() {
			continue
		}
		if d.isSecret(f, value) {
			m[d.name(f)] = hidden
		} else {
			m[d.name(f)] = d.value(value)
		}
	}
	return m
}

func nilable(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	}
	return false
}

// name is the member's name with its first letter in lower case.
func (d dialect) name(f reflect.StructField) string {
	name := f.Name
	if located := f.Tag.Get("locationName"); d.asXML && located != "" {
		name = located
	}
	if other, ok := d.rename[name]; ok {
		return other
	}
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(first)) + name[size:]
}

// isSecret tells whether a member's value stays out of events: what AWS's models mark, blobs, messages of customers, and what is called a secret.
func (d dialect) isSecret(f reflect.StructField, v reflect.Value) bool {
	if f.Tag.Get("sensitive") == "true" || v.Type() == reflect.TypeFor[[]byte]() {
		return true
	}
	if _, ok := d.secret[f.Name]; ok {
		return true
	}
	if v.Kind() == reflect.Pointer && v.Elem().Kind() != reflect.String {
		return false // ManageMasterUserPassword
	}
	name := strings.ToLower(f.Name)
	for _, word := range []string{"password", "secretaccesskey", "secretstring", "sessiontoken", "authtoken", "privatekey", "keymaterial"} {
		if strings.HasSuffix(name, word) || strings.HasSuffix(name, word+"s") {
			return true
		}
	}
	return false
}

func (d dialect) value(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(time.RFC3339)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.structure(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = d.value(v.Index(i))
		}
		if d.asXML {
			return map[string]any{"items": list}
		}
		return list
	case reflect.Map:
		m := map[string]any{}
		for key, value := range v.Seq2() {
			m[key.String()] = d.value(value)
		}
		return m
	}
	return v.Interface()
}

// encode writes parameters as JSON: "null" for none, and a note in the place of what is too large.
func encode(what string, parameters map[string]any) (json.RawMessage, error) {
	if parameters == nil {
		return json.RawMessage("null"), nil
	}
	text, err := json.Marshal(parameters)
	if err == nil && len(text) > maxParameters {
		return json.Marshal(map[string]any{"omitted": true, "originalSize": len(text), "reason": what + " too large"})
	}
	return text, err
}

// member is the value of an input's member of text, or "".
func member(input any, name string) string {
	v := reflect.ValueOf(input)
	if !v.IsValid() || v.IsNil() {
		return ""
	}
	f := v.Elem().FieldByName(name)
	if !f.IsValid() {
		return ""
	}
	text, _ := f.Interface().(*string)
	return wire.Value(text)
}
