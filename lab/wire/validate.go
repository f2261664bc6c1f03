package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// violation is one constraint of the model that an input breaks.
type violation struct {
	path       string // as the service's own messages write it
	value      string // "null" or quoted; "" where it is secret
	constraint string
	missing    bool
	inBody     bool
}

// validate checks an input against the model's constraints and returns the error that the service's protocol family gives, or nil.
func validate(s *Service, in reflect.Value) *Error {
	w := validator{service: s}
	w.structure(in, "", true)
	if len(w.found) == 0 {
		return nil
	}
	switch first := w.found[0]; {
	case s.Protocol == EC2 && first.missing:
		return Errorf(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter %s", first.path)
	case s.Protocol == EC2:
		return Errorf(http.StatusBadRequest, "InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", strings.Trim(first.value, "'"), first.path, first.constraint)
	case s.isS3() && first.inBody:
		return malformedXML(first.String())
	case s.isS3():
		return &Error{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: first.String(), Fields: map[string]string{"ArgumentName": first.path}}
	}
	code := "ValidationException"
	if s.Protocol == Query {
		code = "ValidationError"
	}
	return Errorf(http.StatusBadRequest, code, "%s", joinViolations(w.found))
}

func (v violation) String() string {
	value := "Value " + v.value
	if v.value == "" {
		value = "Value"
	}
	return fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", value, v.path, v.constraint)
}

func joinViolations(found []violation) string {
	texts := make([]string, len(found))
	for i, v := range found {
		texts[i] = v.String()
	}
	noun := "errors"
	if len(found) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(found), noun, strings.Join(texts, "; "))
}

// validator walks an input and collects what it finds.
type validator struct {
	service *Service
	found   []violation
}

func (w *validator) structure(v reflect.Value, path string, top bool) {
	for m := range members(v) {
		w.member(m, path+w.segment(m), top && !m.inBody())
	}
}

// segment is a member's part of the path: EC2 names parameters, S3 elements and headers, the others the member with a small first letter.
func (w *validator) segment(m member) string {
	switch {
	case w.service.Protocol == EC2:
		return ec2Name(m)
	case w.service.isS3():
		return m.elementName()
	}
	return strings.ToLower(m.name[:1]) + m.name[1:]
}

func (w *validator) member(m member, path string, outside bool) {
	missing := !m.isSet() || w.service.Protocol == EC2 && m.value.Kind() == reflect.Slice && m.value.Len() == 0
	switch {
	case missing && m.required():
		w.found = append(w.found, violation{path: path, value: "null", constraint: "Member must not be null", missing: true, inBody: !outside})
		return
	case !m.isSet():
		return
	}
	w.value(reflect.Indirect(m.value), m, path, outside)
}

func (w *validator) value(v reflect.Value, m member, path string, outside bool) {
	refuse := func(constraint string) {
		found := violation{path: path, value: "'" + printed(v) + "'", constraint: constraint, inBody: !outside}
		if m.Get("sensitive") == "true" {
			found.value = ""
		}
		w.found = append(w.found, found)
	}
	w.bounds(v, m, refuse)
	switch {
	case v.Kind() == reflect.String:
		if values, ok := w.service.Enums[m.Get("enum")]; ok && !slices.Contains(values, v.String()) {
			refuse("Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]")
		}
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		w.structure(v, path+".", false)
	case v.Kind() == reflect.Slice && !isBlob(v.Type()):
		for i := range v.Len() {
			w.value(v.Index(i), elementOf(m), path+w.index(m, i), outside)
		}
	case v.Kind() == reflect.Map:
		for key, value := range v.Seq2() {
			if value.Kind() == reflect.Struct {
				w.structure(value, path+"."+key.String()+".member.", false)
			}
		}
	}
}

// elementOf keeps of a list's tags what holds for its elements.
func elementOf(m member) member {
	return member{StructTag: reflect.StructTag(fmt.Sprintf(`enum:%q sensitive:%q`, m.Get("enum"), m.Get("sensitive"))), name: m.name}
}

func (w *validator) index(m member, i int) string {
	if w.service.Protocol == EC2 {
		return "." + strconv.Itoa(i+1)
	}
	return "." + strconv.Itoa(i+1) + ".member"
}

// bounds checks min and max: of a number its value, of a text its characters, of a blob its bytes, of a list or map its elements.
func (w *validator) bounds(v reflect.Value, m member, refuse func(string)) {
	var size float64
	what := "length"
	switch v.Kind() {
	case reflect.Int64:
		size, what = float64(v.Int()), "value"
	case reflect.Float64:
		size, what = v.Float(), "value"
	case reflect.String:
		size = float64(utf8.RuneCountInString(v.String()))
	case reflect.Slice, reflect.Map:
		size = float64(v.Len())
	default:
		return
	}
	if low, ok := m.bound("min"); ok && size < low {
		refuse(fmt.Sprintf("Member must have %s greater than or equal to %v", what, low))
	}
	if high, ok := m.bound("max"); ok && size > high {
		refuse(fmt.Sprintf("Member must have %s less than or equal to %s", what, strconv.FormatFloat(high, 'f', -1, 64)))
	}
}

func printed(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct:
		if !isBlob(v.Type()) && v.Kind() == reflect.Slice && v.Len() == 0 {
			return "[]"
		}
		return "..."
	}
	return formatScalar(v, iso8601)
}
