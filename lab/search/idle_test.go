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

// one is a cluster whose handlers are called with no server between, so that time can be the test's.
type one struct {
	*search.Cluster
	t *testing.T
}

func openOne(t *testing.T, dir string) one {
	t.Helper()
	c, err := search.Open(search.Config{Dir: dir, Name: "shop", Version: "7.10"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetNodes(context.Background(), crashNodes); err != nil {
		t.Fatal(err)
	}
	return one{c, t}
}

// ask sends a request that must succeed.
func (c one) ask(node, method, path, body string) string {
	c.t.Helper()
	req, res := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
	req.Header.Set("Content-Type", "application/json")
	if c.Handler(node).ServeHTTP(res, req); res.Code >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, res.Code, res.Body)
	}
	return res.Body.String()
}

// TestIdle lets nobody search for a while: writes are indexed seldom then, and the next search finds them all, on whichever node.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openOne(t, t.TempDir())
		defer c.Close()
		has := func(when, node string, want int) {
			t.Helper()
			if got := c.ask(node, "GET", "/i/_count", ""); !strings.Contains(got, fmt.Sprintf(`"count":%d,`, want)) && !strings.Contains(got, fmt.Sprintf(`"count":%d}`, want)) {
				t.Errorf("%s node %s counts %s, want %d", when, node, got, want)
			}
		}
		indexed := func(when string, want int64) {
			t.Helper()
			if got := c.Health().Documents; got != want {
				t.Errorf("%s %d documents are indexed, want %d", when, got, want)
			}
		}
		c.ask("a", "PUT", "/i/_doc/1?refresh=true", `{}`)
		c.ask("a", "PUT", "/i/_doc/2", `{}`)
		time.Sleep(1500 * time.Millisecond)
		indexed("after a second", 2)

		time.Sleep(time.Minute) // 61.5 s after the index was made
		c.ask("a", "PUT", "/i/_doc/3", `{}`)
		time.Sleep(2 * time.Second)
		indexed("after two seconds of an idle shard", 2)
		has("when a search ends the idleness", "b", 3)
		c.ask("a", "PUT", "/i/_doc/4", `{}`)
		has("before the next refresh", "a", 3)
		time.Sleep(time.Second)
		has("a second later", "a", 4)

		time.Sleep(time.Minute)
		c.ask("a", "PUT", "/i/_doc/5", `{}`)
		time.Sleep(idleRefresh)
		indexed("after the refresh of an idle shard", 5)

		time.Sleep(time.Second)
		began := time.Now()
		c.ask("a", "PUT", "/i/_doc/6?refresh=wait_for", `{}`)
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("who waits for the refresh of an idle shard waits %s", waited)
		}
		has("after wait_for", "b", 6)
	})
}

const idleRefresh = 10 * time.Second // between refreshes of an idle shard

// TestIdleByDefaultAlone sets the refresh interval to what it is by default: the index is as it was, but for idleness, also after a restart, until null
// takes the setting away.
func TestIdleByDefaultAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := openOne(t, dir)
		defer func() { _ = c.Close() }()
		c.ask("a", "PUT", "/_template/t", `{"index_patterns":["templated"],"settings":{"refresh_interval":"1s"}}`)
		for name, body := range map[string]string{"default": `{}`, "made": `{"settings":{"refresh_interval":"1s"}}`, "set": `{}`, "templated": `{}`,
			"reset": `{"settings":{"refresh_interval":"1s"}}`, "never": `{"settings":{"refresh_interval":"1s"}}`, "overruled": `{"settings":{"refresh_interval":null}}`} {
			c.ask("a", "PUT", "/"+name, body)
		}
		c.ask("a", "PUT", "/set/_settings", `{"index":{"refresh_interval":"1s"}}`)
		c.ask("a", "PUT", "/reset/_settings", `{"index":{"refresh_interval":null}}`)
		c.ask("a", "PUT", "/never/_settings", `{"index.refresh_interval":"-1"}`)
		for _, when := range []string{"made", "restarted"} {
			for name, want := range map[string]string{"default": "", "made": "1s", "set": "1s", "templated": "1s", "reset": "", "never": "-1", "overruled": ""} {
				shown := c.ask("a", "GET", "/"+name+"/_settings", "")
				if got := strings.Contains(shown, `"refresh_interval"`); got != (want != "") || got && !strings.Contains(shown, `"refresh_interval":"`+want+`"`) {
					t.Errorf("%s, the settings of %s are %s, want a refresh interval of %q", when, name, shown, want)
				}
				time.Sleep(time.Minute + time.Second) // between two refreshes
				before := c.Health().Documents
				c.ask("a", "PUT", "/"+name+"/_doc/"+when, `{}`)
				time.Sleep(2 * time.Second)
				if got := c.Health().Documents > before; got != (want == "1s") {
					t.Errorf("%s, index %s: indexed while nobody searches: %t", when, name, got)
				}
				time.Sleep(idleRefresh - 3*time.Second)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			c = openOne(t, dir)
		}
	})
}
