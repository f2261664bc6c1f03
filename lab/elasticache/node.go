package elasticache

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/elasticache"
	"storefront/lab/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// node is a cache cluster: one server of a replication group.
type node struct {
	ID          string // "<group>-001"
	Group       string
	Status      string
	Created     time.Time
	SubnetGroup string
	Subnet      string
	Zone        string
	Interface   string
	Address     netip.Addr
	NeedsReboot bool   // a parameter waits for it
	Reason      string // why the server does not run; "" while it does
}

var nodes = state.NewTable[node]("elasticache.node")

func findNode(tx *state.Tx, id string) (node, error) {
	n, ok, err := nodes.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("CacheClusterNotFound", "CacheCluster not found: %s", id)
	}
	return n, err
}

// status is what customers are told: a node at rest shows what is done to its group.
func (n node) status(g group) string {
	if n.Status == available && (g.Status == snapshotting || g.Status == deleting) {
		return g.Status
	}
	return n.Status
}

// addNode declares one more node of a group, in a zone or in that with the fewest of its nodes.
func (s *Service) addNode(tx *state.Tx, g group, subnets subnetGroup, zone string) (node, error) {
	n := node{Group: g.ID, Status: creating, Created: s.Now().UTC(), SubnetGroup: subnets.Name}
	members := g.members(tx)
	for number := 1; n.ID == ""; number++ {
		id := fmt.Sprintf("%s-%03d", g.ID, number)
		if !slices.ContainsFunc(members, func(m node) bool { return m.ID == id }) {
			n.ID = id
		}
	}
	choice := subnets.Subnets
	if zone != "" {
		choice = slices.DeleteFunc(slices.Clone(choice), func(c groupSubnet) bool { return c.Zone != zone })
		if len(choice) == 0 && !s.knownZone(zone) {
			return n, invalidValue("Invalid Availability Zone: %s", zone)
		}
		if len(choice) == 0 {
			return n, fault("InvalidVPCNetworkStateFault", "The cache subnet group %s does not have a subnet in the Availability Zone %s.", subnets.Name, zone)
		}
	}
	used := map[string]int{}
	for _, m := range members {
		used[m.Zone]++
	}
	subnet := slices.MinFunc(choice, func(a, b groupSubnet) int {
		return cmp.Or(cmp.Compare(used[a.Zone], used[b.Zone]), cmp.Compare(a.Zone, b.Zone))
	})
	eni, err := s.Network.CreateManagedInterface(tx, ec2.ManagedInterface{
		Subnet: subnet.ID, SecurityGroups: g.Groups, Description: "ElastiCache " + n.ID, RequesterID: "amazon-elasticache", InterfaceType: "interface",
	})
	if err != nil {
		return n, err
	}
	n.Zone, n.Subnet, n.Interface, n.Address = subnet.Zone, subnet.ID, eni.ID, eni.Address
	return n, nodes.Put(tx, n.ID, n)
}

// DescribeCacheClusters lists the nodes, or one by its ID.
func (s *Service) DescribeCacheClusters(_ context.Context, in *api.DescribeCacheClustersInput) (*api.DescribeCacheClustersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCacheClustersOutput) (err error) {
		var list []node
		if in.CacheClusterId != nil {
			n, err := findNode(tx, *in.CacheClusterId)
			if err != nil {
				return err
			}
			list = append(list, n)
		} else if !wire.Value(in.ShowCacheClustersNotInReplicationGroups) {
			for _, n := range nodes.All(tx) {
				list = append(list, n)
			}
		}
		if list, out.Marker, err = page(list, func(n node) string { return n.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.CacheClusters = []api.CacheCluster{}
		for _, n := range list {
			g, err := findGroup(tx, n.Group)
			if err != nil {
				return err
			}
			out.CacheClusters = append(out.CacheClusters, *s.showNode(g, n, wire.Value(in.ShowCacheNodeInfo)))
		}
		return nil
	})
}

