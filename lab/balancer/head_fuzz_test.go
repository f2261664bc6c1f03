package balancer

import (
	"bufio"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// FuzzHead: what is understood as a head is understood as net/http does. What is refused may be understood by net/http, which is more lenient.
func FuzzHead(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:2\r\n\r\nhello",
		"HTTP/1.1 200\nTransfer-Encoding: chunked\nContent-Length: 7\n\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: Close, X-Hop\r\nX-Hop: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: 1\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20", "\r\n", "",
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, isHead bool) {
		method := http.MethodGet
		if isHead {
			method = http.MethodHead
		}
		if strings.HasPrefix(text, "HTTP/1.1 1") {
			return // passed over
		}
		c := &targetConn{source: &source{}, reader: bufio.NewReader(strings.NewReader(text))}
		got, err := c.readHead(method)
		if err != nil {
			return
		}
		want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q: net/http refuses it: %v", text, err)
		}
		chunked := len(want.TransferEncoding) > 0
		if got.status != want.StatusCode || !isHead && (got.close != want.Close || got.chunked != chunked || got.length != want.ContentLength) {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
		header := http.Header{}
		got.copyTo(header)
		for _, f := range got.fields {
			if f.name == "Connection" { // which net/http deletes at times, and what it names never
				dropNamed(want.Header, []string{f.value})
			}
		}
		for name, values := range want.Header {
			if !hopByHop(name) && !reflect.DeepEqual(header[name], values) {
				t.Errorf("%q: %s: got %q, want %q", text, name, header[name], values)
			}
		}
		for name := range header {
			if header[name] != nil && want.Header[name] == nil {
				t.Errorf("%q: %s is made up", text, name)
			}
		}
	})
}
