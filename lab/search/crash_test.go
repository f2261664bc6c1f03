package search_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"storefront/lab/search"
)

var crashNodes = []search.Node{{ID: "a", Zone: "1", Data: true, Master: true}, {ID: "b", Zone: "2", Data: true, Master: true}}

// TestMain is also the process that TestKill kills: it writes until then, and prints what was acknowledged.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SEARCH_CRASH_DIR"); dir != "" {
		writeForever(dir, os.Getenv("SEARCH_CRASH_ROUND"))
	}
	os.Exit(m.Run())
}

func writeForever(dir, round string) {
	c, err := search.Open(search.Config{Dir: dir, Name: "crash", Version: "7.10"})
	if err == nil {
		err = c.SetNodes(context.Background(), crashNodes)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	h := c.Handler("a")
	for i := 0; ; i++ {
		var body strings.Builder
		ids := make([]string, 5)
		for k := range ids {
			ids[k] = fmt.Sprintf("%s-%d-%d", round, i, k)
			fmt.Fprintf(&body, "{\"index\":{\"_id\":%q}}\n{\"round\":%q,\"text\":\"some words\"}\n", ids[k], round)
		}
		// One document is written again and again: its version tells how often.
		fmt.Fprintf(&body, "{\"index\":{\"_id\":\"counter\"}}\n{\"i\":%d}\n", i)
		req := httptest.NewRequest("POST", "/crash/_bulk", strings.NewReader(body.String()))
		req.Header.Set("Content-Type", "application/x-ndjson")
		res := httptest.NewRecorder()
		h.ServeHTTP(res, req)
		if res.Code != http.StatusOK || strings.Contains(res.Body.String(), `"errors":true`) {
			fmt.Println("error", res.Body)
			os.Exit(1)
		}
		fmt.Println("ok", strings.Join(ids, " "))
	}
}

// TestKill kills a process that writes, some times over: nothing that it was told is stored may be missing, on any node, in store or index.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	batches := 0
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SEARCH_CRASH_DIR="+dir, fmt.Sprint("SEARCH_CRASH_ROUND=", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, seen := bufio.NewScanner(out), 0
		for lines.Scan() {
			if why, failed := strings.CutPrefix(lines.Text(), "error"); failed {
				t.Fatalf("round %d:%s", round, why)
			}
			acknowledged = append(acknowledged, strings.Fields(lines.Text())[1:]...)
			if seen++; seen == 20+7*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed
		batches += seen
	}
	c := &cluster{T: t, dir: dir, nodes: []search.Node{{ID: "a", Zone: "1", Data: true, Master: true}, {ID: "b", Zone: "2", Data: true, Master: true}}}
	c.open()
	defer c.Close()
	c.health("green", 2, 0)
	counts := map[string]bool{}
	for _, lost := range []string{"a", "b"} {
		c.try(c.Stop(lost))
		asked := map[string]string{"a": "b", "b": "a"}[lost]
		for _, id := range acknowledged {
			if status, text := c.sendTo(asked, "GET", "/crash/_doc/"+id, ""); status != 200 {
				t.Fatalf("node %s lacks %s, which was acknowledged: %d %s", asked, id, status, text)
			}
		}
		_, text := c.sendTo(asked, "GET", "/crash/_count", "")
		counts[string(text)] = true
		_, counter := c.sendTo(asked, "GET", "/crash/_doc/counter", "")
		var version int
		if _, err := fmt.Sscanf(string(counter[strings.Index(string(counter), `"_version":`):]), `"_version":%d`, &version); err != nil || version < batches {
			t.Errorf("the counter's version is %d after %d acknowledged writes: %s", version, batches, counter)
		}
		c.try(c.Start(lost))
	}
	if len(counts) != 1 {
		t.Errorf("the nodes differ: %v", counts)
	}
	t.Logf("%d acknowledged documents in %d batches, 5 kills", len(acknowledged), batches)
}
