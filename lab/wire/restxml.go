package wire

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
)

// restXMLBody is the REST-XML protocol.
type restXMLBody struct{}

func (restXMLBody) contentType() string { return "application/xml" }

func (restXMLBody) decodeBody(body []byte, v reflect.Value, root string) error {
	n, err := parseXML(body)
	if err == nil && n != nil {
		if n.name != root && root != "" {
			return malformedXML("the root element is " + n.name + ", not " + root)
		}
		err = xmlDecoder{}.structure(n, v)
	}
	if err != nil {
		return malformedXML(err.Error())
	}
	return nil
}

// malformedXML is S3's error for a body that does not fit its schema. Detail is an element of the lab's own, which says why.
func malformedXML(detail string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "MalformedXML",
		Message: "The XML you provided was not well-formed or did not validate against our published schema", Fields: map[string]string{"Detail": detail}}
}

func (restXMLBody) encodeBody(a *answer, c *call, v reflect.Value, root member) error {
	a.body.WriteString(xmlHeader)
	x := xmlEncoder{&a.body}
	if c.service.isS3() {
		if done := encodeS3Body(x, c, v); done {
			return nil
		}
	}
	name := rootName(c, root)
	x.open(name, append(namespace(c.service.XMLNamespace), attributes(v, "")...)...)
	defer x.close(name)
	return x.body(v)
}

// encodeError writes S3's bare Error element, or the wrapped one of the other services.
func (restXMLBody) encodeError(c *call, e *Error) *answer {
	if !c.service.isS3() {
		return queryCodec{}.encodeError(c, e)
	}
	return s3Error(c, e)
}

func (restXMLBody) badArgument(name string, err error) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: err.Error(), Fields: map[string]string{"ArgumentName": name}}
}

// fields writes the further members of an error in their order.
func (x xmlEncoder) fields(fields map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		x.element(name, fields[name])
	}
}
