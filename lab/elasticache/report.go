package elasticache

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"

	api "storefront/lab/api/elasticache"
	"storefront/lab/redis"
	"storefront/lab/state"
	"storefront/lab/window"
)

// Group is what should run of one replication group, for the data plane.
type Group struct {
	ID        string
	Created   int64 // nanoseconds since 1970: tells a group from an earlier one of its name
	Status    string
	Exists    bool // false: it is to be deleted
	Port      int
	TLS       bool
	Failover  bool // a replica takes over by itself when the primary is lost
	MaxMemory int64
	Settings  map[string]string // of Redis
	Users     []redis.User
	Nodes     []Node   // in the order of their IDs
	Primary   string   // ID of the node that takes writes
	Target    string   // ID of the replica that is to become the primary; "" when none is
	Names     []string // DNS names of the group's endpoints, for certificates
	Logs      []Delivery
	Restore   string     // the snapshot that its data is to be of; "" for none
	Snapshots []Snapshot // that are to be taken
}

// Delivery is where one of a group's logs goes.
type Delivery struct {
	Type   string // "slow-log" or "engine-log"
	Format string // "json" or "text"
	Group  string // log group
}

// Node is one node of a group.
type Node struct {
	ID        string
	Status    string
	Interface string // network interface that the server lives behind
	Address   netip.Addr
	Name      string // DNS name

	needsReboot, broken bool // as reported
}

// Settled tells that the group is in no transition, so that there is nothing to report.
func (g Group) Settled() bool { return settled(g.Status) == g.Status }

// Settled tells that NodeSettled would change nothing.
func (n Node) Settled(needsReboot bool) bool {
	return settled(n.Status) == n.Status && n.needsReboot == needsReboot && !n.broken
}

// Deleting tells that the node is to be taken away.
func (n Node) Deleting() bool { return n.Status == deleting }

// Rebooting tells that the server is to be started anew.
func (n Node) Rebooting() bool { return n.Status == rebooting }

// Groups lists what should run.
func (s *Service) Groups(tx *state.Tx) ([]Group, error) {
	var list []Group
	for _, g := range groups.All(tx) {
		out := Group{
			ID: g.ID, Created: g.Created.UnixNano(), Status: g.Status, Snapshots: g.untaken(tx), Port: g.Port, TLS: g.TLS, Failover: g.Failover, Primary: g.Primary, Target: g.Target,
			Names: []string{s.primaryEndpoint(g), s.readerEndpoint(g)},
		}
		out.Exists = g.Status != deleting || len(out.Snapshots) > 0
		if g.Status == creating {
			out.Restore = g.Restore
		}
		for _, d := range g.Logs {
			out.Logs = append(out.Logs, Delivery(d))
		}
		var err error
		if out.Settings, out.MaxMemory, err = g.settings(tx); err != nil {
			return nil, err
		}
		if out.Users, err = g.users(tx); err != nil {
			return nil, err
		}
		for _, n := range g.members(tx) {
			out.Nodes = append(out.Nodes, Node{n.ID, n.Status, n.Interface, n.Address, s.nodeEndpoint(g, n), n.NeedsReboot, n.Reason != ""})
		}
		list = append(list, out)
	}
	return list, nil
}

// settings are the group's parameters as Redis has them, and the memory that is for data.
func (g group) settings(tx *state.Tx) (map[string]string, int64, error) {
	p, err := findParameterGroup(tx, g.Parameters)
	if err != nil {
		return nil, 0, err
	}
	values := map[string]string{}
	for _, known := range parameters(p.Family) {
		values[known.Name] = known.Default
	}
	maps.Copy(values, p.Values)
	reserved, err := strconv.ParseInt(values[reservedMemory], 10, 64)
	if err != nil {
		return nil, 0, err
	}
	for _, own := range []string{reservedMemory, "cluster-enabled", "appendonly"} { // these are not the engine's to be told
		delete(values, own)
	}
	return values, maxMemory(g.NodeType) * (100 - reserved) / 100, nil
}

// users are those of the user group, or the default one with the AUTH tokens.
func (g group) users(tx *state.Tx) ([]redis.User, error) {
	if g.UserGroup == "" {
		tokens := g.Tokens
		if g.TokenOptional {
			tokens = nil
		}
		return []redis.User{{Name: defaultName, Rules: append([]string{"on", "~*", "&*", "+@all"}, secrets(tokens)...)}}, nil
	}
	u, err := findUserGroup(tx, g.UserGroup)
	if err != nil {
		return nil, err
	}
	members, err := u.members(tx)
	var list []redis.User
	for _, m := range members {
		list = append(list, m.server())
	}
	return list, err
}

// settled is the status that a transition leads to.
func settled(status string) string {
	if slices.Contains([]string{creating, modifying, rebooting}, status) {
		return available
	}
	return status
}