func (s *Service) showNode(g group, n node, withServer bool) *api.CacheCluster {
	applied, waiting, status := "in-sync", []string{}, n.status(g)
	if n.NeedsReboot {
		applied, waiting = "pending-reboot", []string{cacheNodeID}
	}
	out := &api.CacheCluster{
		CacheClusterId: &n.ID, ARN: new(s.arn("cluster", n.ID)), CacheClusterStatus: &status, CacheClusterCreateTime: &n.Created, ReplicationGroupId: &g.ID,
		CacheNodeType: &g.NodeType, Engine: new(engineName), EngineVersion: &g.Version, NumCacheNodes: new(int64(1)), PreferredAvailabilityZone: &n.Zone,
		PreferredMaintenanceWindow: &g.Maintenance, AutoMinorVersionUpgrade: &g.AutoMinor, CacheSubnetGroupName: &g.SubnetGroup, CacheSecurityGroups: []api.CacheSecurityGroupMembership{},
		CacheParameterGroup: &api.CacheParameterGroupStatus{CacheParameterGroupName: &g.Parameters, ParameterApplyStatus: &applied, CacheNodeIdsToReboot: waiting},
		SnapshotWindow:      &g.Snapshot, SnapshotRetentionLimit: new(int64(0)), AuthTokenEnabled: new(len(g.Tokens) > 0), TransitEncryptionEnabled: &g.TLS, TransitEncryptionMode: g.tlsMode(),
		AtRestEncryptionEnabled: &g.AtRest, NetworkType: new("ipv4"), IpDiscovery: new("ipv4"), ReplicationGroupLogDeliveryEnabled: new(len(g.Logs) > 0),
		PendingModifiedValues: &api.PendingModifiedValues{CacheNodeType: wire.Optional(g.Pending.NodeType), EngineVersion: wire.Optional(g.Pending.Version)},
	}
	if n.ID == g.SnapshotNode {
		out.SnapshotRetentionLimit = &g.SnapshotDays
	}
	if len(g.Tokens) > 0 {
		out.AuthTokenLastModifiedDate = &g.TokenChanged
	}
	for _, id := range g.Groups {
		out.SecurityGroups = append(out.SecurityGroups, api.SecurityGroupMembership{SecurityGroupId: &id, Status: new("active")})
	}
	if g.Topic != "" {
		out.NotificationConfiguration = &api.NotificationConfiguration{TopicArn: &g.Topic, TopicStatus: new("active")}
	}
	if withServer {
		out.CacheNodes = []api.CacheNode{{
			CacheNodeId: new(cacheNodeID), CacheNodeStatus: &status, CacheNodeCreateTime: &n.Created, ParameterGroupStatus: &applied, CustomerAvailabilityZone: &n.Zone,
			Endpoint: s.endpoint(g, s.nodeEndpoint(g, n)),
		}}
	}
	return out
}

// RebootCacheCluster starts a node's server anew. Its data is gone; a replica gets it from its primary.
func (s *Service) RebootCacheCluster(_ context.Context, in *api.RebootCacheClusterInput) (*api.RebootCacheClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.RebootCacheClusterOutput) error {
		n, err := findNode(tx, wire.Value(in.CacheClusterId))
		if err != nil {
			return err
		}
		if !slices.Equal(in.CacheNodeIdsToReboot, []string{cacheNodeID}) {
			return invalidValue("CacheNodeIdsToReboot must be %s, the one node of the cache cluster %s.", cacheNodeID, n.ID)
		}
		g, err := findGroup(tx, n.Group)
		if err != nil {
			return err
		}
		if n.status(g) != available {
			return fault("InvalidCacheClusterState", "Cache cluster %s is not in available state.", n.ID)
		}
		n.Status = rebooting
		out.CacheCluster = s.showNode(g, n, true)
		return nodes.Put(tx, n.ID, n)
	})
}
