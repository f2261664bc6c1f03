//go:build linux

package conformance

import (
	"encoding/base64"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

var (
	timeType   = reflect.TypeFor[time.Time]()
	readerType = reflect.TypeFor[io.Reader]()
	variable   = regexp.MustCompile(`\$\{?([a-z]\w*)\}?`)
)

// variables are what earlier answers gave, by the names that the scenario keeps them under.
type variables map[string]string

// expand puts variables into a scalar. Names with a capital letter are AWS's own, as $Latest is.
func (v variables) expand(text string) (string, error) {
	var unknown error
	out := variable.ReplaceAllStringFunc(text, func(match string) string {
		name := variable.FindStringSubmatch(match)[1]
		value, ok := v[name]
		if !ok {
			unknown = fmt.Errorf("nothing is kept as %s", name)
		}
		return value
	})
	return out, unknown
}

// assign writes what a scenario says into a client's type. Members are found whatever the case of their letters.
func (v variables) assign(to reflect.Value, n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return v.assign(to.Elem(), n)
	case n.Kind == yaml.ScalarNode:
		text, err := v.expand(n.Value)
		if err != nil {
			return err
		}
		return scalar(to, text)
	case to.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		to.Set(reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			if err := v.assign(to.Index(i), item); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	case n.Kind == yaml.MappingNode && (to.Kind() == reflect.Map || to.Kind() == reflect.Struct):
		return v.members(to, n)
	}
	return fmt.Errorf("line %d does not fit a %s", n.Line, to.Type())
}

func (v variables) members(to reflect.Value, n *yaml.Node) error {
	if to.Kind() == reflect.Map {
		to.Set(reflect.MakeMap(to.Type()))
	}
	for i := 0; i < len(n.Content); i += 2 {
		name, err := v.expand(n.Content[i].Value)
		if err != nil {
			return err
		}
		if to.Kind() == reflect.Map {
			value := reflect.New(to.Type().Elem()).Elem()
			if err := v.assign(value, n.Content[i+1]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			to.SetMapIndex(reflect.ValueOf(name).Convert(to.Type().Key()), value)
			continue
		}
		field := member(to, name)
		if !field.IsValid() {
			return fmt.Errorf("line %d: %s has no member %s", n.Line, to.Type(), name)
		}
		if err := v.assign(field, n.Content[i+1]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func member(of reflect.Value, name string) reflect.Value {
	return of.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
}

func scalar(to reflect.Value, text string) (err error) {
	switch {
	case to.Type() == timeType:
		at, err := time.Parse(time.RFC3339, text)
		to.Set(reflect.ValueOf(at))
		return err
	case to.Kind() == reflect.Interface && reflect.TypeFor[*strings.Reader]().Implements(to.Type()):
		to.Set(reflect.ValueOf(strings.NewReader(text)))
		return nil
	case to.Kind() == reflect.Interface && to.Type().Implements(readerType):
		to.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(text))))
		return nil
	case to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8:
		b, err := base64.StdEncoding.DecodeString(text)
		to.SetBytes(b)
		return err
	}
	switch to.Kind() {
	case reflect.String:
		to.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		to.SetBool(b)
		return err
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		to.SetInt(n)
		return err
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(text, 64)
		to.SetFloat(f)
		return err
	default:
		return fmt.Errorf("%q does not fit a %s", text, to.Type())
	}
	return nil
}

// look finds what a path such as "Reservations.0.InstanceId" names in an answer; "" is whatever is empty or not there.
func look(in reflect.Value, path string) (string, bool) {
	for in.IsValid() && (in.Kind() == reflect.Pointer || in.Kind() == reflect.Interface) && !in.IsNil() {
		if r, ok := in.Interface().(io.Reader); ok {
			b, err := io.ReadAll(r)
			return string(b), err == nil
		}
		in = in.Elem()
	}
	if !in.IsValid() {
		return "", false
	}
	if path == "" {
		return text(in)
	}
	name, rest, _ := strings.Cut(path, ".")
	switch in.Kind() {
	case reflect.Struct:
		return look(member(in, name), rest)
	case reflect.Map:
		for _, key := range in.MapKeys() {
			if strings.EqualFold(key.String(), name) {
				return look(in.MapIndex(key), rest)
			}
		}
	case reflect.Slice:
		if name == "#" {
			return strconv.Itoa(in.Len()), true
		}
		if i, err := strconv.Atoi(name); err == nil && i < in.Len() {
			return look(in.Index(i), rest)
		}
	}
	return "", false
}

func text(v reflect.Value) (string, bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return "", false
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			return base64.StdEncoding.EncodeToString(b), len(b) > 0
		}
		return fmt.Sprint(v.Interface()), v.Len() > 0
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return at.Format(time.RFC3339), true
		}
	}
	s := fmt.Sprint(v.Interface())
	if v.Kind() == reflect.Float64 {
		s = strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	return s, s != ""
}
