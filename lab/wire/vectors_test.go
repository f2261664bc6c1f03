package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"storefront/lab/wire/internal/vectors"
)

// The vectors of AWS's protocol tests that a server cannot be held to, and why.
var (
	clientInputs = map[string]string{
		"Idempotency token auto fill": "the token of the second case is made up by the client",
		"Header whitespace":           "HTTP drops the spaces around a header, so that they never reach a server",
		"a list of JSON values":       "no served service has one",
		"an empty structure payload":  "absent and empty are the same body, {}",
	}
	clientOutputs = map[string]string{
		"Ignores extra data":                  "the answer has members that no server of the model sends",
		"Ignores undefined output":            "the answer has a body where the model has none",
		"unmodeled non-json response payload": "the same",
		"a null in a list":                    "the types of the lab's lists cannot hold nulls, and AWS's services send none",
		"Supports header maps":                "a header map without a prefix contains the headers that HTTP adds",
		"a list of JSON values":               "no served service has one",
	}
)

func protocolOf(t *testing.T, name string) Protocol {
	p, ok := map[string]Protocol{"ec2": EC2, "json": JSON, "query": Query, "rest-json": RESTJSON, "rest-xml": RESTXML}[name]
	if !ok {
		t.Fatalf("unknown protocol %s", name)
	}
	return p
}

func serviceFor(t *testing.T, c vectors.Case) *servedService {
	return newServedService(&Service{
		Name: "vectors", Protocol: protocolOf(t, c.Protocol), JSONVersion: c.JSONVersion, TargetPrefix: c.TargetPrefix, XMLNamespace: c.XMLNamespace,
		Operations: []Operation{{Name: c.Operation, Method: orElse(c.Method, "POST"), Path: orElse(c.Path, "/"), NewInput: c.New}},
	})
}

func TestInputVectors(t *testing.T) {
	passed := map[string]int{}
	for _, c := range vectors.Inputs() {
		if madeByClient(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			svc := serviceFor(t, c)
			r := httptest.NewRequest(orElse(c.Message.Method, orElse(c.Method, "POST")), "http://host"+c.Message.URI, strings.NewReader(c.Message.Body))
			for name, value := range c.Message.Headers {
				r.Header.Set(name, value)
			}
			req := &request{http: r, body: []byte(c.Message.Body), content: []byte(c.Message.Body)}
			req.form, _ = url.ParseQuery(c.Message.Body)
			op := &svc.Operations[0]
			if svc.isREST() || svc.Protocol != JSON || svc.TargetPrefix != "" {
				if op = svc.find(req); op == nil {
					t.Fatalf("%s %s finds no operation", r.Method, c.Message.URI)
				}
			}
			if svc.streams(op) {
				req.stream = &Body{Reader: strings.NewReader(c.Message.Body), length: -1}
			}
			got, want := reflect.ValueOf(c.New()).Elem(), reflect.ValueOf(c.New()).Elem()
			fill(t, want, parse(t, c.Params))
			if err := svc.codec.decode(&call{service: svc.Service, operation: op}, req, got); err != nil {
				t.Fatal(err)
			}
			if g, w := dump(got), dump(want); !reflect.DeepEqual(g, w) {
				t.Fatalf("%s\n got %v\nwant %v", c.Message.Body, g, w)
			}
			passed[c.Protocol]++
		})
	}
	t.Logf("passed: %v; not for servers: %v", passed, clientInputs)
}

func TestOutputVectors(t *testing.T) {
	passed := map[string]int{}
	for _, c := range vectors.Outputs() {
		if forClients(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			svc := serviceFor(t, c)
			out := reflect.ValueOf(c.New()).Elem()
			fill(t, out, parse(t, c.Params))
			a, err := svc.codec.encode(&call{service: svc.Service, operation: &svc.Operations[0], requestID: "id"}, out)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != c.Message.Status {
				t.Errorf("got status %d, want %d", a.status, c.Message.Status)
			}
			for name, value := range c.Message.Headers {
				if got := plain(a.header.Get(name)); got != value {
					t.Errorf("got header %s: %q, want %q", name, got, value)
				}
			}
			compareBodies(t, c, a)
			if !t.Failed() {
				passed[c.Protocol]++
			}
		})
	}
	t.Logf("passed: %v; not for servers: %v", passed, clientOutputs)
}

func madeByClient(c vectors.Case) bool {
	_, name, _ := strings.Cut(c.Name, " ")
	return name == "Header whitespace" || strings.Contains(c.Params, "BodyListField") ||
		name == "Idempotency token auto fill" && !strings.Contains(c.Params, "abc123") ||
		c.Protocol == "rest-json" && c.Message.Body == "{}" && structTag(reflect.TypeOf(c.New()).Elem()).Get("payload") != ""
}

func forClients(c vectors.Case) bool {
	_, name, _ := strings.Cut(c.Name, " ")
	_, listed := clientOutputs[name]
	return listed || strings.Contains(c.Params, ",null") || strings.Contains(c.Params, "BodyListField")
}

