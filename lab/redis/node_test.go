package redis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/lab/redis"
)

func TestOnlyTheTokenLetsIn(t *testing.T) {
	l := newLab(t)
	n := l.start(l.spec("one"))
	l.must(l.client(n, "", token).Set(t.Context(), "a", "1", 0).Err())
	for name, password := range map[string]string{"no token": "", "another token": "0123456789abcdef"} {
		if err := l.client(n, "", password).Get(t.Context(), "a").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") && !strings.Contains(err.Error(), "WRONGPASS") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
	plain := n.Spec()
	plain.TLS = false
	c := l.client(n, "", token)
	c.Options().TLSConfig = nil
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("the node answers without TLS")
	}
}

func TestCommandsOfTheServiceAreRefused(t *testing.T) {
	l := newLab(t)
	n := l.start(l.spec("one"))
	c := l.client(n, "", token)
	for _, command := range []string{"CONFIG GET maxmemory", "SHUTDOWN NOSAVE", "REPLICAOF NO ONE", "SLAVEOF NO ONE", "ACL SETUSER x", "SAVE", "BGSAVE", "MODULE LIST", "FAILOVER", "SYNC"} {
		var args []any
		for word := range strings.FieldsSeq(command) {
			args = append(args, word)
		}
		if err := c.Do(t.Context(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%s: got %v, want NOPERM", command, err)
		}
	}
	if out, err := c.Do(t.Context(), "ACL", "WHOAMI").Text(); err != nil || out != "default" {
		t.Errorf("ACL WHOAMI: %s, %v", out, err)
	}
}

func TestAReplicaTakesOverWithEverything(t *testing.T) {
	l := newLab(t)
	one, two, three := l.start(l.spec("one")), l.start(l.spec("two")), l.start(l.spec("three"))
	c := l.client(one, "", token)
	l.must(c.Set(t.Context(), "before", "1", 0).Err())
	for _, replica := range []*redis.Node{two, three} {
		l.must(replica.Follow(t.Context(), one))
		l.eventually("the replica has the data", func() bool {
			s, err := replica.Check(t.Context())
			return err == nil && s.Linked && !s.Primary && l.client(replica, "", token).Get(t.Context(), "before").Val() == "1"
		})
	}
	if err := l.client(two, "", token).Set(t.Context(), "x", "1", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
		t.Errorf("a write on a replica: got %v, want READONLY", err)
	}
	for i := range 200 {
		l.must(c.Set(t.Context(), fmt.Sprint("key", i), "1", 0).Err())
	}
	l.must(two.Promote(t.Context(), one))
	l.must(one.Stop())
	l.must(three.Follow(t.Context(), two))
	c = l.client(two, "", token)
	for i := range 200 {
		if c.Get(t.Context(), fmt.Sprint("key", i)).Val() != "1" {
			t.Fatalf("key%d is lost", i)
		}
	}
	l.must(c.Set(t.Context(), "after", "1", 0).Err())
	l.eventually("the other replica follows the new primary", func() bool { return l.client(three, "", token).Get(t.Context(), "after").Val() == "1" })
	l.must(two.Flush(t.Context()))
	l.eventually("both are empty", func() bool {
		return c.DBSize(t.Context()).Val() == 0 && l.client(three, "", token).DBSize(t.Context()).Val() == 0
	})
}

func TestConfigure(t *testing.T) {
	l := newLab(t)
	n := l.start(l.spec("one"))
	old := l.client(n, "", token)
	l.must(old.Ping(t.Context()).Err())
	const next = "another-token-of-this-test"
	spec := n.Spec()
	spec.Users = []redis.User{everybody(next), {Name: "reader", Rules: []string{"on", "~cached:*", "+get", "#" + redis.Digest(token)}}}
	spec.Settings = map[string]string{"maxmemory-policy": "allkeys-lru", "databases": "16"}
	spec.MaxMemory = 32 << 20
	reboot, err := n.Configure(t.Context(), spec)
	if err != nil || reboot {
		t.Fatalf("got %v, %v, want no reboot", reboot, err)
	}
	if err := l.client(n, "", token).Ping(t.Context()).Err(); err == nil {
		t.Error("the old token still lets in")
	}
	l.must(l.client(n, "", next).Set(t.Context(), "cached:a", "1", 0).Err())
	if got, err := l.client(n, "reader", token).Get(t.Context(), "cached:a").Result(); err != nil || got != "1" {
		t.Errorf("the reader got %q, %v", got, err)
	}
	if err := l.client(n, "reader", token).Get(t.Context(), "other").Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
		t.Errorf("the reader read another key: %v", err)
	}
	info, err := n.Info(t.Context(), "memory")
	if err != nil || info["maxmemory_policy"] != "allkeys-lru" || info["maxmemory"] != fmt.Sprint(32<<20) {
		t.Errorf("got %v, %v", info, err)
	}
	spec.Users = []redis.User{everybody(next)}
	spec.Settings = map[string]string{"maxmemory-policy": "allkeys-lru", "databases": "17"}
	for range 2 { // it waits for the reboot as often as it is asked
		if reboot, err := n.Configure(t.Context(), spec); err != nil || !reboot {
			t.Errorf("got %v, %v, want a reboot", reboot, err)
		}
	}
	if err := l.client(n, "reader", token).Ping(t.Context()).Err(); err == nil {
		t.Error("the removed user is still let in")
	}
}

