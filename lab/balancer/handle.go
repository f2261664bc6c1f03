package balancer

import (
	"math/rand/v2"
	"net/http"
	"strings"
)

// exchange is one request and its answer.
type exchange struct {
	port     *port
	routing  *routing
	listener *Listener
	client   *client
	w        http.ResponseWriter
	r        *http.Request
	prepared bool   // the header is the one that targets get
	upgrade  string // the protocol that the client asks for
	record   record
}

// ServeHTTP answers one request of a client.
func (p *port) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(clientKey{}).(*client)
	current := p.node.b.routing.Load()
	x := &exchange{port: p, routing: current, listener: current.listeners[p.number], client: c, w: w, r: r}
	x.record.begin(x)
	defer x.finish()
	if x.record.start.Sub(c.since) > current.attributes.ClientKeepAlive {
		w.Header().Set("Connection", "close")
	}
	if x.listener == nil { // deleted a moment ago
		w.Header().Set("Connection", "close")
		x.page(http.StatusServiceUnavailable)
		return
	}
	if status := refuse(r, &current.attributes); status != 0 {
		w.Header().Set("Connection", "close")
		x.page(status)
		return
	}
	if !x.passes() {
		return
	}
	for !x.route() { // by what Apply has just replaced
		x.routing = p.node.b.routing.Load()
		if x.listener = x.routing.listeners[p.number]; x.listener == nil {
			x.page(http.StatusServiceUnavailable)
			return
		}
	}
}

// route does what the first matching rule says. It reports false when the target that it chose was taken away before it got the request.
func (x *exchange) route() (done bool) {
	rule := match(x.listener.Rules, x.r, x.client.address.Addr())
	x.record.priority = rule.Priority
	switch a := rule.Action; {
	case a.Forward != nil:
		x.record.action = "forward"
		return x.forward(a.Forward)
	case a.Redirect != nil:
		x.record.action, x.record.redirect = "redirect", a.Redirect.location(x.port, x.r)
		x.record.status = a.Redirect.Status
		x.record.sent = int64(a.Redirect.answer(x.w, x.record.redirect))
	case a.Fixed != nil:
		x.record.action, x.record.status = "fixed-response", a.Fixed.Status
		x.record.sent = int64(a.Fixed.answer(x.w))
	}
	return true
}

// page answers with a page of the load balancer's own.
func (x *exchange) page(status int) {
	x.record.status = status
	x.record.sent = int64(page(x.w, status))
}

// finish runs also when the client's connection is torn down in the middle of an answer.
func (x *exchange) finish() {
	b := x.port.node.b
	if b.opts.Metrics != nil {
		b.opts.Metrics.Observe(x.record.observation(x))
	}
	if x.routing.attributes.AccessLogs && x.port.node.logs != nil {
		buffer, _ := b.buffers.Get().(*[]byte)
		x.port.node.logs.write(x.record.line((*buffer)[:0], x))
		b.buffers.Put(buffer)
	}
}

// refuse returns the status with which the load balancer turns away what it never forwards, or 0.
func refuse(r *http.Request, a *Attributes) int {
	switch {
	case r.Method == http.MethodTrace:
		return http.StatusMethodNotAllowed
	case r.Method == http.MethodConnect:
		return http.StatusBadRequest
	case len(r.Method)+len(r.RequestURI)+len(r.Proto)+2 > maxRequestLine:
		return http.StatusRequestURITooLong
	case a.Desync == DesyncStrictest && r.ContentLength != 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return http.StatusBadRequest
	}
	total := 0
	for name, values := range r.Header {
		for _, v := range values {
			field := len(name) + len(v) + len(": \r\n")
			if field > maxHeaderField {
				return http.StatusBadRequest
			}
			total += field
		}
	}
	if total > maxRequestHeader {
		return http.StatusBadRequest
	}
	if forwarded := r.Header["X-Forwarded-For"]; forwarded != nil && a.ForwardedFor == ForwardedForAppend {
		addresses := len(forwarded)
		for _, v := range forwarded {
			addresses += strings.Count(v, ",")
		}
		if addresses > maxForwardedFor {
			return statusTooManyForwards
		}
	}
	return 0
}

// chooseGroup chooses among the groups of a forward action: the one that the client stays with, else by weight.
// It is nil when no group has a weight.
func (x *exchange) chooseGroup(f *Forward) (arn string, g *group) {
	if len(f.Groups) == 1 && f.Stickiness == 0 {
		return f.Groups[0].ARN, x.routing.groups[f.Groups[0].ARN]
	}
	total := 0
	for _, w := range f.Groups {
		total += w.Weight
	}
	if total == 0 {
		return "", nil
	}
	if f.Stickiness > 0 {
		sticky := x.port.node.b.cookies.read(x.r, cookieGroup, x.listener.ARN)
		for _, w := range f.Groups {
			if w.ARN == sticky && w.Weight > 0 {
				return sticky, x.routing.groups[sticky]
			}
		}
	}
	n := rand.IntN(total)
	for _, w := range f.Groups {
		if n -= w.Weight; n < 0 {
			return w.ARN, x.routing.groups[w.ARN]
		}
	}
	return "", nil
}