func compareBodies(t *testing.T, c vectors.Case, a *answer) {
	t.Helper()
	got := a.body.Bytes()
	if a.stream != nil {
		got, _ = io.ReadAll(a.stream)
	}
	want := []byte(c.Message.Body)
	var g, w any
	switch {
	case json.Valid(want) && json.Valid(got):
		g, w = plainJSON(parse(t, string(got))), plainJSON(parse(t, string(want)))
	case bytes.HasPrefix(want, []byte("<")):
		g, w = flatten(t, got), flatten(t, want)
	case len(want) == 0: // an output without members in its body: nothing, or an empty document
		if text := string(got); text != "" && text != "{}" && !strings.HasSuffix(text, "></OperationNameOutput>") {
			t.Errorf("got body %s, want none", text)
		}
		return
	default:
		g, w = string(got), string(want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %v\nwant %v", g, w)
	}
}

// flatten lists the paths of an XML answer with their texts, in an order that does not depend on that of the members. The request ID and
// the element around the result, which not every vector has, are left out.
func flatten(t *testing.T, body []byte) []string {
	t.Helper()
	root, err := parseXML(body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var lines []string
	var walk func(n *xmlNode, path string)
	walk = func(n *xmlNode, path string) {
		switch n.name {
		case "RequestId", "requestId", "ResponseMetadata":
			return
		case "OperationNameResult":
		default:
			path += "/" + n.name
		}
		for name, value := range n.attrs {
			if name != "xmlns" && name != "xsi" {
				lines = append(lines, path+"@"+name+"="+value)
			}
		}
		if len(n.children) == 0 && n.name != "OperationNameResult" {
			lines = append(lines, path+"="+plain(n.text.String()))
		}
		for _, child := range n.children {
			walk(child, path)
		}
	}
	for _, n := range root.children {
		walk(n, "")
	}
	slices.Sort(lines)
	return lines
}

// plain makes two ways to write one timestamp equal: the vectors have no milliseconds.
func plain(text string) string {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.Format(time.RFC3339Nano)
	}
	return text
}

// plainJSON applies plain to all texts of a document; a timestamp may also be in seconds, which REST-JSON's first vector writes as text.
func plainJSON(j any) any {
	switch j := j.(type) {
	case map[string]any:
		for key, value := range j {
			j[key] = plainJSON(value)
		}
	case []any:
		for i, value := range j {
			j[i] = plainJSON(value)
		}
	case string:
		if t, err := time.Parse(time.RFC3339Nano, j); err == nil {
			return json.Number(strconv.FormatInt(t.Unix(), 10))
		}
	}
	return j
}

func parse(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var j any
	if err := d.Decode(&j); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return j
}

// fill stores the value of a vector: by member names of the model, blobs as plain text, timestamps in seconds.
func fill(t *testing.T, v reflect.Value, j any) {
	t.Helper()
	if j == nil {
		return
	}
	if v.Type() == reflect.TypeFor[io.ReadCloser]() {
		v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(j.(string)))))
		return
	}
	v = settable(v)
	switch {
	case v.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(j))
	case isBlob(v.Type()):
		v.SetBytes([]byte(j.(string)))
	case v.Type() == timeType:
		f, _ := j.(json.Number).Float64()
		v.Set(reflect.ValueOf(unixTime(f)))
	case v.Kind() == reflect.Struct:
		for name, member := range j.(map[string]any) {
			f := v.FieldByName(strings.ToUpper(name[:1]) + name[1:])
			if !f.IsValid() {
				t.Fatalf("%s has no member %s", v.Type(), name)
			}
			fill(t, f, member)
		}
	case v.Kind() == reflect.Slice:
		list := j.([]any)
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			fill(t, v.Index(i), list[i])
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for key, value := range j.(map[string]any) {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(t, e, value)
			v.SetMapIndex(reflect.ValueOf(key), e)
		}
	default:
		if err := setScalar(v, fmt.Sprint(j), ""); err != nil {
			t.Fatal(err)
		}
	}
}

// dump makes plain data of a value, streams read and unset members left out.
func dump(v reflect.Value) any {
	if s, ok := v.Interface().(io.ReadCloser); ok && s != nil {
		data, _ := io.ReadAll(s)
		return string(data)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return dump(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format(time.RFC3339Nano)
		}
		out := map[string]any{}
		for m := range members(v) {
			if m.isSet() {
				out[m.name] = dump(m.value)
			}
		}
		return out
	case reflect.Slice:
		if isBlob(v.Type()) {
			return string(v.Bytes())
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = dump(v.Index(i))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for key, value := range v.Seq2() {
			out[key.String()] = dump(value)
		}
		return out
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// TestVectorsAreComplete guards against a generator that loses cases: the numbers are those of models/protocol_tests.
func TestVectorsAreComplete(t *testing.T) {
	count := func(cases []vectors.Case) map[string]int {
		n := map[string]int{}
		for _, c := range cases {
			n[c.Protocol]++
		}
		return n
	}
	if got, want := count(vectors.Inputs()), map[string]int{"ec2": 14, "json": 18, "query": 29, "rest-json": 51, "rest-xml": 44}; !maps.Equal(got, want) {
		t.Errorf("got %v input vectors, want %v", got, want)
	}
	if got, want := count(vectors.Outputs()), map[string]int{"ec2": 11, "json": 11, "query": 17, "rest-json": 16, "rest-xml": 17}; !maps.Equal(got, want) {
		t.Errorf("got %v output vectors, want %v", got, want)
	}
}
