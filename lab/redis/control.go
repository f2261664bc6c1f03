package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/redis/go-redis/v9"
)

const handover = 2 * time.Second // for a replica to get what its primary has, while the primary takes no writes

// Status is how a node does.
type Status struct {
	Primary bool
	Linked  bool  // a replica that has its primary's data and gets what is written to it
	Offset  int64 // how much of the stream of writes the node has: comparable between nodes of one group
}

// Check asks the node how it does. An error means that it does not work.
func (n *Node) Check(ctx context.Context) (Status, error) {
	info, err := n.Info(ctx, "replication")
	if err != nil {
		return Status{}, err
	}
	s := Status{Primary: info["role"] == "master", Linked: info["master_link_status"] == "up"}
	field := "master_repl_offset"
	if !s.Primary {
		field = "slave_repl_offset"
	}
	s.Offset, _ = strconv.ParseInt(info[field], 10, 64)
	return s, nil
}

// Info returns the fields of a section of Redis's INFO.
func (n *Node) Info(ctx context.Context, section string) (map[string]string, error) {
	out, err := n.client.Info(ctx, section).Result()
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", n.spec.ID, err)
	}
	return parseInfo(out), nil
}

func parseInfo(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// Follow makes the node a replica of another, whose data it takes over.
func (n *Node) Follow(ctx context.Context, primary *Node) error {
	n.link.follow(primary)
	host, port, err := net.SplitHostPort(n.link.Addr().String())
	if err != nil {
		return err
	}
	return n.do(ctx, "REPLICAOF", host, port)
}

// Promote makes the node a primary with the data that it has. When its primary still works, that one stops taking writes, and the node first gets what it
// lacks of them. The other replicas are to follow the node, the old primary as well.
func (n *Node) Promote(ctx context.Context, old *Node) error {
	if old != nil && old.Alive() {
		if err := n.catchUp(ctx, old); err != nil {
			n.engine.config.Log.Warn("a cache fails over without the last writes", "node", n.spec.ID, "error", err)
		}
	}
	n.link.follow(nil)
	return n.do(ctx, "REPLICAOF", "NO", "ONE")
}

func (n *Node) catchUp(ctx context.Context, old *Node) error {
	ctx, cancel := context.WithTimeout(ctx, handover)
	defer cancel()
	if err := old.do(ctx, "CLIENT", "PAUSE", strconv.Itoa(int((2 * handover).Milliseconds())), "WRITE"); err != nil {
		return err
	}
	from, err := old.Check(ctx)
	if err != nil {
		return err
	}
	return n.poll(ctx, handover, func(ctx context.Context) error {
		s, err := n.Check(ctx)
		if err == nil && s.Offset < from.Offset {
			err = fmt.Errorf("it has %d of %d bytes", s.Offset, from.Offset)
		}
		return err
	})
}

// Flush deletes all data, on the primary and so on its replicas.
func (n *Node) Flush(ctx context.Context) error { return n.do(ctx, "FLUSHALL") }

func (n *Node) do(ctx context.Context, args ...any) error {
	if err := n.client.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("node %s: %v: %w", n.spec.ID, args[0], err)
	}
	return nil
}

// Configure changes a running node's users, settings and memory. Sessions of users that are no more end; others get the new rules. reboot tells that a
// setting waits for the next start of the node.
func (n *Node) Configure(ctx context.Context, spec NodeSpec) (reboot bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.setUsers(ctx, spec.Users); err != nil {
		return false, err
	}
	settings := maps.Clone(spec.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	settings["maxmemory"] = strconv.FormatInt(spec.MaxMemory, 10)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if name != "maxmemory" && n.spec.Settings[name] == settings[name] {
			continue
		}
		err := n.do(ctx, "CONFIG", "SET", name, settings[name])
		var refused client.Error
		if errors.As(err, &refused) && strings.Contains(refused.Error(), "immutable") {
			reboot = true
			settings[name] = n.spec.Settings[name] // what the server has
			continue
		}
		if err != nil {
			return false, err
		}
	}
	delete(settings, "maxmemory")
	n.spec.Users, n.spec.MaxMemory, n.spec.Settings = spec.Users, spec.MaxMemory, settings
	return reboot, nil
}

// setUsers makes the node's users those that are given.
func (n *Node) setUsers(ctx context.Context, users []User) error {
	wanted := map[string]bool{controller: true, replicator: true, "default": true}
	for _, u := range withDefault(users) {
		wanted[u.Name] = true
		before := slices.IndexFunc(n.spec.Users, func(o User) bool { return o.Name == u.Name })
		if before >= 0 && slices.Equal(n.spec.Users[before].Rules, u.Rules) {
			continue
		}
		args := []any{"ACL", "SETUSER", u.Name, "reset"} // one command, so that nobody sees half of it
		for _, r := range u.rules() {
			args = append(args, r)
		}
		if err := n.do(ctx, args...); err != nil {
			return err
		}
	}
	have, err := n.client.Do(ctx, "ACL", "USERS").StringSlice()
	if err != nil {
		return fmt.Errorf("node %s: listing its users: %w", n.spec.ID, err)
	}
	for _, name := range have {
		if wanted[name] {
			continue
		}
		if err := n.do(ctx, "ACL", "DELUSER", name); err != nil {
			return err
		}
	}
	return nil
}

// SlowCommands returns the last slow commands, the latest first. Redis leaves out what they hold of passwords.
func (n *Node) SlowCommands(ctx context.Context) ([]client.SlowLog, error) {
	list, err := n.client.SlowLogGet(ctx, 128).Result()
	if err != nil {
		return nil, fmt.Errorf("node %s: reading its slow commands: %w", n.spec.ID, err)
	}
	return list, nil
}
