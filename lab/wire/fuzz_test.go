package wire

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"storefront/lab/wire/internal/vectors"
)

// fuzzDecoder feeds one protocol's decoder. Every input type of the vectors is decoded from bodies that the fuzzer makes of the vectors'
// own; a decoder must neither panic nor fail with anything but an *Error.
func fuzzDecoder(f *testing.F, protocol string) {
	var cases []vectors.Case
	for _, c := range vectors.Inputs() {
		if c.Protocol == protocol {
			f.Add(uint16(len(cases)), c.Message.URI, c.Message.Body)
			cases = append(cases, c)
		}
	}
	f.Fuzz(func(t *testing.T, index uint16, uri, body string) {
		c := cases[int(index)%len(cases)]
		u, err := url.ParseRequestURI(uri)
		if err != nil {
			return
		}
		r := httptest.NewRequest("POST", "http://host/", strings.NewReader(body))
		r.URL = u
		for name, value := range c.Message.Headers {
			r.Header.Set(name, value)
		}
		svc := &Service{Name: "vectors", Protocol: map[string]Protocol{"ec2": EC2, "json": JSON, "query": Query, "rest-json": RESTJSON, "rest-xml": RESTXML}[protocol]}
		served := newServedService(svc)
		op := Operation{Name: c.Operation, Method: "POST", Path: orElse(c.Path, "/"), NewInput: c.New}
		req := &request{http: r, body: []byte(body), content: []byte(body), labels: map[string]string{}, stream: &Body{Reader: strings.NewReader(body), length: -1}}
		req.form, _ = url.ParseQuery(body)
		if served.isREST() {
			req.labels, _, _ = newRoute(&op).match(r, u.EscapedPath(), u.Query())
		}
		in := reflect.ValueOf(c.New()).Elem()
		err = served.codec.decode(&call{service: svc, operation: &op}, req, in)
		if err == nil {
			validate(svc, in)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("got error %v (%T), want an *Error", err, err)
		}
	})
}

func FuzzQueryDecode(f *testing.F)    { fuzzDecoder(f, "query") }
func FuzzEC2Decode(f *testing.F)      { fuzzDecoder(f, "ec2") }
func FuzzJSONDecode(f *testing.F)     { fuzzDecoder(f, "json") }
func FuzzRESTJSONDecode(f *testing.F) { fuzzDecoder(f, "rest-json") }
func FuzzRESTXMLDecode(f *testing.F)  { fuzzDecoder(f, "rest-xml") }
