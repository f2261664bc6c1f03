package elasticache

import (
	"cmp"
	"context"
	"crypto/rand"
	"math"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateReplicationGroup declares a group of a primary and its replicas.
func (s *Service) CreateReplicationGroup(_ context.Context, in *api.CreateReplicationGroupInput) (*api.CreateReplicationGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateReplicationGroupOutput) error {
		if err := refuseCreate(in); err != nil {
			return err
		}
		in, err := restored(tx, in)
		if err != nil {
			return err
		}
		g, subnets, err := s.newGroup(tx, in)
		if err != nil {
			return err
		}
		if err := s.protect(tx, &g, in); err != nil {
			return err
		}
		zones, err := placement(in)
		if err != nil {
			return err
		}
		if err := g.checkFailover(len(zones), reachable(zones, subnets)); err != nil {
			return err
		}
		for i, zone := range zones {
			n, err := s.addNode(tx, g, subnets, zone)
			if err != nil {
				return err
			}
			if i == 0 {
				g.Primary = n.ID
			}
			if g.SnapshotDays > 0 { // the last replica's work, if there is one
				g.SnapshotNode = n.ID
			}
		}
		if err := tag(tx, s.arn("replicationgroup", g.ID), in.Tags); err != nil {
			return err
		}
		if err := s.note(tx, api.SourceTypeReplicationGroup, g.ID, "Replication group "+g.ID+" is being created"); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return putGroup(tx, g)
	})
}

// refuseCreate refuses what the lab does not serve.
func refuseCreate(in *api.CreateReplicationGroupInput) error {
	if err := checkEngine(in.Engine); err != nil {
		return err
	}
	shards := wire.Or(in.NumNodeGroups, max(1, int64(len(in.NodeGroupConfiguration))))
	for what, asked := range map[string]bool{
		"Cluster mode (more than one node group)":          shards != 1 || len(in.NodeGroupConfiguration) > 1 || wire.Or(in.ClusterMode, api.ClusterModeDisabled) != api.ClusterModeDisabled,
		"A global datastore":                               in.GlobalReplicationGroupId != nil,
		"A replication group of an existing cache cluster": in.PrimaryClusterId != nil,
		"Data tiering":                                     wire.Value(in.DataTieringEnabled),
		"Restoring a file of a bucket":                     len(in.SnapshotArns) > 0,
		"Restoring a snapshot of a serverless cache":       in.ServerlessCacheSnapshotName != nil,
		"IPv6":                                 wire.Or(in.NetworkType, "ipv4") != "ipv4" || wire.Or(in.IpDiscovery, "ipv4") != "ipv4",
		"A cache security group (EC2-Classic)": len(in.CacheSecurityGroupNames) > 0,
		"Transit encryption mode preferred (TLS and none alike)": wire.Or(in.TransitEncryptionMode, api.TransitEncryptionModeRequired) != api.TransitEncryptionModeRequired,
	} {
		if asked {
			return unsupported(what)
		}
	}
	for _, c := range in.NodeGroupConfiguration {
		if c.PrimaryOutpostArn != nil || len(c.ReplicaOutpostArns) > 0 {
			return unsupported("An Outpost")
		}
	}
	return nil
}

// restored is the request with what it leaves to the snapshot that the group's data is to be of.
func restored(tx *state.Tx, given *api.CreateReplicationGroupInput) (*api.CreateReplicationGroupInput, error) {
	if given.SnapshotName == nil {
		return given, nil
	}
	v, ok, err := snapshots.Get(tx, strings.ToLower(*given.SnapshotName))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalidValue("Snapshot not found: %s", *given.SnapshotName)
	}
	if status := v.status(tx); status != available {
		return nil, invalidValue("Snapshot %s has status %s: it must be available.", v.ID, status)
	}
	in, from := *given, v.Group
	in.SnapshotName = &v.ID
	if in.EngineVersion == nil {
		in.CacheParameterGroupName = new(wire.Or(in.CacheParameterGroupName, from.Parameters))
	}
	in.EngineVersion, in.CacheNodeType = new(wire.Or(in.EngineVersion, from.Version)), new(wire.Or(in.CacheNodeType, from.NodeType))
	in.Port, in.CacheSubnetGroupName = new(wire.Or(in.Port, int64(from.Port))), new(wire.Or(in.CacheSubnetGroupName, from.SubnetGroup))
	if to, err := findVersion(in.EngineVersion); err != nil || to.Full < from.Version {
		return nil, cmp.Or(err, invalidCombination("The engine version %s is older than that of the snapshot, %s.", to.Full, from.Version))
	}
	return &in, nil
}

