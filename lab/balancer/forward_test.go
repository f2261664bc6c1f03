package balancer_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"storefront/lab/balancer"
)

func TestTargetsSeeForwardedHeaders(t *testing.T) {
	seen := make(chan *http.Request, 1)
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		w.Header().Set("X-From", "target")
		w.Header().Set("Keep-Alive", "timeout=5")
	})
	_, url := start(t, withAttributes(config(group(tg)), balancer.Attributes{DropInvalidHeaders: true}), balancer.Options{})
	response, _ := get(t, url+"/a%2Fb?x=1", func(r *http.Request) {
		r.Host = "shop.test"
		r.Header = http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X_Bad": {"1"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "X-Amzn-Trace-Id": {"Root=1-67891233-abcdef012345678912345678"}}
	})
	r := <-seen
	for name, want := range map[string]string{
		"X-Forwarded-For": "203.0.113.9, 127.0.0.1", "X-Forwarded-Proto": "http", "X_bad": "", "X-Hop": "", "Connection": "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := r.Header.Get("X-Amzn-Trace-Id"); !regexp.MustCompile(`^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678$`).MatchString(got) {
		t.Errorf("trace: %s", got)
	}
	if r.RequestURI != "/a%2Fb?x=1" || r.Host != "shop.test" {
		t.Errorf("got %s at %s", r.RequestURI, r.Host)
	}
	if response.Header.Get("X-From") != "target" || response.Header.Get("Keep-Alive") != "" {
		t.Errorf("client got %v", response.Header)
	}
}

func withAttributes(c balancer.Config, a balancer.Attributes) balancer.Config {
	c.Attributes = a
	return c
}

func TestBalancerAnswersForFailingTargets(t *testing.T) {
	closed := freePorts(t, 1)[0]
	behave := func(conn func(net.Conn)) balancer.Target {
		return target(raw(t, func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				conn(c)
			}
		}).Addr().String())
	}
	for _, c := range []struct {
		name    string
		targets []balancer.Target
		status  int
		title   string
	}{
		{"no targets", nil, 503, "503 Service Temporarily Unavailable"},
		{"refused", []balancer.Target{target(fmt.Sprintf("127.0.0.1:%d", closed))}, 502, "502 Bad Gateway"},
		{"closed", []balancer.Target{behave(func(net.Conn) {})}, 502, "502 Bad Gateway"},
		{"garbage", []balancer.Target{behave(func(c net.Conn) { _, _ = io.WriteString(c, "hello\r\n\r\n") })}, 502, "502 Bad Gateway"},
		{"huge header", []balancer.Target{behave(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
		})}, 502, "502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, url := start(t, config(group(c.targets...)), balancer.Options{})
			response, body := get(t, url)
			if response.StatusCode != c.status || !strings.Contains(body, "<center><h1>"+c.title+"</h1></center>") {
				t.Errorf("got %d %s, want %s", response.StatusCode, body, c.title)
			}
			if response.Header.Get("Server") != "awselb/2.0" || response.Header.Get("Content-Type") != "text/html" {
				t.Errorf("header: %v", response.Header)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	tg, _ := upstream(t, func(http.ResponseWriter, *http.Request) { t.Error("a refused request reached the target") })
	_, url := start(t, config(group(tg)), balancer.Options{})
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"TRACE":           {func(r *http.Request) { r.Method = "TRACE" }, 405},
		"long URI":        {func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("a", 17<<10) }, 414},
		"long field":      {func(r *http.Request) { r.Header.Set("X", strings.Repeat("a", 17<<10)) }, 400},
		"too many relays": {func(r *http.Request) { r.Header.Set("X-Forwarded-For", strings.Repeat("10.0.0.1,", 30)+"10.0.0.1") }, 463},
	} {
		if response, _ := get(t, url, c.change); response.StatusCode != c.status {
			t.Errorf("%s: got %d, want %d", name, response.StatusCode, c.status)
		}
	}
}

func TestBodiesStreamBothWays(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintf(w, "echo %s\n", lines.Text())
			_ = http.NewResponseController(w).Flush()
		}
	})
	_, url := start(t, config(group(tg)), balancer.Options{})
	read, write := io.Pipe()
	response := make(chan *http.Response, 1)
	go func() {
		r, err := http.Post(url, "text/plain", read)
		if err != nil {
			t.Error(err)
		}
		response <- r
	}()
	_, _ = io.WriteString(write, "one\n")
	r := <-response
	if r == nil {
		return
	}
	defer func() { _ = r.Body.Close() }()
	answers := bufio.NewScanner(r.Body)
	for _, word := range []string{"one", "two", "three"} { // each answer must come before the next line is sent
		if !answers.Scan() || answers.Text() != "echo "+word {
			t.Fatalf("got %q, want echo %s", answers.Text(), word)
		}
		_, _ = io.WriteString(write, map[string]string{"one": "two\n", "two": "three\n"}[word])
	}
	_ = write.Close()
	if answers.Scan() {
		t.Errorf("more than was asked for: %q", answers.Text())
	}
}

