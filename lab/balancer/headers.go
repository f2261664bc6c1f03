package balancer

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hopByHop reports whether a field concerns one connection only (RFC 9110, 7.6.1), or is one that the load balancer writes itself.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authorization":
		return true
	}
	return false
}

// requestOnly reports whether a further field of a request is not passed on as it came.
func requestOnly(name string) bool {
	return name == "Content-Length" || name == "Host" || name == "Expect"
}

// prepare changes the client's header into the one that targets get. It returns the value of Upgrade when the client asks for another protocol.
func (p *port) prepare(r *http.Request, c *client, a *Attributes, now time.Time) (upgrade string) {
	h := r.Header
	if tokens := h["Connection"]; tokens != nil {
		if hasToken(tokens, "upgrade") && r.ProtoMajor == 1 {
			upgrade = h.Get("Upgrade")
		}
		dropNamed(h, tokens)
	}
	for name := range h {
		if hopByHop(name) || requestOnly(name) || a.DropInvalidHeaders && !plainName(name) {
			delete(h, name)
		}
	}
	forwardedFor(h, c, a)
	if a.ForwardedFor != ForwardedForPreserve || h["X-Forwarded-Proto"] == nil {
		h["X-Forwarded-Proto"] = p.fields.proto
	}
	h["X-Forwarded-Port"] = p.fields.port
	h["X-Amzn-Trace-Id"] = []string{traceID(h.Get("X-Amzn-Trace-Id"), now)}
	if a.TLSHeaders && r.TLS != nil {
		h["X-Amzn-Tls-Version"] = []string{strings.ReplaceAll(tls.VersionName(r.TLS.Version), "TLS ", "TLSv")}
		h["X-Amzn-Tls-Cipher-Suite"] = []string{tls.CipherSuiteName(r.TLS.CipherSuite)}
	}
	if !a.PreserveHost && p.number != 80 && p.number != 443 && p.number != 0 && r.Host != "" {
		if _, _, err := net.SplitHostPort(r.Host); err != nil {
			r.Host = net.JoinHostPort(strings.Trim(r.Host, "[]"), strconv.Itoa(p.number))
		}
	}
	return upgrade
}

func forwardedFor(h http.Header, c *client, a *Attributes) {
	const name = "X-Forwarded-For"
	switch a.ForwardedFor {
	case ForwardedForPreserve:
	case ForwardedForRemove:
		delete(h, name)
	default:
		before := h[name]
		if len(before) == 0 && !a.ClientPort {
			h[name] = c.forwarded
			return
		}
		address := c.forwarded[0]
		if a.ClientPort {
			address = c.address.String()
		}
		h[name] = []string{strings.Join(append(before, address), ", ")}
	}
}

func (p *port) scheme() string {
	if p.secure {
		return "https"
	}
	return "http"
}

// publicPort is the listener's port; for a listener of port 0 the one it got.
func (p *port) publicPort() int {
	if p.number != 0 {
		return p.number
	}
	return int(addrPort(p.listener.Addr()).Port())
}

// dropNamed deletes the fields that a Connection field names (RFC 9110, 7.6.1).
func dropNamed(h http.Header, connection []string) {
	for _, line := range connection {
		for token := range strings.SplitSeq(line, ",") {
			if token = strings.TrimSpace(token); token != "" {
				h.Del(token)
			}
		}
	}
}

func hasToken(lines []string, want string) bool {
	for _, line := range lines {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), want) {
				return true
			}
		}
	}
	return false
}

// plainName reports whether a field name is letters, digits and hyphens, which is what routing.http.drop_invalid_header_fields.enabled lets through.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// traceID is the X-Amzn-Trace-Id for a target: a new root, or a Self field in front of what the client sent, as
// "Request tracing for your Application Load Balancer" describes.
func traceID(received string, now time.Time) string {
	var raw [16]byte // not formatted with fmt, which would cost a fortieth of a request
	binary.BigEndian.PutUint32(raw[:], uint32(now.Unix()))
	binary.BigEndian.PutUint64(raw[4:], rand.Uint64())
	binary.BigEndian.PutUint32(raw[12:], rand.Uint32())
	text := hex.AppendEncode(append(make([]byte, 0, 48), "Root=1-"...), raw[:4])
	root := string(hex.AppendEncode(append(text, '-'), raw[4:]))
	if received == "" {
		return root
	}
	id := strings.TrimPrefix(root, "Root=")
	fields := []string{"Self=" + id}
	for field := range strings.SplitSeq(received, ";") {
		if field != "" && !strings.HasPrefix(field, "Self=") {
			fields = append(fields, field)
		}
	}
	if !strings.Contains(received, "Root=") {
		fields[0] = "Root=" + id
	}
	return strings.Join(fields, ";")
}
