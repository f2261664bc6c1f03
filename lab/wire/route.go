package wire

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// route is the path of one operation of a REST service, ready to match.
type route struct {
	operation *Operation
	segments  []string // "{Bucket}", "{Key+}" or literal
	query     url.Values
	required  [][2]string // location and name of members that tell operations of one path apart
}

func newRoute(op *Operation) route {
	path, query, _ := strings.Cut(op.Path, "?")
	r := route{operation: op, segments: splitPath(path)}
	r.query, _ = url.ParseQuery(query) // the models are fixed
	in := reflect.ValueOf(op.NewInput()).Elem()
	for m := range members(in) {
		if l := m.Get("location"); m.required() && (l == "header" || l == "querystring") {
			r.required = append(r.required, [2]string{l, m.wireName()})
		}
	}
	return r
}

func splitPath(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match returns the labels of a path, and how specific the match is: the more of what the operation asks for is there, the better.
// A parameter in the query that the path names must be there; required members count only, so that a request that lacks one is
// answered by the validation of the operation it most resembles.
func (r route) match(req *http.Request, path string, query url.Values) (labels map[string]string, score int, ok bool) {
	if req.Method != r.operation.Method {
		return nil, 0, false
	}
	for name, values := range r.query {
		if !query.Has(name) || values[0] != "" && query.Get(name) != values[0] {
			return nil, 0, false
		}
		score += 100
	}
	labels, ok = r.labels(path)
	if !ok {
		return nil, 0, false
	}
	for _, m := range r.required {
		present := query.Has(m[1])
		if m[0] == "header" {
			present = req.Header.Get(m[1]) != ""
		}
		if present {
			score += 10
		} else {
			score--
		}
	}
	return labels, score, true
}

// labels matches an escaped path. A label of the form {Key+} takes the rest, slashes and all.
func (r route) labels(path string) (map[string]string, bool) {
	labels := map[string]string{}
	rest := strings.TrimPrefix(path, "/")
	for i, segment := range r.segments {
		name, isLabel := strings.CutPrefix(segment, "{")
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		var part string
		if greedy {
			part, rest = rest, ""
		} else {
			part, rest, _ = strings.Cut(rest, "/")
		}
		value, err := url.PathUnescape(part)
		if err != nil || part == "" || !isLabel && value != segment {
			return nil, false
		}
		if isLabel {
			labels[name] = value
		}
		if greedy && i < len(r.segments)-1 {
			return nil, false
		}
	}
	return labels, rest == ""
}
