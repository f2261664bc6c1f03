package wire

import "reflect"

const ec2ContentType = "text/xml;charset=UTF-8"

func (ec2Codec) encode(c *call, out reflect.Value) (*answer, error) {
	a := newAnswer(c.operation.status(), ec2ContentType)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	a.body.WriteString(xmlHeader)
	x := xmlEncoder{&a.body}
	response := c.operation.Name + "Response"
	x.open(response, namespace(c.service.XMLNamespace)...)
	x.element("requestId", c.requestID)
	if out.NumField() == 1 { // an operation without an output says that it succeeded
		x.element("return", "true")
	}
	if err := x.body(out); err != nil {
		return nil, err
	}
	x.close(response)
	return a, nil
}

func (ec2Codec) encodeError(c *call, e *Error) *answer {
	a := newAnswer(e.Status, ec2ContentType)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	a.body.WriteString(xmlHeader)
	x := xmlEncoder{&a.body}
	x.open("Response")
	x.open("Errors")
	x.open("Error")
	x.element("Code", e.Code)
	x.element("Message", e.Message)
	x.close("Error")
	x.close("Errors")
	x.element("RequestID", c.requestID)
	x.close("Response")
	return a
}
