package wire

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"
	"time"
)

// DefaultMaxBody is the largest body that is read into memory, in bytes. Bodies that stream (S3's objects) are not limited by it.
const DefaultMaxBody = 16 << 20

// Options configure a server.
type Options struct {
	Services    []*Service
	Credentials Credentials
	Region      string           // signatures of other regions are refused; "" accepts all
	Clock       func() time.Time // nil is time.Now
	Logger      *slog.Logger     // nil is slog.Default()
	MaxBody     int64            // bytes; 0 is DefaultMaxBody
	Pace        time.Duration    // the least that a call with a long answer takes; see Server.pace
	// Authorize is asked before each operation, with its decoded input; an error refuses the call. Nil allows everything.
	Authorize func(ctx context.Context, id Identity, service, operation string, input any) error
	// Disturb is asked before each operation is decoded: it may take its time, and ErrThrottled refuses the call. Nil disturbs nothing.
	Disturb func(ctx context.Context, service string) error
	// Record is told of each call before its answer is sent. It must be quick, and must not keep the input or output. Nil records nothing.
	Record func(Call)
}

// ErrThrottled, from Options.Disturb, answers a call as its service does when there are too many of them.
var ErrThrottled = errors.New("throttled")

// Server answers the requests of all services on one endpoint. It is an http.Handler and safe for concurrent use.
type Server struct {
	options     Options
	services    []*servedService
	unsupported counter
}

// NewServer makes a server. Credentials are required.
func NewServer(o Options) *Server {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	s := &Server{options: o}
	for _, svc := range o.Services {
		s.services = append(s.services, newServedService(svc))
		if svc.QueryToo {
			s.services = append(s.services, newServedService(queryVariant(svc)))
		}
		if svc.NewerToo {
			for _, newer := range newerVariants(svc) {
				s.services = append(s.services, newServedService(newer))
			}
		}
	}
	return s
}

// Unsupported returns the operations that were asked for but are not served, most asked first.
func (s *Server) Unsupported() []Count { return s.unsupported.counts() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.options.Clock()
	svc := s.recognise(r)
	c := &call{service: svc.Service, requestID: newRequestID(svc.Service), received: time.Now()}
	a, identity, failure := s.answer(c, svc, r)
	var refused *Error
	if failure != nil {
		refused = s.failed(c, svc, failure)
		a = svc.codec.encodeError(c, refused)
	}
	s.record(c, r, start, identity, refused)
	written, err := s.write(w, r, c, a)
	operation := ""
	if c.operation != nil {
		operation = c.operation.Name
	}
	attrs := []any{"service", svc.Name, "operation", operation, "status", a.status, "bytes", written, "request_id", c.requestID,
		"caller", identity.ARN, "elapsed", s.options.Clock().Sub(start)}
	if e, ok := errors.AsType[*Error](failure); ok {
		attrs = append(attrs, "code", e.Code, "message", e.Message)
	}
	if err != nil {
		attrs = append(attrs, "write_error", err)
	}
	level := slog.LevelDebug
	if failure != nil || err != nil {
		level = slog.LevelInfo
	}
	s.options.Logger.Log(r.Context(), level, "request", attrs...)
}

// answer runs a request through authentication, decoding, validation, authorisation and its operation. A panic on the way is an error.
func (s *Server) answer(c *call, svc *servedService, r *http.Request) (_ *answer, id Identity, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	req, err := s.read(svc, r)
	if err != nil {
		return nil, id, err
	}
	c.operation = svc.find(req)
	who, err := s.authenticate(r, svc.Service, req.body, svc.allowsAnonymous(c.operation))
	if err != nil {
		return nil, id, err
	}
	id, c.authenticated = who.identity, true
	if c.operation == nil {
		return nil, id, s.unknown(svc, req)
	}
	if err := s.disturb(r.Context(), svc.Service); err != nil {
		return nil, id, err
	}
	if svc.streams(c.operation) {
		if req.stream = who.stream(r); req.stream.Length() < 0 {
			return nil, id, Errorf(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
		}
	}
	ctx := context.WithValue(WithRequestID(WithCaller(r.Context(), id), c.requestID), originKey{}, originOf(r))
	out, err := s.invoke(ctx, c, svc, req, id)
	if err != nil {
		return nil, id, err
	}
	a, err := svc.codec.encode(c, out)
	return a, id, err
}

// disturb lets a fault delay or refuse a call.
func (s *Server) disturb(ctx context.Context, svc *Service) error {
	if s.options.Disturb == nil {
		return nil
	}
	err := s.options.Disturb(ctx, svc.Name)
	if errors.Is(err, ErrThrottled) {
		return tooMany(svc)
	}
	return err
}

// invoke decodes the input and calls the operation.
func (s *Server) invoke(ctx context.Context, c *call, svc *servedService, req *request, id Identity) (out reflect.Value, _ error) {
	input := c.operation.NewInput()
	in := reflect.ValueOf(input).Elem()
	if err := svc.codec.decode(c, req, in); err != nil {
		return out, err
	}
	if e := validate(svc.Service, in); e != nil {
		return out, e
	}
	c.input = input
	if s.options.Authorize != nil {
		if err := s.options.Authorize(ctx, id, svc.Name, c.operation.Name, input); err != nil {
			return out, err
		}
	}
	output, err := c.operation.Call(ctx, input)
	if err != nil {
		return out, err
	}
	out = reflect.ValueOf(output)
	if out.IsNil() {
		return out, errors.New("the operation returned neither an output nor an error")
	}
	c.output = output
	return out.Elem(), nil
}

// failed returns the error that the client sees. One that is not AWS's own is logged and hidden.
func (s *Server) failed(c *call, svc *servedService, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		operation := ""
		if c.operation != nil {
			operation = c.operation.Name
		}
		s.options.Logger.Error("operation failed", "service", svc.Name, "operation", operation, "request_id", c.requestID, "error", err)
		e = internalFailure(svc.Service)
	}
	return e
}

// newRequestID makes a request ID in the service's form.
func newRequestID(s *Service) string {
	if s.isS3() {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		return strings.ToUpper(hex.EncodeToString(b[:]))
	}
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
