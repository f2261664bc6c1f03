package elasticache

import (
	"context"
	"slices"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ModifyReplicationGroup changes a group. The version and the node type wait for the maintenance window unless they are to apply at once.
func (s *Service) ModifyReplicationGroup(_ context.Context, in *api.ModifyReplicationGroupInput) (*api.ModifyReplicationGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyReplicationGroupOutput) error {
		g, err := availableGroup(tx, wire.Value(in.ReplicationGroupId))
		if err != nil {
			return err
		}
		if err := g.refuseModify(in); err != nil {
			return err
		}
		for _, step := range []func(*state.Tx, *group, *api.ModifyReplicationGroupInput) error{s.modifySettings, s.modifyEngine, s.modifyNetwork, s.modifyAccess, s.modifyPrimary} {
			if err := step(tx, &g, in); err != nil {
				return err
			}
		}
		g.Status = modifying
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return nil
	})
}

func (g group) refuseModify(in *api.ModifyReplicationGroupInput) error {
	for what, asked := range map[string]bool{
		"Turning transit encryption on or off":                   wire.Or(in.TransitEncryptionEnabled, g.TLS) != g.TLS,
		"Transit encryption mode preferred (TLS and none alike)": wire.Or(in.TransitEncryptionMode, api.TransitEncryptionModeRequired) != api.TransitEncryptionModeRequired,
		"Cluster mode":                         wire.Or(in.ClusterMode, api.ClusterModeDisabled) != api.ClusterModeDisabled,
		"IPv6":                                 wire.Or(in.IpDiscovery, "ipv4") != "ipv4",
		"A cache security group (EC2-Classic)": len(in.CacheSecurityGroupNames) > 0,
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

// modifySettings changes what has no part in serving.
func (s *Service) modifySettings(tx *state.Tx, g *group, in *api.ModifyReplicationGroupInput) (err error) {
	wire.Set(&g.Description, in.ReplicationGroupDescription)
	wire.Set(&g.AutoMinor, in.AutoMinorVersionUpgrade)
	wire.Set(&g.Topic, in.NotificationTopicArn)
	if wire.Or(in.NotificationTopicStatus, "active") != "active" {
		g.Topic = ""
	}
	if g.Snapshot, g.Maintenance, err = windows(wire.Or(in.SnapshotWindow, g.Snapshot), wire.Or(in.PreferredMaintenanceWindow, g.Maintenance)); err != nil {
		return err
	}
	if err := g.modifySnapshots(tx, in); err != nil {
		return err
	}
	g.Logs, err = setDeliveries(g.Logs, in.LogDeliveryConfigurations)
	return err
}

// modifySnapshots changes how long daily snapshots are kept and which node they are of, which must be named before there are any.
func (g *group) modifySnapshots(tx *state.Tx, in *api.ModifyReplicationGroupInput) (err error) {
	if in.SnapshottingClusterId != nil {
		n, err := findNode(tx, *in.SnapshottingClusterId)
		if err != nil || n.Group != g.ID {
			return missing("CacheClusterNotFound", "Specified snapshotting cluster does not exist")
		}
		g.SnapshotNode = n.ID
	}
	before := g.SnapshotDays
	g.SnapshotDays, err = snapshotDays(wire.Or(in.SnapshotRetentionLimit, g.SnapshotDays))
	if err == nil && before == 0 && g.SnapshotDays > 0 && g.SnapshotNode == "" {
		err = invalidCombination("Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on snapshots")
	}
	return err
}

// modifyEngine changes version, node type and parameters.
func (s *Service) modifyEngine(tx *state.Tx, g *group, in *api.ModifyReplicationGroupInput) error {
	if in.EngineVersion != nil {
		v, err := findVersion(in.EngineVersion)
		if err != nil {
			return err
		}
		if v.Full < g.Version {
			return invalidValue("Downgrade of the engine version from %s to %s is not supported.", g.Version, v.Full)
		}
		if old, err := findVersion(&g.Version); err == nil && old.Family != v.Family && in.CacheParameterGroupName == nil {
			if g.Parameters != "default."+old.Family {
				return invalidCombination("CacheParameterGroupName of the family %s is required with the version %s.", v.Family, v.Full)
			}
			g.Parameters = "default." + v.Family
		}
		g.Pending.Version = v.Full
	}
	if in.CacheNodeType != nil {
		if err := checkNodeType(*in.CacheNodeType); err != nil {
			return err
		}
		g.Pending.NodeType = *in.CacheNodeType
	}
	if wire.Value(in.ApplyImmediately) {
		g.applyPending()
	}
	if in.CacheParameterGroupName != nil {
		return g.setParameters(tx, *in.CacheParameterGroupName)
	}
	return nil
}

func (g *group) applyPending() {
	if g.Pending.Version != "" {
		g.Version = g.Pending.Version
	}
	if g.Pending.NodeType != "" {
		g.NodeType = g.Pending.NodeType
	}
	g.Pending = pending{}
}

// modifyNetwork replaces the security groups.
func (s *Service) modifyNetwork(tx *state.Tx, g *group, in *api.ModifyReplicationGroupInput) error {
	if len(in.SecurityGroupIds) == 0 {
		return nil
	}
	subnets, err := findSubnetGroup(tx, g.SubnetGroup)
	if err != nil {
		return err
	}
	if g.Groups, err = s.securityGroups(tx, subnets.VPC, in.SecurityGroupIds); err != nil {
		return err
	}
	for _, n := range g.members(tx) {
		if err := s.Network.SetManagedInterfaceGroups(tx, n.Interface, g.Groups); err != nil {
			return err
		}
	}
	return nil
}

// modifyAccess changes the AUTH token or the user group.
func (s *Service) modifyAccess(tx *state.Tx, g *group, in *api.ModifyReplicationGroupInput) error {
	for _, id := range in.UserGroupIdsToRemove {
		if id != g.UserGroup {
			return missing("UserGroupNotFound", "User group %s is not associated with the replication group %s.", id, g.ID)
		}
		g.UserGroup = ""
	}
	if wire.Value(in.RemoveUserGroups) {
		g.UserGroup = ""
	}
	if len(in.UserGroupIdsToAdd) > 0 {
		if len(g.Tokens) > 0 && wire.Value(in.AuthTokenUpdateStrategy) != api.AuthTokenUpdateStrategyTypeDelete {
			return invalidCombination("The AUTH token of the replication group %s must be deleted (AuthTokenUpdateStrategy DELETE) when a user group is added.", g.ID)
		}
		if err := g.addUsers(tx, in.UserGroupIdsToAdd); err != nil {
			return err
		}
	}
	return s.modifyToken(g, in)
}

// modifyToken rotates to a token, which leaves the last one valid, or sets one, which does not ("Modifying the AUTH token").
func (s *Service) modifyToken(g *group, in *api.ModifyReplicationGroupInput) error {
	strategy := wire.Or(in.AuthTokenUpdateStrategy, api.AuthTokenUpdateStrategyTypeRotate)
	if strategy == api.AuthTokenUpdateStrategyTypeDelete {
		if g.UserGroup == "" {
			return invalidCombination("The AUTH token can only be deleted when a user group takes its place.")
		}
		g.Tokens, g.TokenOptional, g.TokenChanged = nil, false, s.Now().UTC()
		return nil
	}
	if in.AuthToken == nil {
		if in.AuthTokenUpdateStrategy != nil {
			return invalidCombination("AuthToken is required with AuthTokenUpdateStrategy.")
		}
		return nil
	}
	switch {
	case !g.TLS:
		return invalidCombination("The AUTH token is only supported when encryption-in-transit is enabled.")
	case g.UserGroup != "":
		return invalidCombination("The replication group %s has a user group, which excludes an AUTH token.", g.ID)
	case !wire.Value(in.ApplyImmediately):
		return invalidCombination("ApplyImmediately must be true when the AUTH token is modified.")
	}
	digest, err := tokenDigest(*in.AuthToken)
	if err != nil {
		return err
	}
	if strategy == api.AuthTokenUpdateStrategyTypeSet {
		g.Tokens, g.TokenOptional = []string{digest}, false
	} else if !slices.Contains(g.Tokens, digest) {
		g.TokenOptional = len(g.Tokens) == 0
		g.Tokens = append(g.Tokens[max(0, len(g.Tokens)-1):], digest)
	}
	g.TokenChanged = s.Now().UTC()
	return nil
}

// modifyPrimary changes what happens when the primary is lost, or names another one.
func (s *Service) modifyPrimary(tx *state.Tx, g *group, in *api.ModifyReplicationGroupInput) error {
	wire.Set(&g.Failover, in.AutomaticFailoverEnabled)
	wire.Set(&g.MultiAZ, in.MultiAZEnabled)
	members, zones := g.members(tx), map[string]bool{}
	for _, n := range members {
		zones[n.Zone] = true
	}
	if err := g.checkFailover(len(members), len(zones)); err != nil {
		return err
	}
	if in.PrimaryClusterId == nil || *in.PrimaryClusterId == g.Primary {
		return nil
	}
	if g.Failover {
		return invalidCombination("A read replica can only be promoted when automatic failover is disabled.")
	}
	n, err := findNode(tx, *in.PrimaryClusterId)
	if err == nil && n.Group != g.ID {
		err = invalidValue("The cache cluster %s is not a member of the replication group %s.", n.ID, g.ID)
	}
	g.Target = n.ID
	return err
}