func (s *Service) newGroup(tx *state.Tx, in *api.CreateReplicationGroupInput) (g group, subnets subnetGroup, err error) {
	if g.ID, err = identifier("ReplicationGroupId", in.ReplicationGroupId, 40); err != nil {
		return g, subnets, err
	}
	if _, taken, err := groups.Get(tx, g.ID); err != nil || taken {
		return g, subnets, orExists(err, "ReplicationGroupAlreadyExists", "Replication group %s already exists.", g.ID)
	}
	g.Description, g.Status, g.Created = wire.Value(in.ReplicationGroupDescription), creating, s.Now().UTC()
	g.Restore = wire.Value(in.SnapshotName)
	if g.Description == "" {
		return g, subnets, invalidValue("The parameter ReplicationGroupDescription must be provided and must not be blank.")
	}
	v, err := findVersion(in.EngineVersion)
	if err != nil {
		return g, subnets, err
	}
	g.Version, g.NodeType = v.Full, wire.Value(in.CacheNodeType)
	if g.NodeType == "" {
		return g, subnets, invalidCombination("CacheNodeType is required.")
	}
	if err := checkNodeType(g.NodeType); err != nil {
		return g, subnets, err
	}
	if g.Port = int(wire.Or(in.Port, 6379)); g.Port < 1024 || g.Port > math.MaxUint16 {
		return g, subnets, invalidValue("Invalid port: %d. Valid values are 1024-65535", g.Port)
	}
	if subnets, err = findSubnetGroup(tx, wire.Or(in.CacheSubnetGroupName, "default")); err != nil { // AWS has a default one in the default VPC, which the lab's region does not have
		return g, subnets, err
	}
	g.SubnetGroup = subnets.Name
	if g.Groups, err = s.securityGroups(tx, subnets.VPC, in.SecurityGroupIds); err != nil {
		return g, subnets, err
	}
	if err := g.setParameters(tx, wire.Or(in.CacheParameterGroupName, "default."+v.Family)); err != nil {
		return g, subnets, err
	}
	if g.Snapshot, g.Maintenance, err = windows(wire.Or(in.SnapshotWindow, defaultSnapshot), wire.Or(in.PreferredMaintenanceWindow, defaultMaintenance)); err != nil {
		return g, subnets, err
	}
	if g.SnapshotDays, err = snapshotDays(wire.Value(in.SnapshotRetentionLimit)); err != nil {
		return g, subnets, err
	}
	g.Failover, g.MultiAZ, g.AutoMinor, g.Topic = wire.Value(in.AutomaticFailoverEnabled), wire.Value(in.MultiAZEnabled), wire.Or(in.AutoMinorVersionUpgrade, true), wire.Value(in.NotificationTopicArn)
	g.Logs, err = setDeliveries(nil, in.LogDeliveryConfigurations)
	return g, subnets, err
}

// setParameters makes a parameter group the group's, which must be of its version's family.
func (g *group) setParameters(tx *state.Tx, name string) error {
	p, err := findParameterGroup(tx, name)
	if err != nil {
		return err
	}
	v, err := findVersion(&g.Version)
	if err != nil {
		return err
	}
	if p.Family != v.Family {
		return invalidCombination("Expected a parameter group of family %s but found one of family %s", v.Family, p.Family)
	}
	g.Parameters = p.Name
	return nil
}

func snapshotDays(days int64) (int64, error) {
	if days < 0 || days > 35 {
		return 0, invalidValue("Invalid snapshot retention limit: %d. Must be between 0 and 35.", days)
	}
	return days, nil
}

