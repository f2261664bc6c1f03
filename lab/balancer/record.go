package balancer

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Metrics receives one Observation per request. It is called on the goroutine of the request, and must be quick.
type Metrics interface{ Observe(Observation) }

// Observation is what one request adds to the metrics of "CloudWatch metrics for your Application Load Balancer".
type Observation struct {
	LoadBalancer string // Config.Name, such as "app/web/50dc6c495c0c9188"
	Action       string // "forward", "redirect", "fixed-response", "waf", "waf-failed"; "" when no rule was reached
	TargetGroup  string // ARN; "" when the load balancer answered by itself
	Zone         string // of the node
	Status       int    // as the client saw it
	TargetStatus int    // 0 when no target answered
	TargetTime   time.Duration
	Received     int64 // bytes of the request's body
	Sent         int64 // bytes of the answer's body
}

// record gathers what metrics and access log say about a request.
type record struct {
	start        time.Time
	requestLine  string
	userAgent    string
	priority     int
	action       string
	redirect     string
	group        string
	target       *target
	targetTime   time.Duration
	targetStatus int
	status       int
	received     atomic.Int64
	sent         int64
	upgraded     bool
}

func (d *record) begin(x *exchange) {
	d.start, d.priority = time.Now(), -1
	if x.routing.attributes.AccessLogs {
		host := x.r.Host
		if _, _, found := strings.Cut(host, ":"); !found {
			host = fmt.Sprintf("%s:%d", host, x.port.publicPort())
		}
		d.requestLine = fmt.Sprintf("%s %s://%s%s %s", x.r.Method, x.port.scheme(), host, x.r.URL.RequestURI(), x.r.Proto)
		d.userAgent = x.r.UserAgent()
	}
}

func (d *record) observation(x *exchange) Observation {
	return Observation{
		LoadBalancer: x.port.node.name, Action: d.action, TargetGroup: d.group, Zone: x.port.node.Zone, Status: d.status, TargetStatus: d.targetStatus, TargetTime: d.targetTime,
		Received: d.received.Load(), Sent: d.sent,
	}
}

// line is the request's access log entry, field by field as in "Access log entries".
func (d *record) line(x *exchange) string {
	end := time.Now()
	target, targetStatus, targetTime, responseTime, requestTime := "-", "-", -1.0, -1.0, -1.0
	if d.target != nil {
		target = d.target.Address.String()
	}
	if d.targetStatus != 0 {
		targetStatus = fmt.Sprint(d.targetStatus)
		requestTime, targetTime = 0, d.targetTime.Seconds()
		responseTime = max(0, (end.Sub(d.start) - d.targetTime).Seconds())
	}
	cipher, protocol, domain, certificate := "-", "-", "-", "-"
	if x.r.TLS != nil {
		cipher, protocol = tls.CipherSuiteName(x.r.TLS.CipherSuite), strings.ReplaceAll(tls.VersionName(x.r.TLS.Version), "TLS ", "TLSv")
		domain, certificate = orDash(x.r.TLS.ServerName), orDash(x.client.certificate)
	}
	priority := "-"
	if d.priority >= 0 {
		priority = fmt.Sprint(d.priority)
	}
	return fmt.Sprintf("%s %s %s %s %s %.3f %.3f %.3f %s %s %d %d %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s",
		d.kind(x), stamp(end), x.port.node.logs.name, x.client.address, target, requestTime, targetTime, responseTime,
		statusField(d.status), targetStatus, d.received.Load(), d.sent, quote(d.requestLine), quote(orDash(d.userAgent)), cipher, protocol,
		orDash(d.group), quote(orDash(x.r.Header.Get("X-Amzn-Trace-Id"))), quote(domain), quote(certificate), priority, stamp(d.start),
		quote(orDash(d.action)), quote(orDash(d.redirect)), quote("-"), quote(target), quote(targetStatus), quote("-"), quote("-"), x.client.traceID())
}

func (d *record) kind(x *exchange) string {
	switch {
	case d.upgraded && x.port.secure:
		return "wss"
	case d.upgraded:
		return "ws"
	case x.r.ProtoMajor == 2:
		return "h2"
	}
	return x.port.scheme()
}

func statusField(status int) string {
	if status == 0 {
		return "-"
	}
	return fmt.Sprint(status)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// quote encloses a field that clients shape. What could end the field or the line is written as \xHH, as AWS does.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
