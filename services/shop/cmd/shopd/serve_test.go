package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// TestConnectionsAreKept makes as many calls at once as customers do in a busy moment: the next moment needs no new connection.
func TestConnectionsAreKept(t *testing.T) {
	const calls = 50
	var opened atomic.Int64
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait() // until all calls of the moment are under way
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := awsClient()
	moment := func() int64 {
		before := opened.Load()
		arrived.Add(calls)
		var done sync.WaitGroup
		for range calls {
			done.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
				if err != nil {
					t.Error(err)
					return
				}
				answer, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
			})
		}
		done.Wait()
		return opened.Load() - before
	}
	if first, second := moment(), moment(); first < calls || second > 0 {
		t.Errorf("opened %d connections and then %d more, want %d and none", first, second, calls)
	}
}