// protect sets encryption and who is let in.
func (s *Service) protect(tx *state.Tx, g *group, in *api.CreateReplicationGroupInput) (err error) {
	g.TLS, g.AtRest = wire.Value(in.TransitEncryptionEnabled), wire.Value(in.AtRestEncryptionEnabled)
	switch {
	case in.TransitEncryptionMode != nil && !g.TLS:
		return invalidCombination("TransitEncryptionMode can only be specified when TransitEncryptionEnabled is true.")
	case in.AuthToken != nil && !g.TLS:
		return invalidCombination("The AUTH token is only supported when encryption-in-transit is enabled: TransitEncryptionEnabled must be true.")
	case in.AuthToken != nil && len(in.UserGroupIds) > 0:
		return invalidCombination("AuthToken and UserGroupIds cannot both be specified.")
	case in.KmsKeyId != nil && !g.AtRest:
		return invalidCombination("KmsKeyId can only be specified when AtRestEncryptionEnabled is true.")
	}
	if in.AuthToken != nil {
		digest, err := tokenDigest(*in.AuthToken)
		if err != nil {
			return err
		}
		g.Tokens, g.TokenChanged = []string{digest}, g.Created
	}
	if err := g.addUsers(tx, in.UserGroupIds); err != nil {
		return err
	}
	if in.KmsKeyId != nil {
		g.Key, err = s.useKey(tx, *in.KmsKeyId, "replication-group", g.ID)
	}
	return err
}

// addUsers lets the users of a user group in.
func (g *group) addUsers(tx *state.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if !g.TLS {
		return invalidCombination("User groups are only supported when encryption-in-transit is enabled: TransitEncryptionEnabled must be true.")
	}
	if len(ids) > 1 || g.UserGroup != "" {
		return invalidValue("A replication group can have at most one user group.")
	}
	u, err := findUserGroup(tx, ids[0])
	g.UserGroup = u.ID
	return err
}

// useKey makes a data key under a customer's key, as ElastiCache does for what it encrypts, and returns the ARN of the key. The lab encrypts no file of a
// snapshot: the call proves that the key is there and enabled.
func (s *Service) useKey(tx *state.Tx, key, kind, id string) (string, error) {
	data := make([]byte, 32)
	if _, err := rand.Read(data); err != nil {
		return "", err
	}
	_, arn, err := s.Keys.Seal(tx, key, map[string]string{"aws:elasticache:" + kind: id}, data)
	if err != nil {
		return "", fault("InvalidKMSKeyFault", "The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it.", key)
	}
	return arn, nil
}

// placement lists the zones of a new group's nodes, the primary's first; "" leaves one to the service.
func placement(in *api.CreateReplicationGroupInput) ([]string, error) {
	count, zones := wire.Or(in.NumCacheClusters, 1), in.PreferredCacheClusterAZs
	if in.NumCacheClusters != nil && (in.ReplicasPerNodeGroup != nil || in.NumNodeGroups != nil) {
		return nil, invalidCombination("NumCacheClusters cannot be specified together with NumNodeGroups or ReplicasPerNodeGroup.")
	}
	if in.ReplicasPerNodeGroup != nil {
		count = *in.ReplicasPerNodeGroup + 1
	}
	for _, c := range in.NodeGroupConfiguration {
		wire.Set(&count, c.ReplicaCount)
		if c.ReplicaCount != nil {
			count++
		}
		if c.PrimaryAvailabilityZone != nil {
			zones = append([]string{*c.PrimaryAvailabilityZone}, c.ReplicaAvailabilityZones...)
		}
	}
	if count < 1 || count > maxNodes {
		return nil, invalidValue("A replication group has from 1 to %d nodes, not %d.", maxNodes, count)
	}
	if len(zones) > 0 && int64(len(zones)) != count {
		return nil, invalidCombination("The number of preferred Availability Zones (%d) must be that of the nodes (%d).", len(zones), count)
	}
	if len(zones) == 0 {
		zones = make([]string, count)
	}
	return zones, nil
}

// reachable is the number of zones that nodes will be in.
func reachable(zones []string, subnets subnetGroup) int {
	distinct := map[string]bool{}
	for _, zone := range zones {
		if zone != "" {
			distinct[zone] = true
			continue
		}
		for _, n := range subnets.Subnets {
			distinct[n.Zone] = true
		}
	}
	return min(len(zones), len(distinct))
}

// knownZone tells whether the region has a zone.
func (s *Service) knownZone(name string) bool {
	return slices.ContainsFunc(s.Region.Zones(), func(z region.Zone) bool { return z.Name == name })
}
