package wire

import (
	"net/http"
	"reflect"
)

// restJSONBody is the REST-JSON protocol.
type restJSONBody struct{}

func (restJSONBody) contentType() string { return "application/json" }

func (restJSONBody) decodeBody(body []byte, v reflect.Value, _ string) error {
	return decodeJSON(body, v)
}

func (restJSONBody) encodeBody(a *answer, c *call, v reflect.Value, _ member) error {
	a.header.Set("X-Amzn-Requestid", c.requestID)
	return jsonEncoder{&a.body}.value(v, "")
}

func (restJSONBody) encodeError(c *call, e *Error) *answer {
	a := newAnswer(e.Status, "application/json")
	jsonError(a, c, e, "")
	return a
}

func (restJSONBody) badArgument(name string, err error) *Error {
	return Errorf(http.StatusBadRequest, "SerializationException", "%s: %v", name, err)
}
