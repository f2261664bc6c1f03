package balancer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"storefront/lab/authority"
	"storefront/lab/balancer"
)

// issued is a certificate of a test's authority.
func issued(t *testing.T, a *authority.Authority, arn string, names ...string) balancer.Certificate {
	t.Helper()
	pair, err := a.Issue(names, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return balancer.Certificate{ARN: arn, Certificate: &c}
}

// connect shakes hands with a client's server name.
func connect(t *testing.T, a *authority.Authority, url, name string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: a.Pool(), ServerName: name, InsecureSkipVerify: name == ""})
	if err != nil {
		t.Fatalf("shaking hands as %q: %v", name, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// exchange sends a request over a connection and returns the answer's body.
func exchange(t *testing.T, conn *tls.Conn) string {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// text is what is in the files.
func (f *files) text(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []byte
	for _, gz := range f.m {
		r, err := gzip.NewReader(bytes.NewReader(gz))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

// shown is the first name of the certificate that a client was shown.
func shown(conn *tls.Conn) string { return conn.ConnectionState().PeerCertificates[0].DNSNames[0] }

func TestCertificateIsChosenByName(t *testing.T) {
	a, err := authority.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	logs := &files{m: map[string][]byte{}}
	c := config(group(tg))
	c.Attributes.AccessLogs = true
	c.Listeners[0].TLS = &balancer.TLS{MinVersion: tls.VersionTLS12, Certificates: []balancer.Certificate{
		issued(t, a, "arn:default", "shop.example.com"), issued(t, a, "arn:other", "other.example.com"), issued(t, a, "arn:wild", "*.example.org"),
	}}
	b, url := start(t, c, balancer.Options{Logs: logs})
	for name, want := range map[string]string{"shop.example.com": "shop.example.com", "other.example.com": "other.example.com", "a.example.org": "*.example.org", "": "shop.example.com"} {
		conn := connect(t, a, url, name)
		if got := shown(conn); got != want {
			t.Errorf("a client that asks for %q is shown the certificate of %s, want %s", name, got, want)
		}
		if body := exchange(t, conn); body != "hello" {
			t.Errorf("%q is answered %q", name, body)
		}
	}
	b.Close()
	text := logs.text(t)
	for _, want := range []string{`"other.example.com" "arn:other"`, `"a.example.org" "arn:wild"`, `"shop.example.com" "arn:default"`, `"-" "arn:default"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no entry of the access log has %s:\n%s", want, text)
		}
	}
}

func TestCertificateSwapLeavesConnections(t *testing.T) {
	a, err := authority.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	secure := func(certificate balancer.Certificate) balancer.Config {
		c := config(group(tg))
		c.Listeners[0].TLS = &balancer.TLS{MinVersion: tls.VersionTLS12, Certificates: []balancer.Certificate{certificate}}
		return c
	}
	b, url := start(t, secure(issued(t, a, "arn", "before.example.com")), balancer.Options{})
	old := connect(t, a, url, "before.example.com")
	exchange(t, old)
	if err := b.Apply(secure(issued(t, a, "arn", "after.example.com"))); err != nil {
		t.Fatal(err)
	}
	if got := shown(connect(t, a, url, "after.example.com")); got != "after.example.com" {
		t.Errorf("a new connection is shown the certificate of %s", got)
	}
	if body := exchange(t, old); body != "hello" {
		t.Errorf("the old connection is answered %q", body)
	}
}
