package firewall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// argument is a named value in a request.
type argument struct{ name, value string }

// component yields the values that a statement looks at. With decided, the oversize or fallback handling has already settled the answer.
type component func(e *evaluation) (values []string, decided, matches bool)

// field compiles a test of every value of a part of a request, after the transformations.
func (c *compiler) field(f *api.FieldToMatch, transformations []api.TextTransformation, condition string, test func([]byte) bool) (matcher, error) {
	part, location, err := partOf(f)
	if err != nil {
		return nil, err
	}
	transform, err := transformer(transformations)
	if err != nil {
		return nil, err
	}
	return func(e *evaluation) bool {
		values, decided, matches := part(e)
		if decided {
			return matches
		}
		for _, v := range values {
			if b := transform([]byte(v)); test(b) {
				if condition != "" {
					e.details = append(e.details, Detail{condition, location, v})
				}
				return true
			}
		}
		return false
	}, nil
}

func always(values func(e *evaluation) []string) component {
	return func(e *evaluation) ([]string, bool, bool) { return values(e), false, false }
}

// partOf is the part of a request that a statement names, and the part's name in logs.
func partOf(f *api.FieldToMatch) (part component, location string, err error) {
	switch {
	case f == nil:
		return nil, "", fmt.Errorf("%w: a field to match is required", ErrInvalid)
	case f.Method != nil:
		return always(func(e *evaluation) []string { return []string{e.Method} }), "METHOD", nil
	case f.UriPath != nil:
		return always(func(e *evaluation) []string { return []string{e.URL.EscapedPath()} }), "URI", nil
	case f.QueryString != nil:
		return always(func(e *evaluation) []string { return []string{e.URL.RawQuery} }), "QUERY_STRING", nil
	case f.SingleHeader != nil:
		name := wire.Value(f.SingleHeader.Name)
		return always(func(e *evaluation) []string { return e.header(name) }), "HEADER", nil
	case f.SingleQueryArgument != nil:
		name := wire.Value(f.SingleQueryArgument.Name)
		return always(func(e *evaluation) (values []string) {
			for key, v := range e.arguments() {
				if strings.EqualFold(key, name) {
					values = append(values, v...)
				}
			}
			return values
		}), "SINGLE_QUERY_ARGUMENT", nil
	case f.AllQueryArguments != nil:
		return always(func(e *evaluation) (values []string) {
			for key, v := range e.arguments() {
				values = append(append(values, key), v...)
			}
			return values
		}), "ALL_QUERY_ARGS", nil
	case f.Body != nil:
		return body(wire.Value(f.Body.OversizeHandling)), "BODY", nil
	case f.JsonBody != nil:
		part, err = jsonBody(f.JsonBody)
		return part, "JSON_BODY", err
	case f.Headers != nil:
		part, err = headers(f.Headers)
		return part, "HEADERS", err
	case f.Cookies != nil:
		part, err = cookies(f.Cookies)
		return part, "COOKIES", err
	}
	return nil, "", fmt.Errorf("%w: matching header order or fingerprints", ErrUnsupported)
}

// header is a header field's values. net/http keeps the host apart.
func (e *evaluation) header(name string) []string {
	if strings.EqualFold(name, "host") {
		return []string{e.Host}
	}
	return e.Header.Values(name)
}

func (e *evaluation) arguments() url.Values {
	if e.query == nil {
		e.query, _ = url.ParseQuery(e.URL.RawQuery) // what can be read of it
		if e.query == nil {
			e.query = url.Values{}
		}
	}
	return e.query
}

// oversize settles the answer for a part that is longer than what is inspected.
func oversize(handling string) (decided, matches bool) {
	return handling == "MATCH" || handling == "NO_MATCH", handling == "MATCH"
}

func body(handling string) component {
	return func(e *evaluation) ([]string, bool, bool) {
		if e.More {
			if decided, matches := oversize(handling); decided {
				return nil, true, matches
			}
		}
		return []string{string(e.Body)}, false, false
	}
}