// update changes a group that is still there. What is reported again is not written again, or the data plane would wake itself for ever.
func update(tx *state.Tx, id string, edit func(*group)) error {
	g, ok, err := groups.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	before := g
	if edit(&g); reflect.DeepEqual(before, g) {
		return nil
	}
	return putGroup(tx, g)
}

// GroupSettled reports that a group has become what it was to be. It ends a transition, and leaves alone what a request has declared since.
func (s *Service) GroupSettled(tx *state.Tx, id, status string) error {
	if status == creating {
		if err := s.note(tx, api.SourceTypeReplicationGroup, id, "Replication group "+id+" created"); err != nil {
			return err
		}
	}
	return update(tx, id, func(g *group) {
		if g.Status == status {
			g.Status = settled(status)
		}
	})
}

// NodeSettled is GroupSettled for a node. needsReboot tells that a parameter waits for a reboot.
func (s *Service) NodeSettled(tx *state.Tx, id, status string, needsReboot bool) error {
	n, ok, err := nodes.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	before := n
	if n.Status == status {
		n.Status = settled(status)
	}
	if n.NeedsReboot, n.Reason = needsReboot, ""; n == before {
		return nil
	}
	return nodes.Put(tx, n.ID, n)
}

// NodeBroken reports why a node's server does not run. The data plane goes on trying.
func (s *Service) NodeBroken(tx *state.Tx, id, reason string) error {
	n, ok, err := nodes.Get(tx, id)
	if err != nil || !ok || n.Reason == reason {
		return err
	}
	n.Reason = reason
	return nodes.Put(tx, n.ID, n)
}

// Promoted reports that a node has become the primary.
func (s *Service) Promoted(tx *state.Tx, id, primary string) error {
	if err := s.note(tx, api.SourceTypeReplicationGroup, id, "Failover to replica node "+primary+" completed"); err != nil {
		return err
	}
	return update(tx, id, func(g *group) { g.Primary, g.Target = primary, "" })
}

// NodeGone reports that a node's server is no more.
func (s *Service) NodeGone(tx *state.Tx, id string) error {
	n, ok, err := nodes.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	if err := s.Network.DeleteManagedInterface(tx, n.Interface); err != nil {
		return err
	}
	if err := tags.Delete(tx, s.arn("cluster", id)); err != nil {
		return err
	}
	if err := nodes.Delete(tx, id); err != nil {
		return err
	}
	return update(tx, n.Group, func(g *group) {
		if g.Target == id {
			g.Target = ""
		}
		if g.SnapshotNode == id {
			g.SnapshotNode = g.Primary
		}
	})
}

// GroupGone reports that nothing of a group is left.
func (s *Service) GroupGone(tx *state.Tx, id string) error {
	if err := tags.Delete(tx, s.arn("replicationgroup", id)); err != nil {
		return err
	}
	if err := s.note(tx, api.SourceTypeReplicationGroup, id, "Replication group "+id+" deleted"); err != nil {
		return err
	}
	return groups.Delete(tx, id)
}

// MaintenanceDue tells whether ApplyMaintenance has something to do.
func (s *Service) MaintenanceDue(tx *state.Tx) bool { return len(s.due(tx)) > 0 }

// ApplyMaintenance applies what waits for the maintenance windows that are open now.
func (s *Service) ApplyMaintenance(tx *state.Tx) error {
	for _, g := range s.due(tx) {
		g.applyPending()
		g.Status = modifying
		if err := putGroup(tx, g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) due(tx *state.Tx) (list []group) {
	for _, g := range groups.All(tx) {
		if g.Pending != (pending{}) && g.Status == available && window.Open(g.Maintenance, s.Now()) {
			list = append(list, g)
		}
	}
	return list
}

// Resolve returns the addresses behind an endpoint: the primary's, those of the replicas (the primary's when there is none), or a node's. found is false
// for a name that is no endpoint, or one that leads nowhere yet.
func (s *Service) Resolve(tx *state.Tx, name string) (addresses []netip.Addr, found bool) {
	for _, g := range groups.All(tx) {
		var primary, replicas []netip.Addr
		for _, n := range g.members(tx) {
			switch {
			case s.nodeEndpoint(g, n) == name:
				return []netip.Addr{n.Address}, true
			case n.ID == g.Primary:
				primary = append(primary, n.Address)
			case n.Status == available && n.Reason == "":
				replicas = append(replicas, n.Address)
			}
		}
		switch {
		case s.primaryEndpoint(g) == name:
			return primary, len(primary) > 0
		case s.readerEndpoint(g) == name && len(replicas) > 0:
			return replicas, true
		case s.readerEndpoint(g) == name:
			return primary, len(primary) > 0
		}
	}
	return nil, false
}
