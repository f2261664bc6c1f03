//go:build linux

package conformance

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/middleware"

	"storefront/lab/wire"
)

// invalid is an input that breaks what the model says of it.
type invalid struct {
	input   reflect.Value
	what    string
	missing bool
	change  []func(*middleware.Stack) error
	codes   map[string]int // that may answer it, with their status
}

// invalidInput makes an invalid input from an operation's model: without what is required, or else with a value out of its range. An operation that
// takes nothing at all can only be called by someone who may not. ok is false when there is no such input, and the scenario has to have one.
func (s *service) invalidInput(operation wire.Operation) (v invalid, ok bool, err error) {
	m, err := s.method(operation.Name)
	if err != nil {
		return v, false, err
	}
	v.input = reflect.New(m.Type().In(1).Elem())
	model := reflect.TypeOf(operation.NewInput()).Elem()
	members, labels := 0, false
	for i := range model.NumField() {
		f := model.Field(i)
		if !f.IsExported() {
			continue
		}
		members++
		if f.Tag.Get("location") == "uri" || s.isS3() && f.Tag.Get("required") == "true" && f.Type.Kind() == reflect.Pointer {
			labels = true
			if err := dummy(member(v.input.Elem(), f.Name)); err != nil {
				return v, false, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	if members == 0 {
		v.what, v.change, v.codes = "an unknown access key", []func(*middleware.Stack) error{byStranger}, s.strangerCodes()
		return v, true, nil
	}
	if s.isS3() {
		v.what, v.codes = "of a bucket that is not there", map[string]int{"NoSuchBucket": 404, "NotFound": 404, "MalformedXML": 400}
		return v, labels, nil
	}
	for i := range model.NumField() {
		if f := model.Field(i); f.Tag.Get("required") == "true" && f.Tag.Get("location") != "uri" {
			v.what, v.missing, v.codes = "without "+f.Name, true, s.codes(true)
			return v, true, nil
		}
	}
	if labels {
		return v, false, nil // of a resource that is not there, which each service says in its own words
	}
	for i := range model.NumField() {
		if value, broken := s.outOfRange(model.Field(i)); broken {
			v.what, v.codes = fmt.Sprintf("with %s %.20q", model.Field(i).Name, value), s.codes(false)
			return v, true, scalar(settable(member(v.input.Elem(), model.Field(i).Name)), value)
		}
	}
	return v, false, nil
}

// dummy fills a member that a request cannot be written without.
func dummy(v reflect.Value) error {
	switch to := settable(v); to.Kind() {
	case reflect.String:
		return scalar(to, "none")
	case reflect.Int32, reflect.Int64:
		return scalar(to, "1")
	}
	return nil
}

// outOfRange returns a value that the model does not allow, for a member that is a scalar with limits.
func (s *service) outOfRange(f reflect.StructField) (string, bool) {
	if !f.IsExported() || f.Type.Kind() != reflect.Pointer || f.Tag.Get("location") != "" {
		return "", false
	}
	kind := f.Type.Elem().Kind()
	if _, known := s.model.Enums[f.Tag.Get("enum")]; known && kind == reflect.String {
		return "nonsense", true
	}
	limit, err := strconv.ParseFloat(f.Tag.Get("max"), 64)
	if err != nil || limit > math.MaxInt16 {
		return "", false
	}
	switch kind {
	case reflect.String:
		return strings.Repeat("x", int(limit)+1), true
	case reflect.Int64:
		return strconv.Itoa(int(limit) + 1), true
	}
	return "", false
}

func settable(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return v.Elem()
	}
	return v
}

func (s *service) isS3() bool { return s.model.Protocol == wire.RESTXML }

// codes are the answers to an input that the model forbids: "Common Errors" in the API references.
func (s *service) codes(missing bool) map[string]int {
	switch {
	case s.model.Protocol == wire.EC2 && missing:
		return map[string]int{"MissingParameter": 400}
	case s.model.Protocol == wire.EC2:
		return map[string]int{"InvalidParameterValue": 400}
	case s.model.Protocol == wire.Query:
		return map[string]int{"ValidationError": 400}
	}
	return map[string]int{"ValidationException": 400}
}

func (s *service) strangerCodes() map[string]int {
	switch s.model.Protocol {
	case wire.EC2:
		return map[string]int{"AuthFailure": 401}
	case wire.Query:
		return map[string]int{"InvalidClientTokenId": 403}
	case wire.RESTXML:
		return map[string]int{"InvalidAccessKeyId": 403}
	case wire.RESTJSON:
		return map[string]int{"UnrecognizedClientException": 403}
	}
	return map[string]int{"UnrecognizedClientException": 400, "InvalidClientTokenId": 403}
}
