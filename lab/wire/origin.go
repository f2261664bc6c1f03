package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
)

// Origin is where a request came from and how.
type Origin struct {
	Scheme    string // "https", or "http" as it is spoken on this machine
	Host      string // that the client asked for, with the port: "127.0.0.1:4566", "sqs.us-east-1.amazonaws.com"
	Address   string // of the client, without the port
	UserAgent string
	// Secure says that nobody could read or change the request on its way: it came over TLS, or never left this machine, where the lab listens without it.
	Secure     bool
	TLSVersion string   // "1.2", "1.3", or "" without TLS
	Endpoint   Endpoint // that the request came through; the zero Endpoint for none
}

// Endpoint is a VPC endpoint.
type Endpoint struct{ ID, VPC string }

type originKey struct{}
type endpointKey struct{}

// WithEndpoint returns a context for the connections that come through a VPC endpoint.
func WithEndpoint(ctx context.Context, e Endpoint) context.Context {
	return context.WithValue(ctx, endpointKey{}, e)
}

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
	o := Origin{Scheme: "http", Host: r.Host, Address: address, UserAgent: r.UserAgent(), Secure: r.TLS != nil || net.ParseIP(address).IsLoopback()}
	o.Endpoint, _ = r.Context().Value(endpointKey{}).(Endpoint)
	if r.TLS != nil {
		o.Scheme, o.TLSVersion = "https", strings.TrimPrefix(tls.VersionName(r.TLS.Version), "TLS ")
	}
	return o
}
