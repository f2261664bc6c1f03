package wire

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"storefront/lab/wire/sigv4"
)

// servedService is a service with what dispatch needs.
type servedService struct {
	*Service
	codec  codec
	byName map[string]*Operation
	routes []route // REST
}

func newServedService(svc *Service) *servedService {
	s := &servedService{Service: svc, codec: codecOf(svc), byName: map[string]*Operation{}}
	for i := range svc.Operations {
		op := &svc.Operations[i]
		s.byName[op.Name] = op
		if s.isREST() {
			s.routes = append(s.routes, newRoute(op))
		}
	}
	return s
}

func (s *servedService) isREST() bool { return s.Protocol == RESTJSON || s.Protocol == RESTXML }

// recognise finds the service that a request is for: by its signature's scope, its target, its host, or its form. A service that is not
// served gets a stand-in of the protocol that the request is written in, without operations, so that the client understands the error.
func (s *Server) recognise(r *http.Request) *servedService {
	target := r.Header.Get("X-Amz-Target")
	if auth, err := sigv4.Parse(r); err == nil {
		return s.named(auth.Scope.Service, r)
	}
	if target != "" {
		prefix, _ := splitTarget(target)
		for _, svc := range s.services {
			if svc.isTarget(prefix) {
				return svc
			}
		}
		return s.named(prefix, r)
	}
	if name := serviceFromHost(hostname(r)); name != "" {
		return s.named(name, r)
	}
	if r.Method == http.MethodPost && isForm(r) {
		return s.named("", r)
	}
	return s.named("s3", r) // the one service that answers anonymous requests by path
}

func (s *Server) named(name string, r *http.Request) *servedService {
	if svc := s.served(name, r); svc != nil {
		return svc
	}
	standIn := &Service{Name: name, Protocol: RESTJSON}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		standIn.Protocol, standIn.JSONVersion = JSON, "1.1"
	case isForm(r):
		standIn.Protocol = Query
	case name == "s3":
		standIn.Protocol = RESTXML
	}
	return newServedService(standIn)
}

// served returns the service of a signing name, or nil. Services that share a name, as both APIs of Amazon OpenSearch Service share "es", are told
// apart by the API version that their paths begin with, and the two protocols of one service by the form of the request.
func (s *Server) served(name string, r *http.Request) (found *servedService) {
	for _, svc := range s.services {
		if svc.Name != name {
			continue
		}
		if svc.isREST() && strings.HasPrefix(r.URL.Path, "/"+svc.APIVersion+"/") || (svc.QueryToo || svc.NewerToo) && svc.Protocol == spoken(r) {
			return svc
		}
		if found == nil {
			found = svc
		}
	}
	return found
}

// splitTarget splits X-Amz-Target at its last dot; the part before it may have dots.
func splitTarget(target string) (prefix, operation string) {
	i := strings.LastIndexByte(target, '.')
	return target[:max(i, 0)], target[i+1:]
}

// isTarget tells whether a target's first part names the service. Clients of several years write CloudTrail's with and without the Java package before it.
func (s *Service) isTarget(prefix string) bool {
	return prefix == s.TargetPrefix || prefix != "" && strings.HasSuffix(s.TargetPrefix, "."+prefix)
}

func isForm(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded" || r.URL.Query().Has("Action")
}

func hostname(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// serviceFromHost is the service of an AWS endpoint: sqs.us-east-1.amazonaws.com, iam.amazonaws.com, bucket.s3.us-east-1.amazonaws.com.
func serviceFromHost(host string) string {
	if bucketFromHost(host) != "" {
		return "s3"
	}
	name, ok := strings.CutSuffix(host, ".amazonaws.com")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// read takes in the parts of a request that dispatch needs: all of the body unless the input streams.
func (s *Server) read(svc *servedService, r *http.Request) (*request, error) {
	req := &request{http: r}
	if svc.isREST() {
		if op, labels := svc.route(r); op != nil && svc.streams(op) {
			req.labels = labels
			return req, nil
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, s.options.MaxBody))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, refuse(svc.Service, tooLarge, fmt.Sprintf("The request body is over %d bytes", s.options.MaxBody))
	}
	if err != nil {
		return nil, refuse(svc.Service, malformedRequest, "The request body could not be read")
	}
	if req.body = body; req.body == nil {
		req.body = []byte{}
	}
	if req.content = req.body; !svc.isREST() {
		if req.content, err = s.uncompressed(r, body); err != nil {
			return nil, refuse(svc.Service, malformedRequest, "The request body is not valid gzip, or too long")
		}
	}
	if svc.Protocol == Query || svc.Protocol == EC2 {
		if req.form, err = url.ParseQuery(r.URL.RawQuery + "&" + string(req.content)); err != nil {
			return nil, refuse(svc.Service, malformedRequest, "The request is not a valid form")
		}
		if svc.QueryToo {
			implyQueue(req)
		}
	}
	return req, nil
}

// uncompressed returns what a body says: SDKs compress long requests of some operations, such as PutMetricData. The signature covers the body as it is sent.
func (s *Server) uncompressed(r *http.Request, body []byte) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body, nil
	}
	unzip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(http.MaxBytesReader(nil, unzip, s.options.MaxBody))
}

