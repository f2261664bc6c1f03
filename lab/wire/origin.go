package wire

import (
	"context"
	"net"
	"net/http"
)

// Origin is where a request came from and how.
type Origin struct {
	Scheme    string // "https", or "http" as it is spoken on this machine
	Host      string // that the client asked for, with the port: "127.0.0.1:4566", "sqs.us-east-1.amazonaws.com"
	Address   string // of the client, without the port
	UserAgent string
	// Secure says that nobody could read or change the request on its way: it came over TLS, or never left this machine, where the lab listens without it.
	Secure bool
}

type originKey struct{}

// OriginOf returns the origin of the request that ctx belongs to, or the zero Origin for calls within the lab.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// URL is the base of URLs that the client can reach as it reached the lab, such as "https://sqs.us-east-1.amazonaws.com", or otherwise for calls within the lab.
func (o Origin) URL(otherwise string) string {
	if o.Host == "" {
		return otherwise
	}
	return o.Scheme + "://" + o.Host
}

func originOf(r *http.Request) Origin {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return Origin{Scheme: scheme, Host: r.Host, Address: address, UserAgent: r.UserAgent(), Secure: r.TLS != nil || net.ParseIP(address).IsLoopback()}
}
