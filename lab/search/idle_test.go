package search_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"storefront/lab/search"
)

// TestIdle lets nobody search for a while: writes are indexed seldom then, and the next search finds them all, on whichever node.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := search.Open(search.Config{Dir: t.TempDir(), Name: "shop", Version: "7.10"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetNodes(context.Background(), crashNodes); err != nil {
			t.Fatal(err)
		}
		ask := func(node, method, path string) string {
			t.Helper()
			req, res := httptest.NewRequest(method, path, strings.NewReader("{}")), httptest.NewRecorder()
			req.Header.Set("Content-Type", "application/json")
			if c.Handler(node).ServeHTTP(res, req); res.Code >= 300 {
				t.Fatalf("%s %s: %d %s", method, path, res.Code, res.Body)
			}
			return res.Body.String()
		}
		has := func(when, node string, want int) {
			t.Helper()
			if got := ask(node, "GET", "/i/_count"); !strings.Contains(got, fmt.Sprintf(`"count":%d,`, want)) && !strings.Contains(got, fmt.Sprintf(`"count":%d}`, want)) {
				t.Errorf("%s node %s counts %s, want %d", when, node, got, want)
			}
		}
		indexed := func(when string, want int64) {
			t.Helper()
			if got := c.Health().Documents; got != want {
				t.Errorf("%s %d documents are indexed, want %d", when, got, want)
			}
		}
		ask("a", "PUT", "/i/_doc/1?refresh=true")
		ask("a", "PUT", "/i/_doc/2")
		time.Sleep(1500 * time.Millisecond)
		indexed("after a second", 2)

		time.Sleep(time.Minute) // 61.5 s after the index was made
		ask("a", "PUT", "/i/_doc/3")
		time.Sleep(2 * time.Second)
		indexed("after two seconds of an idle shard", 2)
		has("when a search ends the idleness", "b", 3)
		ask("a", "PUT", "/i/_doc/4")
		has("before the next refresh", "a", 3)
		time.Sleep(time.Second)
		has("a second later", "a", 4)

		time.Sleep(time.Minute)
		ask("a", "PUT", "/i/_doc/5")
		time.Sleep(idleRefresh)
		indexed("after the refresh of an idle shard", 5)

		time.Sleep(time.Second)
		began := time.Now()
		ask("a", "PUT", "/i/_doc/6?refresh=wait_for")
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("who waits for the refresh of an idle shard waits %s", waited)
		}
		has("after wait_for", "b", 6)
	})
}

const idleRefresh = 10 * time.Second // between refreshes of an idle shard
