package balancer

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"
)

// Firewall inspects requests before they are routed.
type Firewall interface {
	// Inspect returns nil for a request that may pass, and may add header fields to it; else what is answered instead. body is the beginning of the request's
	// body, and more tells that it goes on. An error says that the firewall cannot tell: Attributes.FailOpen decides.
	Inspect(r *http.Request, client netip.Addr, body []byte, more bool) (*Refusal, error)
}

// Refusal is the answer to a request that a Firewall holds back.
type Refusal struct {
	Status      int
	Header      http.Header
	ContentType string
	Body        string // "" is the load balancer's own page
}

// inspectedBody is how much of a body a Firewall sees, in bytes: see "Considerations for managing oversize components" of AWS WAF.
const inspectedBody = 8 << 10

// passes lets the firewall look at the request, and reports whether it may go on; if not, it is answered.
func (x *exchange) passes() bool {
	wall := x.routing.firewall
	if wall == nil {
		return true
	}
	body, more, err := x.peek()
	if err != nil {
		x.record.action = "waf"
		x.w.Header().Set("Connection", "close")
		x.page(http.StatusRequestTimeout)
		return false
	}
	refusal, err := wall.Inspect(x.r, x.client.address.Addr(), body, more)
	switch {
	case err != nil && x.routing.attributes.FailOpen:
		return true
	case err != nil:
		x.record.action = "waf-failed"
		x.page(http.StatusInternalServerError)
		return false
	case refusal == nil:
		return true
	}
	x.record.action = "waf"
	for name, values := range refusal.Header {
		x.w.Header()[name] = values
	}
	if refusal.Body == "" {
		x.page(refusal.Status)
		return false
	}
	x.record.status = refusal.Status
	x.record.sent = int64(answer(x.w, refusal.Status, refusal.ContentType, refusal.Body))
	return false
}

// peek reads the beginning of the body, and puts it back.
func (x *exchange) peek() (body []byte, more bool, err error) {
	if x.r.ContentLength == 0 || x.r.Body == nil {
		return nil, false, nil
	}
	control := http.NewResponseController(x.w)
	_ = control.SetReadDeadline(time.Now().Add(x.port.idle()))
	original := x.r.Body
	body, err = io.ReadAll(io.LimitReader(original, inspectedBody+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	_ = control.SetReadDeadline(time.Time{})
	x.r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), original), original}
	more = len(body) > inspectedBody
	return body[:min(len(body), inspectedBody)], more, nil
}
