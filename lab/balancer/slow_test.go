package balancer_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"storefront/lab/balancer"
	"storefront/lab/network"
)

// pipes is a Network in memory, for time that tests turn on.
type pipes struct{ balancer, target chan net.Conn }

func (p pipes) Listen(network.Place, string, string) (net.Listener, error) {
	return pipeListener{p.balancer, make(chan struct{})}, nil
}

func (p pipes) Dial(context.Context, network.Place, string, string) (net.Conn, error) {
	return pipeTo(p.target), nil
}

func pipeTo(to chan net.Conn) net.Conn {
	here, there := net.Pipe()
	to <- there
	return here
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	close(l.done)
	return nil
}

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowAnswerArrivesWhole: between any two pieces of an answer, those of its head and of its chunks included, a target may take as long as the idle timeout says.
func TestSlowAnswerArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pieces := []string{"HTTP/1.1 200 OK\r\nTransfer-", "Encoding: chunked\r\n\r\n5\r\nab", "cde\r", "\n0\r\n", "\r\n"}
		status, body, err := askOverPipes(t, func(c net.Conn) {
			for _, piece := range pieces {
				time.Sleep(50 * time.Second) // of the bubble's time
				_, _ = io.WriteString(c, piece)
			}
		})
		if status != http.StatusOK || body != "abcde" || err != nil {
			t.Errorf("got %d, %q, %v", status, body, err)
		}
	})
}

// TestSilentTarget: 504 after the idle timeout.
func TestSilentTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		status, body, err := askOverPipes(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		if status != http.StatusGatewayTimeout || !strings.Contains(body, "<center><h1>504 Gateway Time-out</h1></center>") || err != nil {
			t.Errorf("got %d, %q, %v", status, body, err)
		}
		if took := time.Since(begin).Truncate(time.Second); took != time.Minute {
			t.Errorf("after %v, want the idle timeout, a minute", took)
		}
	})
}

// askOverPipes asks a load balancer whose target answers as behave does.
func askOverPipes(t *testing.T, behave func(net.Conn)) (status int, body string, err error) {
	p := pipes{make(chan net.Conn), make(chan net.Conn)}
	b, err := balancer.New(balancer.Options{Network: p})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for c := range p.target {
			go func() {
				defer func() { _ = c.Close() }()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil && r.URL.Path != "/healthz" {
					behave(c)
				}
			}()
		}
	}()
	c := config(group(target("127.0.0.1:1")))
	c.TargetGroups[0].HealthCheck.Interval = time.Hour
	mustApply(t, b, c)
	client := pipeTo(p.balancer)
	defer func() {
		_ = client.Close()
		b.Close()
		synctest.Wait()
		close(p.target)
	}()
	_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return 0, "", err
	}
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}
