package balancer

import (
	"crypto/tls"
	"strconv"
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
			host += ":" + x.port.fields.port[0]
		}
		d.requestLine = x.r.Method + " " + x.port.scheme() + "://" + host + x.r.URL.RequestURI() + " " + x.r.Proto
		d.userAgent = x.r.UserAgent()
	}
}

func (d *record) observation(x *exchange) Observation {
	return Observation{
		LoadBalancer: x.port.node.name, Action: d.action, TargetGroup: d.group, Zone: x.port.node.Zone, Status: d.status, TargetStatus: d.targetStatus, TargetTime: d.targetTime,
		Received: d.received.Load(), Sent: d.sent,
	}
}

// line appends the request's access log entry, field by field as in "Access log entries".
func (d *record) line(l logLine, x *exchange) logLine {
	end := time.Now()
	target, targetStatus, targetTime, responseTime, requestTime := "-", "-", -1.0, -1.0, -1.0
	if d.target != nil {
		target = d.target.Address.String()
	}
	if d.targetStatus != 0 {
		targetStatus = strconv.Itoa(d.targetStatus)
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
		priority = strconv.Itoa(d.priority)
	}
	l = append(l, d.kind(x)...)
	l = l.stamp(end).text(x.port.node.logs.name).text(x.client.address.String()).text(target).seconds(requestTime).seconds(targetTime).seconds(responseTime)
	l = l.text(statusField(d.status)).text(targetStatus).text(itoa(d.received.Load())).text(itoa(d.sent)).quoted(d.requestLine).quoted(orDash(d.userAgent))
	l = l.text(cipher).text(protocol).text(orDash(d.group)).quoted(orDash(x.r.Header.Get("X-Amzn-Trace-Id"))).quoted(domain).quoted(certificate)
	l = l.text(priority).stamp(d.start).quoted(orDash(d.action)).quoted(orDash(d.redirect)).quoted("-").quoted(target).quoted(targetStatus)
	return append(l.quoted("-").quoted("-").text(x.client.traceID()), '\n')
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
	return strconv.Itoa(status)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// logLine is a line of an access log in the making. Each method appends a field.
type logLine []byte

func (l logLine) text(s string) logLine { return append(append(l, ' '), s...) }

func (l logLine) seconds(s float64) logLine {
	return strconv.AppendFloat(append(l, ' '), s, 'f', 3, 64)
}

func (l logLine) stamp(t time.Time) logLine {
	return t.UTC().AppendFormat(append(l, ' '), "2006-01-02T15:04:05.000000Z")
}

// quoted encloses a field that clients shape. What could end the field or the line is written as \xHH, as AWS does.
func (l logLine) quoted(s string) logLine {
	const digits = "0123456789ABCDEF"
	l = append(l, ' ', '"')
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			l = append(l, '\\', 'x', digits[c>>4], digits[c&15])
		} else {
			l = append(l, c)
		}
	}
	return append(l, '"')
}
