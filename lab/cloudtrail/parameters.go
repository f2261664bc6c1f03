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

// parametersOf is what an event says of a call's request and, when it is told, its response; nil for what has no members that are set.
func parametersOf(c wire.Call, told bool) (request, response map[string]any) {
	if c.Service.Name == "ec2" {
		return parametersOfEC2(c, told)
	}
	d := dialectOf(c.Service.Name)
	request = d.parameters(c.Input)
	if told {
		response = d.parameters(c.Output)
	}
	return request, response
}

// dialect is how the parameters of a service look in events.
type dialect struct {
	rename map[string]string   // members that CloudTrail names otherwise
	secret map[string]struct{} // members that hold what customers say to each other
}

func dialectOf(service string) dialect {
	switch service {
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
	for f, value := range v.Fields() {
		if !isMember(f) || nilable(value) && value.IsNil() {
			continue
		}
		if _, said := d.secret[f.Name]; said || isSecret(f, value) {
			m[d.name(f)] = hidden
		} else {
			m[d.name(f)] = d.value(value)
		}
	}
	return m
}

// isMember tells the members of messages from what else their types have.
func isMember(f reflect.StructField) bool {
	return f.IsExported() && f.Type != reflect.TypeFor[io.ReadCloser]()
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
	if other, ok := d.rename[f.Name]; ok {
		return other
	}
	return first(f.Name, unicode.ToLower)
}

// first changes the first letter of a name.
func first(name string, to func(rune) rune) string {
	letter, size := utf8.DecodeRuneInString(name)
	return string(to(letter)) + name[size:]
}

// isSecret tells whether a member's value stays out of events: what AWS's models mark, blobs, and what is called a secret.
func isSecret(f reflect.StructField, v reflect.Value) bool {
	if f.Tag.Get("sensitive") == "true" || v.Type() == reflect.TypeFor[[]byte]() {
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