func TestExpectContinueAndLargeBody(t *testing.T) {
	const size = 3 << 20
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "" {
			t.Error("Expect reached the target")
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n, " ", r.ContentLength)
	})
	_, url := start(t, config(group(tg)), balancer.Options{})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(strings.Repeat("x", size)))
	request.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 5 * time.Second, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, _ := io.ReadAll(response.Body); string(body) != fmt.Sprint(size, " ", size) {
		t.Errorf("the target read %s", body)
	}
}

func TestEarlyAnswerToAnUpload(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil { // else net/http reads first
			t.Error(err)
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	_, url := start(t, config(group(tg)), balancer.Options{})
	read, write := io.Pipe()
	defer func() { _ = write.Close() }()
	go func() { _, _ = io.WriteString(write, "never ends") }()
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, read)
	response, err := noRedirect.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", response.StatusCode)
	}
}

// TestDeadIdleConnection: the target closes connections that the balancer keeps. GET and POST must not fail for it.
func TestDeadIdleConnection(t *testing.T) {
	tg, server := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	g := group(tg)
	g.HealthCheck.Interval = time.Hour
	_, url := start(t, config(g), balancer.Options{})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for range 3 {
			if r, _ := get(t, url, func(r *http.Request) { r.Method = method }); r.StatusCode != 200 {
				t.Errorf("%s: got %d", method, r.StatusCode)
			}
			server.CloseClientConnections()
		}
	}
}

// TestUnsafeRequestIsNotRepeated: a target that dies in the middle of a POST sees it once.
func TestUnsafeRequestIsNotRepeated(t *testing.T) {
	var posts atomic.Int32
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			panic(http.ErrAbortHandler)
		}
	})
	_, url := start(t, config(group(tg)), balancer.Options{})
	get(t, url) // leaves an idle connection
	if r, _ := get(t, url, func(r *http.Request) { r.Method = http.MethodPost }); r.StatusCode != http.StatusBadGateway || posts.Load() != 1 {
		t.Errorf("got %d after %d attempts, want 502 after 1", r.StatusCode, posts.Load())
	}
}

func TestBrokenAnswerIsCutOff(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 8<<10))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, url := start(t, config(group(tg)), balancer.Options{})
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if _, err := io.ReadAll(r.Body); err == nil {
		t.Error("a broken answer passed for a whole one")
	}
}

func TestUpgrade(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
			t.Errorf("the target got %v", r.Header)
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	})
	b, url := start(t, config(group(tg)), balancer.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly ")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != "echo" {
		t.Fatalf("got %v, %v", response, err)
	}
	_, _ = io.WriteString(conn, "late\n")
	if line, err := reader.ReadString('\n'); line != "early late\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if n := b.InFlight(groupARN, tg.ID, int(tg.Address.Port())); n != 1 {
		t.Errorf("%d in flight, want the upgraded connection", n)
	}
	_ = conn.Close()
	eventually(t, "the connection is let go", func() bool { return b.InFlight(groupARN, tg.ID, int(tg.Address.Port())) == 0 })
}

func TestHTTPS(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-Proto"))
	})
	issuer := httptest.NewTLSServer(nil) // a certificate for example.com and 127.0.0.1
	defer issuer.Close()
	c := config(group(tg))
	c.Listeners[0].TLS = &balancer.TLS{Certificates: []balancer.Certificate{{Certificate: &issuer.TLS.Certificates[0]}}, MinVersion: tls.VersionTLS12}
	b, url := start(t, c, balancer.Options{})
	transport, _ := issuer.Client().Transport.(*http.Transport)
	client := func(max uint16, http2 bool) *http.Client {
		tr := transport.Clone()
		tr.TLSClientConfig.MaxVersion, tr.TLSClientConfig.MinVersion, tr.ForceAttemptHTTP2 = max, tls.VersionTLS10, http2
		tr.DisableKeepAlives = true
		if !http2 {
			tr.TLSClientConfig.NextProtos = nil
		}
		return &http.Client{Transport: tr}
	}
	ask := func(c *http.Client) (*http.Response, string, error) {
		r, err := c.Get(url)
		if err != nil {
			return nil, "", err
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		return r, string(body), err
	}
	if r, body, err := ask(client(tls.VersionTLS13, true)); err != nil || r.ProtoMajor != 2 || body != "https" {
		t.Errorf("HTTP/2: got %v, %q, %v", r, body, err)
	}
	if r, _, err := ask(client(tls.VersionTLS12, false)); err != nil || r.ProtoMajor != 1 {
		t.Errorf("TLS 1.2: got %v, %v", r, err)
	}
	if _, _, err := ask(client(tls.VersionTLS11, false)); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	c.Attributes.DisableHTTP2 = true
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	if r, _, err := ask(client(tls.VersionTLS13, true)); err != nil || r.ProtoMajor != 1 {
		t.Errorf("with HTTP/2 off: got %v, %v", r, err)
	}
}
