package wire

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// Call is one request that was answered, as Options.Record learns of it.
type Call struct {
	Time      time.Time // when the request came in
	RequestID string
	Service   *Service
	Operation string
	Caller    Identity
	Origin    Origin
	TLS       *tls.ConnectionState // nil without TLS
	Input     any                  // the operation's decoded input, or nil when it does not decode. Its stream, if it has one, is read already.
	Output    any                  // nil when the call failed. Its stream, if it has one, is not to be read.
	Error     *Error               // why the call failed, or nil
}

// record tells Options.Record of a call that the server recognised and whose caller it knows. Whatever goes wrong there is not the caller's problem.
func (s *Server) record(c *call, r *http.Request, received time.Time, caller Identity, failure *Error) {
	if s.options.Record == nil || c.operation == nil || !c.authenticated {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.options.Logger.Error("recording a call", "request_id", c.requestID, "error", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	if failure != nil {
		c.output = nil // of a call whose answer could not be encoded
	}
	s.options.Record(Call{Time: received, RequestID: c.requestID, Service: c.service, Operation: c.operation.Name, Caller: caller, Origin: originOf(r), TLS: r.TLS,
		Input: c.input, Output: c.output, Error: failure})
}
