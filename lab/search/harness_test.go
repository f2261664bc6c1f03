package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"storefront/lab/search"
)

// cluster is an engine with a server for each of its nodes.
type cluster struct {
	*testing.T
	*search.Cluster
	dir   string
	nodes []search.Node
	urls  map[string]string
}

func newCluster(t *testing.T, nodes int) *cluster {
	t.Helper()
	c := &cluster{T: t, dir: t.TempDir()}
	for i := range nodes {
		c.nodes = append(c.nodes, search.Node{ID: fmt.Sprintf("n%d", i), Zone: fmt.Sprintf("z%d", i%3), Data: true, Master: true})
	}
	c.open()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// open opens the engine in its directory, again after a Close.
func (c *cluster) open() {
	c.Helper()
	var err error
	c.Cluster, err = search.Open(search.Config{Dir: c.dir, Name: "shop", Version: "7.10", Log: slog.New(slog.NewTextHandler(c.Output(), nil))})
	if err != nil {
		c.Fatal(err)
	}
	if err := c.SetNodes(context.Background(), c.nodes); err != nil {
		c.Fatal(err)
	}
	c.urls = map[string]string{}
	for _, n := range c.nodes {
		server := httptest.NewUnstartedServer(c.Handler(n.ID))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.Start()
		c.Cleanup(server.Close)
		c.urls[n.ID] = server.URL
	}
}

// send sends a request to the first node.
func (c *cluster) send(method, path, body string) (int, map[string]any) {
	c.Helper()
	status, text := c.sendTo("n0", method, path, body)
	out := map[string]any{}
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &out); err != nil {
			c.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return status, out
}

func (c *cluster) sendTo(node, method, path, body string) (int, []byte) {
	c.Helper()
	status, text, err := c.exchange(node, method, path, body)
	if err != nil {
		c.Fatal(err)
	}
	return status, text
}

// exchange is sendTo for goroutines of a test, which cannot end it.
func (c *cluster) exchange(node, method, path, body string) (int, []byte, error) {
	req, err := http.NewRequest(method, c.urls[node]+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, text, err
}

// must sends a request that must succeed.
func (c *cluster) must(method, path, body string) map[string]any {
	c.Helper()
	status, out := c.send(method, path, body)
	if status >= 300 {
		c.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// at finds a value in an answer by its path, as hits.hits.0._id.
func at(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i := 0
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// eventually waits for something that comes by itself.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		<-tick.C
	}
}

// ids returns the IDs of a search's hits.
func ids(out map[string]any) string {
	var list []string
	hits, _ := at(out, "hits.hits").([]any)
	for _, h := range hits {
		list = append(list, fmt.Sprint(at(h, "_id")))
	}
	return strings.Join(list, " ")
}

func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}
