package balancer_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"storefront/lab/balancer"
)

// BenchmarkForward is one request after the other through the balancer, whose client and target do nothing but copy bytes: what it allocates is the balancer's own.
func BenchmarkForward(b *testing.B) {
	b.Run("plain", func(b *testing.B) { forwardRequests(b, balancer.Attributes{}) })
	b.Run("logged", func(b *testing.B) { forwardRequests(b, balancer.Attributes{AccessLogs: true}) })
}

func forwardRequests(b *testing.B, attributes balancer.Attributes) {
	const request = "GET /products/1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 65\r\nServer: nginx\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\n" +
		"0123456789012345678901234567890123456789012345678901234567890123\n"
	l := raw(b, func(c net.Conn) {
		in := make([]byte, 4<<10)
		for n := 0; ; n = 0 {
			for !bytes.HasSuffix(in[:n], []byte("\r\n\r\n")) {
				m, err := c.Read(in[n:])
				if err != nil {
					return
				}
				n += m
			}
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	})
	g := group(target(l.Addr().String()))
	g.HealthCheck.Interval = time.Hour
	_, url := start(b, withAttributes(config(g), attributes), balancer.Options{Logs: &files{m: map[string][]byte{}}})
	client, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	in := make([]byte, len(answer)) // the balancer passes the same fields on, and no more
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(client, request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(client, in); err != nil {
			b.Fatal(err)
		}
	}
}