// find returns the operation of a request and fills in its labels, or nil.
func (s *servedService) find(req *request) *Operation {
	switch s.Protocol {
	case JSON:
		prefix, name := splitTarget(req.http.Header.Get("X-Amz-Target"))
		if !s.isTarget(prefix) {
			return nil
		}
		return s.byName[name]
	case Query, EC2:
		return s.byName[req.form.Get("Action")]
	case CBOR:
		prefix, name := cborOperation(req.http.URL.Path)
		if prefix != s.TargetPrefix {
			return nil
		}
		return s.byName[name]
	}
	op, labels := s.route(req.http)
	req.labels = labels
	return op
}

// route finds the operation of a REST request: of those that match, the most specific.
func (s *servedService) route(r *http.Request) (best *Operation, labels map[string]string) {
	path, query := r.URL.EscapedPath(), r.URL.Query()
	if s.isS3() {
		if bucket := bucketFromHost(hostname(r)); bucket != "" {
			path = "/" + bucket + path
		}
	}
	highest := 0
	for _, candidate := range s.routes {
		l, score, ok := candidate.match(r, path, query)
		if ok && (best == nil || score > highest) {
			best, labels, highest = candidate.operation, l, score
		}
	}
	if best != nil && s.isS3() {
		if _, stray := strayS3Subresource(best, query); stray {
			return nil, nil
		}
	}
	return best, labels
}

// streams tells whether an operation's input is a stream.
func (s *servedService) streams(op *Operation) bool {
	if !s.isREST() {
		return false
	}
	m, ok := payload(reflect.ValueOf(op.NewInput()).Elem())
	return ok && m.value.Type() == reflect.TypeFor[io.ReadCloser]()
}

// allowsAnonymous tells whether AWS serves an operation without a signature. Who may read a bucket without one is for its policy to decide.
func (s *servedService) allowsAnonymous(op *Operation) bool {
	if op == nil {
		return false
	}
	return s.isS3() || s.Name == "sts" && (op.Name == "AssumeRoleWithWebIdentity" || op.Name == "AssumeRoleWithSAML")
}

// unknown counts and refuses an operation that the lab does not serve.
func (s *Server) unknown(svc *servedService, req *request) error {
	name, message := requested(svc, req)
	s.unsupported.add(svc.Name, name)
	return refuse(svc.Service, unknownOperation, message)
}

// requested names the operation that a request asks for, and says in the words of its service that there is none.
func requested(svc *servedService, req *request) (name, message string) {
	switch svc.Protocol {
	case CBOR:
		_, name = cborOperation(req.http.URL.Path)
		return name, "The requested operation is not recognized by the service: " + name
	case JSON:
		_, name = splitTarget(req.http.Header.Get("X-Amz-Target"))
		return name, "The requested operation is not recognized by the service: " + name
	case EC2:
		name = req.form.Get("Action")
		return name, fmt.Sprintf("The action %s is not valid for this web service.", name)
	case Query:
		name = req.form.Get("Action")
		return name, fmt.Sprintf("Could not find operation %s for version %s", name, req.form.Get("Version"))
	}
	name = req.http.Method + " " + req.http.URL.Path
	for _, sub := range s3Subresources() {
		if req.http.URL.Query().Has(sub) {
			name = req.http.Method + " ?" + sub
		}
	}
	return name, "A header or query you provided implies functionality that is not implemented: " + name
}

// Count is how often an operation was asked for.
type Count struct {
	Service, Operation string
	Times              int
}

// maxCounted bounds the memory that clients of made-up operations can take.
const maxCounted = 1000

// counter counts operations that are not served.
type counter struct {
	mu    sync.Mutex
	times map[[2]string]int
}

func (c *counter) add(service, operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[[2]string]int{}
	}
	key := [2]string{service, string(bytes.ToValidUTF8([]byte(operation[:min(len(operation), 128)]), nil))}
	if _, known := c.times[key]; known || len(c.times) < maxCounted {
		c.times[key]++
	}
}

func (c *counter) counts() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Count, 0, len(c.times))
	for key, n := range c.times {
		out = append(out, Count{key[0], key[1], n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation))
	})
	return out
}