func jsonBody(f *api.JsonBody) (component, error) {
	if f.MatchPattern == nil || (f.MatchPattern.All == nil) == (len(f.MatchPattern.IncludedPaths) == 0) {
		return nil, fmt.Errorf("%w: a JSON match pattern is all or a list of paths", ErrInvalid)
	}
	scope, paths := wire.Value(f.MatchScope), f.MatchPattern.IncludedPaths
	return func(e *evaluation) (values []string, decided, matches bool) {
		if e.More {
			if decided, matches := oversize(wire.Value(f.OversizeHandling)); decided {
				return nil, true, matches
			}
		}
		fields, ok := flatten(e.Body)
		if !ok {
			switch wire.Value(f.InvalidFallbackBehavior) {
			case "MATCH", "NO_MATCH":
				return nil, true, *f.InvalidFallbackBehavior == "MATCH"
			}
			return []string{string(e.Body)}, false, false
		}
		for _, a := range fields {
			if len(paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool { return a.name == p || strings.HasPrefix(a.name, p+"/") }) {
				continue
			}
			if scope != "VALUE" {
				values = append(values, a.name[strings.LastIndexByte(a.name, '/')+1:])
			}
			if scope != "KEY" {
				values = append(values, a.value)
			}
		}
		return values, false, false
	}, nil
}

// flatten lists the scalars of a JSON document by their JSON pointers.
func flatten(document []byte) (all []argument, ok bool) {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil || decoder.More() {
		return nil, false
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(path+"/"+key, inner)
			}
		case []any:
			for i, inner := range v {
				walk(path+"/"+strconv.Itoa(i), inner)
			}
		case string:
			all = append(all, argument{path, v})
		default:
			all = append(all, argument{path, fmt.Sprint(v)})
		}
	}
	walk("", v)
	return all, true
}

// bodyFields are the named values of a body: of a form or a JSON document, else the body as one value.
func (e *evaluation) bodyFields() []argument {
	if e.parsed || len(e.Body) == 0 {
		return e.fields
	}
	e.parsed = true
	kind, _, _ := mime.ParseMediaType(e.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded":
		values, _ := url.ParseQuery(string(e.Body)) // what can be read of it
		for name, list := range values {
			for _, v := range list {
				e.fields = append(e.fields, argument{name, v})
			}
		}
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		e.fields, _ = flatten(e.Body)
	}
	if e.fields == nil {
		e.fields = []argument{{"body", string(e.Body)}}
	}
	return e.fields
}

// limits of what is inspected of header fields and cookies.
const (
	headersLimit = 8 << 10
	headersMost  = 200
)

func headers(f *api.Headers) (component, error) {
	if f.MatchPattern == nil {
		return nil, fmt.Errorf("%w: a header match pattern is required", ErrInvalid)
	}
	p := f.MatchPattern
	return func(e *evaluation) ([]string, bool, bool) {
		all := []argument{{"host", e.Host}}
		for name, list := range e.Header {
			for _, v := range list {
				all = append(all, argument{name, v})
			}
		}
		return pick(all, p.IncludedHeaders, p.ExcludedHeaders, wire.Value(f.MatchScope), wire.Value(f.OversizeHandling))
	}, nil
}

func cookies(f *api.Cookies) (component, error) {
	if f.MatchPattern == nil {
		return nil, fmt.Errorf("%w: a cookie match pattern is required", ErrInvalid)
	}
	p := f.MatchPattern
	return func(e *evaluation) ([]string, bool, bool) {
		var all []argument
		for _, c := range (&http.Request{Header: e.Header}).Cookies() {
			all = append(all, argument{c.Name, c.Value})
		}
		return pick(all, p.IncludedCookies, p.ExcludedCookies, wire.Value(f.MatchScope), wire.Value(f.OversizeHandling))
	}, nil
}

// pick takes the keys and values that a match pattern and a scope want.
func pick(all []argument, included, excluded []string, scope, handling string) (values []string, decided, matches bool) {
	size := 0
	for _, a := range all {
		size += len(a.name) + len(a.value)
	}
	if size > headersLimit || len(all) > headersMost {
		if decided, matches := oversize(handling); decided {
			return nil, true, matches
		}
	}
	has := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	for _, a := range all[:min(len(all), headersMost)] {
		if included != nil && !has(included, a.name) || has(excluded, a.name) {
			continue
		}
		if scope != "VALUE" {
			values = append(values, strings.ToLower(a.name))
		}
		if scope != "KEY" {
			values = append(values, a.value)
		}
	}
	return values, false, false
}