func TestSecretsAreOnNoDiskAndNoCommandLine(t *testing.T) {
	l := newLab(t)
	l.start(l.spec("one"))
	secrets := [][]byte{[]byte(token), []byte(redis.Digest(token)), []byte("PRIVATE KEY")}
	look := func(where string, data []byte) {
		for _, s := range secrets {
			if bytes.Contains(data, s) {
				t.Errorf("%s holds a secret", where)
			}
		}
	}
	files := 0
	l.must(filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	}))
	if files == 0 {
		t.Error("there is not even a log")
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	found := false
	for _, path := range lines {
		data, _ := os.ReadFile(path)
		found = found || bytes.Contains(data, []byte(l.dir))
		look(path, data)
	}
	if !found {
		t.Error("the server was not among the processes")
	}
}

func TestWhatAKilledDaemonLeftIsEnded(t *testing.T) {
	l := newLab(t)
	n := l.start(l.spec("one"))
	other := newLab(t)
	kept := other.start(other.spec("one"))
	l.open() // as the next daemon does
	<-n.Done()
	if !kept.Alive() {
		t.Error("the server of another engine was ended")
	}
}

func TestCheckRules(t *testing.T) {
	l := newLab(t)
	for _, rules := range []string{"on ~* +@all", "on ~app:* %R~shared:* &news +@read -keys +client|id", "off"} {
		if err := l.engine.CheckRules(t.Context(), strings.Fields(rules)); err != nil {
			t.Errorf("%s: %v", rules, err)
		}
	}
	for _, rules := range []string{"on +nosuch", "on +@nosuch", "nonsense"} {
		if err := l.engine.CheckRules(t.Context(), strings.Fields(rules)); !errors.Is(err, redis.ErrRules) {
			t.Errorf("%s: got %v, want ErrRules", rules, err)
		}
	}
}

func TestNamesOfNodes(t *testing.T) {
	l := newLab(t)
	for _, id := range []string{"", "..", "a/b", "A", strings.Repeat("a", 64)} {
		if _, err := l.engine.Start(t.Context(), redis.NodeSpec{ID: id}); !errors.Is(err, redis.ErrName) {
			t.Errorf("%q: got %v, want ErrName", id, err)
		}
		if err := l.engine.Remove(id); !errors.Is(err, redis.ErrName) {
			t.Errorf("%q: got %v, want ErrName", id, err)
		}
	}
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	l := newLab(t)
	spec := l.spec("one")
	spec.Settings["maxmemory-policy"] = "no\nsuch \"policy"
	_, err := l.engine.Start(context.Background(), spec)
	if err == nil || !strings.Contains(err.Error(), "maxmemory-policy") {
		t.Errorf("got %v, want the setting's name", err)
	}
}
