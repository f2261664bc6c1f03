package wire

import (
	"net/http"
	"reflect"
)

const textXML = "text/xml"

func (queryCodec) encode(c *call, out reflect.Value) (*answer, error) {
	a := newAnswer(c.operation.status(), textXML)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	x := xmlEncoder{&a.body}
	response, result := c.operation.Name+"Response", c.operation.Name+"Result"
	x.open(response, namespace(c.service.XMLNamespace)...)
	if hasMembers(out) || !c.service.QueryToo {
		x.open(result)
		if err := x.body(out); err != nil {
			return nil, err
		}
		x.close(result)
	}
	x.open("ResponseMetadata")
	x.element("RequestId", c.requestID)
	x.close("ResponseMetadata")
	x.close(response)
	return a, nil
}

// hasMembers tells an output from that of an operation which has none: of those, the models of services that are JSON now do not say whether they had a result.
func hasMembers(out reflect.Value) bool {
	for range members(out) {
		return true
	}
	return false
}

func (queryCodec) encodeError(c *call, e *Error) *answer {
	a := newAnswer(e.Status, textXML)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	x := xmlEncoder{&a.body}
	x.open("ErrorResponse", namespace(c.service.XMLNamespace)...)
	x.open("Error")
	x.element("Type", faultOf(e))
	x.element("Code", orElse(e.QueryCode, e.Code))
	x.element("Message", e.Message)
	x.fields(e.Fields)
	x.close("Error")
	x.element("RequestId", c.requestID)
	x.close("ErrorResponse")
	return a
}

// faultOf tells whose fault an error is, in the words of the query protocol.
func faultOf(e *Error) string {
	if e.Status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

func namespace(uri string) [][2]string {
	if uri == "" {
		return nil
	}
	return [][2]string{{"xmlns", uri}}
}
