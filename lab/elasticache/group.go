package elasticache

import (
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Statuses of replication groups and nodes, as ElastiCache spells them.
const (
	creating     = "creating"
	available    = "available"
	modifying    = "modifying"
	rebooting    = "rebooting cluster nodes"
	snapshotting = "snapshotting"
	deleting     = "deleting"
)

const (
	nodeGroupID = "0001" // of the one shard
	cacheNodeID = "0001" // of the one server of each cache cluster
	maxNodes    = 6      // a primary and five replicas
)

// group is a replication group.
type group struct {
	ID            string
	Description   string
	Status        string
	Created       time.Time
	Version       string // full: "7.1.0"
	NodeType      string
	Port          int
	SubnetGroup   string
	Groups        []string // VPC security groups
	Parameters    string   // parameter group
	TLS           bool
	Tokens        []string // digests of AUTH tokens: two of them while one replaces the other
	TokenOptional bool     // a first token is being introduced: clients without it are let in as well
	TokenChanged  time.Time
	UserGroup     string // "" when the token, or nothing, lets in
	AtRest        bool
	Key           string // ARN of the KMS key; "" for the service's own
	Failover      bool
	MultiAZ       bool
	Maintenance   string // window
	Snapshot      string // window
	SnapshotDays  int64
	SnapshotNode  string    // ID of the node that daily snapshots are of; "" while there are to be none
	Saved         time.Time // when the last daily snapshot was declared
	Restore       string    // the snapshot that the data was made of
	AutoMinor     bool
	Topic         string
	Logs          []delivery
	Pending       pending

	Primary string // ID of the node that takes writes
	Target  string // ID of the node that a failover is to make the primary; "" while none is wanted
}

// pending is what waits for the maintenance window.
type pending struct{ NodeType, Version string }

var groups = state.NewTable[group]("elasticache.group")

func findGroup(tx *state.Tx, id string) (group, error) {
	g, ok, err := groups.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("ReplicationGroupNotFoundFault", "ReplicationGroup %s not found.", id)
	}
	return g, err
}

// availableGroup is findGroup for what needs a group at rest.
func availableGroup(tx *state.Tx, id string) (group, error) {
	g, err := findGroup(tx, id)
	if err == nil && g.Status != available {
		err = fault("InvalidReplicationGroupState", "Replication group %s has status %s which is not valid for this operation: it must be available.", g.ID, g.Status)
	}
	return g, err
}

func putGroup(tx *state.Tx, g group) error { return groups.Put(tx, g.ID, g) }

// members lists the nodes of a group in the order of their IDs.
func (g group) members(tx *state.Tx) []node {
	var list []node
	for _, n := range nodes.All(tx) {
		if n.Group == g.ID {
			list = append(list, n)
		}
	}
	return list
}

func (s *Service) endpoint(g group, name string) *api.Endpoint {
	return &api.Endpoint{Address: &name, Port: new(int64(g.Port))}
}

func (s *Service) showGroup(tx *state.Tx, g group) *api.ReplicationGroup {
	out := &api.ReplicationGroup{
		ReplicationGroupId: &g.ID, ARN: new(s.arn("replicationgroup", g.ID)), Description: &g.Description, Status: &g.Status, ReplicationGroupCreateTime: &g.Created,
		AutomaticFailover: new(enabled(g.Failover)), MultiAZ: new(enabled(g.MultiAZ)), ClusterEnabled: new(false), ClusterMode: new(api.ClusterModeDisabled),
		CacheNodeType: &g.NodeType, AuthTokenEnabled: new(len(g.Tokens) > 0), TransitEncryptionEnabled: &g.TLS, TransitEncryptionMode: g.tlsMode(), AtRestEncryptionEnabled: &g.AtRest,
		KmsKeyId: wire.Optional(g.Key), SnapshotRetentionLimit: &g.SnapshotDays, SnapshotWindow: &g.Snapshot, SnapshottingClusterId: wire.Optional(g.SnapshotNode),
		AutoMinorVersionUpgrade: &g.AutoMinor, DataTiering: new("disabled"), NetworkType: new("ipv4"), IpDiscovery: new("ipv4"), LogDeliveryConfigurations: showDeliveries(g.Logs),
		PendingModifiedValues: &api.ReplicationGroupPendingModifiedValues{}, MemberClusters: []string{}, UserGroupIds: []string{},
	}
	if len(g.Tokens) > 0 {
		out.AuthTokenLastModifiedDate = &g.TokenChanged
	}
	if g.UserGroup != "" {
		out.UserGroupIds = append(out.UserGroupIds, g.UserGroup)
	}
	shard := api.NodeGroup{NodeGroupId: new(nodeGroupID), Status: &g.Status, NodeGroupMembers: []api.NodeGroupMember{}}
	if g.Status != creating {
		shard.PrimaryEndpoint, shard.ReaderEndpoint = s.endpoint(g, s.primaryEndpoint(g)), s.endpoint(g, s.readerEndpoint(g))
	}
	for _, n := range g.members(tx) {
		role := "replica"
		if n.ID == g.Primary {
			role = "primary"
		}
		out.MemberClusters = append(out.MemberClusters, n.ID)
		shard.NodeGroupMembers = append(shard.NodeGroupMembers, api.NodeGroupMember{
			CacheClusterId: &n.ID, CacheNodeId: new(cacheNodeID), PreferredAvailabilityZone: &n.Zone, CurrentRole: &role, ReadEndpoint: s.endpoint(g, s.nodeEndpoint(g, n)),
		})
	}
	out.NodeGroups = []api.NodeGroup{shard}
	return out
}

func (g group) tlsMode() *string {
	if !g.TLS {
		return nil
	}
	return new(api.TransitEncryptionModeRequired)
}

func enabled(on bool) string {
	if on {
		return api.AutomaticFailoverStatusEnabled
	}
	return api.AutomaticFailoverStatusDisabled
}

// checkFailover tells whether a group can have what is asked of it when it loses its primary. zones are those of its nodes.
func (g group) checkFailover(nodes, zones int) error {
	switch {
	case g.Failover && nodes < 2:
		return invalidCombination("Replication group must have at least one read replica to enable autofailover.")
	case g.MultiAZ && !g.Failover:
		return invalidCombination("Must enable automatic failover to enable Multi-AZ.")
	case g.MultiAZ && zones < 2:
		return invalidCombination("Multi-AZ requires nodes in at least two Availability Zones: the subnet group or the preferred zones have only one.")
	case g.Failover && strings.HasPrefix(g.NodeType, "cache.t1"):
		return invalidCombination("Automatic failover is not supported on T1 nodes.")
	}
	return nil
}

// securityGroups checks that groups belong to a VPC. Without any, it is the VPC's default group.
func (s *Service) securityGroups(tx *state.Tx, vpc string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		g, err := s.Network.DefaultSecurityGroup(tx, vpc)
		return []string{g.ID}, err
	}
	for _, id := range ids {
		g, err := s.Network.SecurityGroup(tx, id)
		if err != nil {
			return nil, invalidValue("Invalid security group: %s", id)
		}
		if g.VPC != vpc {
			return nil, invalidValue("The security group %s is in the VPC %s and the cache subnet group in %s.", id, g.VPC, vpc)
		}
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
