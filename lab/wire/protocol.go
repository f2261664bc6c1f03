package wire

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"time"
)

// request is a recognised request on its way to an operation.
type request struct {
	http    *http.Request
	body    []byte            // all of it, unless the input streams
	content []byte            // the body without its compression
	stream  *Body             // the body of an input that streams
	form    url.Values        // Query and EC2
	labels  map[string]string // REST: values of the path's labels, decoded
}

// answer is a response before it is written.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
	stream io.ReadCloser // instead of body
}

func newAnswer(status int, contentType string) *answer {
	a := &answer{status: status, header: http.Header{}}
	if contentType != "" {
		a.header.Set("Content-Type", contentType)
	}
	return a
}

// call is what a codec needs to know about the request that it answers.
type call struct {
	service   *Service
	operation *Operation // nil while it is not known
	requestID string
	received  time.Time // when the server began with it

	authenticated bool // the signature was right, or none was needed
	input, output any  // of the operation, once they are known
}

// codec is one protocol, on the server's side. decode returns an *Error for a body that is not of the input's form.
type codec interface {
	decode(c *call, r *request, in reflect.Value) error
	encode(c *call, out reflect.Value) (*answer, error)
	encodeError(c *call, e *Error) *answer
}

func codecOf(s *Service) codec {
	switch s.Protocol {
	case EC2:
		return ec2Codec{}
	case JSON:
		return jsonCodec{}
	case CBOR:
		return cborCodec{}
	case RESTJSON:
		return restCodec{restJSONBody{}}
	case RESTXML:
		return restCodec{restXMLBody{}}
	}
	return queryCodec{}
}
