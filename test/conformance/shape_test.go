//go:build linux

package conformance

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// shaped holds an answer against its model.
func shaped(output reflect.Value, model reflect.Type, step step) error {
	if names := lacking(output, model, ""); len(names) > 0 {
		return fmt.Errorf("the answer lacks %s", strings.Join(names, ", "))
	}
	if empty := isEmpty(output, model); empty != step.empty && asks(step.operation) {
		return fmt.Errorf("whether the answer is empty is %v, want %v", empty, step.empty)
	}
	return nil
}

// asks tells of operations that are there for their answers.
func asks(operation string) bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup", "Receive"}, func(verb string) bool { return strings.HasPrefix(operation, verb) })
}

// lacking returns the members that the model requires of an answer and that the client did not find in it.
func lacking(got reflect.Value, model reflect.Type, path string) (names []string) {
	for got.IsValid() && got.Kind() == reflect.Pointer {
		got = got.Elem()
	}
	for model.Kind() == reflect.Pointer {
		model = model.Elem()
	}
	if !got.IsValid() {
		return nil
	}
	switch {
	case got.Kind() == reflect.Slice && model.Kind() == reflect.Slice:
		for i := range got.Len() {
			names = append(names, lacking(got.Index(i), model.Elem(), path+".#")...)
		}
	case got.Kind() == reflect.Struct && model.Kind() == reflect.Struct && got.Type() != timeType:
		for i := range model.NumField() {
			f := model.Field(i)
			if !f.IsExported() {
				continue
			}
			m := member(got, f.Name)
			if !m.IsValid() {
				continue // the model is older than the client, which may have dropped a member
			}
			if f.Tag.Get("required") == "true" && isAbsent(m) {
				names = append(names, path+"."+f.Name)
			}
			names = append(names, lacking(m, f.Type, path+"."+f.Name)...)
		}
	}
	return names
}

// isAbsent tells of members that can be absent: a required number is a plain one in the SDK, and 0 may be its value.
func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

// isEmpty tells whether an answer that could say something says nothing.
func isEmpty(output reflect.Value, model reflect.Type) bool {
	members := 0
	for i := range model.NumField() {
		f := model.Field(i)
		if !f.IsExported() {
			continue
		}
		members++
		m := member(output, f.Name)
		if !m.IsValid() {
			continue
		}
		if k := m.Kind(); (k == reflect.Slice || k == reflect.Map) && m.Len() > 0 || k != reflect.Slice && k != reflect.Map && !m.IsZero() {
			return false
		}
	}
	return members > 0
}
