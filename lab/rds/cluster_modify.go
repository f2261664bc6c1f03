package rds

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ModifyDBCluster changes a cluster. Version, backup retention and IAM authentication wait for the maintenance window unless they shall be
// applied immediately; everything else is applied at once.
func (s *Service) ModifyDBCluster(_ context.Context, in *api.ModifyDBClusterInput) (*api.ModifyDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBClusterOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		if err := checkModifyCluster(in); err != nil {
			return err
		}
		for _, apply := range []func(*state.Tx, *cluster, *api.ModifyDBClusterInput) error{s.modifyMaster, s.modifyNetwork, s.modifySettings, s.modifyDeferred} {
			if err := apply(tx, &c, in); err != nil {
				return err
			}
		}
		if wire.Value(in.ApplyImmediately) {
			if err := c.applyPending(tx); err != nil {
				return err
			}
		}
		if in.NewDBClusterIdentifier != nil {
			if err := s.renameCluster(tx, &c, in.NewDBClusterIdentifier); err != nil {
				return err
			}
		}
		if err := putCluster(tx, c); err != nil {
			return err
		}
		out.DBCluster, err = s.showCluster(tx, c)
		return err
	})
}

// checkModifyCluster refuses what the lab does not serve.
func checkModifyCluster(in *api.ModifyDBClusterInput) error {
	for what, asked := range map[string]bool{
		"A Multi-AZ DB cluster with RDS storage": in.DBClusterInstanceClass != nil || wire.Value(in.AllocatedStorage) > 1 || in.Iops != nil,
		"Aurora Serverless v1":                   in.ScalingConfiguration != nil || wire.Or(in.EngineMode, "provisioned") != "provisioned",
		"The Data API":                           wire.Value(in.EnableHttpEndpoint),
		"Kerberos authentication":                wire.Value(in.Domain) != "",
		"Backtrack":                              wire.Value(in.BacktrackWindow) != 0,
		"Global write forwarding":                wire.Value(in.EnableGlobalWriteForwarding),
		"Local write forwarding":                 wire.Value(in.EnableLocalWriteForwarding),
		"Aurora Limitless Database":              wire.Value(in.EnableLimitlessDatabase),
		"IPv6":                                   wire.Or(in.NetworkType, "IPV4") != "IPV4",
		"Performance Insights or monitoring for a whole cluster": wire.Value(in.EnablePerformanceInsights) || wire.Value(in.MonitoringInterval) != 0,
		"A certificate authority for a whole cluster":            in.CACertificateIdentifier != nil,
		"An instance parameter group for a whole cluster":        in.DBInstanceParameterGroupName != nil,
		"A recovery point of AWS Backup":                         in.AwsBackupRecoveryPointArn != nil,
		"An option group":                                        in.OptionGroupName != nil && !strings.HasPrefix(*in.OptionGroupName, "default:"),
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

// modifyMaster changes the password, who manages it, or the managed one.
func (s *Service) modifyMaster(tx *state.Tx, c *cluster, in *api.ModifyDBClusterInput) error {
	manage := wire.Or(in.ManageMasterUserPassword, c.Master.Secret != "")
	switch {
	case in.MasterUserPassword != nil && manage:
		return invalidCombination("You can't specify MasterUserPassword while RDS manages the master user password with Secrets Manager.")
	case wire.Value(in.RotateMasterUserPassword) && (!manage || c.Master.Secret == ""):
		return invalidCombination("You can rotate the master user password only while RDS manages it with Secrets Manager.")
	case wire.Value(in.RotateMasterUserPassword) && !wire.Value(in.ApplyImmediately):
		return invalidCombination("You must apply the change immediately when rotating the master user password.")
	case in.MasterUserSecretKmsKeyId != nil && (!manage || c.Master.Secret != ""):
		return invalidCombination("MasterUserSecretKmsKeyId can be specified only when RDS starts to manage the master user password.")
	case !manage && c.Master.Secret != "" && in.MasterUserPassword == nil:
		return invalidCombination("MasterUserPassword is required when ManageMasterUserPassword is turned off.")
	case manage && c.Master.Secret == "":
		return s.manage(tx, &c.Master, c.ResourceID, in.MasterUserSecretKmsKeyId)
	case wire.Value(in.RotateMasterUserPassword):
		return s.rotate(tx, &c.Master)
	case in.MasterUserPassword != nil:
		if err := s.release(tx, &c.Master); err != nil {
			return err
		}
		return c.Master.setPassword(*in.MasterUserPassword)
	}
	return nil
}

// modifyNetwork changes the port and the security groups.
func (s *Service) modifyNetwork(tx *state.Tx, c *cluster, in *api.ModifyDBClusterInput) error {
	if in.Port != nil {
		if *in.Port < 1150 || *in.Port > 65535 {
			return invalidValue("Invalid database port: %d. Valid port values are 1150-65535", *in.Port)
		}
		c.Port = int(*in.Port)
	}
	if len(in.VpcSecurityGroupIds) == 0 {
		return nil
	}
	g, err := findSubnetGroup(tx, c.SubnetGroup)
	if err != nil {
		return err
	}
	if c.Groups, err = s.securityGroups(tx, g.VPC, in.VpcSecurityGroupIds); err != nil {
		return err
	}
	for _, i := range c.members(tx) {
		if err := s.Network.SetManagedInterfaceGroups(tx, i.Interface, c.Groups); err != nil {
			return err
		}
	}
	return nil
}

// modifySettings changes what RDS never defers.
func (s *Service) modifySettings(tx *state.Tx, c *cluster, in *api.ModifyDBClusterInput) (err error) {
	wire.Set(&c.CopyTags, in.CopyTagsToSnapshot)
	wire.Set(&c.Protected, in.DeletionProtection)
	wire.Set(&c.AutoMinor, in.AutoMinorVersionUpgrade)
	if c.Backup, c.Maintenance, err = windows(wire.Or(in.PreferredBackupWindow, c.Backup), wire.Or(in.PreferredMaintenanceWindow, c.Maintenance)); err != nil {
		return err
	}
	if in.DBClusterParameterGroupName != nil {
		g, err := s.findGroup(tx, clusterGroups, *in.DBClusterParameterGroupName)
		if err != nil {
			return missing("DBClusterParameterGroupNotFound", "DBClusterParameterGroup not found: %s", *in.DBClusterParameterGroupName)
		}
		c.Parameters = g.Name
	}
	if in.StorageType != nil {
		if c.Storage, err = storageType(in.StorageType); err != nil {
			return err
		}
	}
	if l := in.CloudwatchLogsExportConfiguration; l != nil {
		enable, err := logExports(l.EnableLogTypes)
		if err != nil {
			return err
		}
		c.LogExports = slices.DeleteFunc(c.LogExports, func(t string) bool { return slices.Contains(l.DisableLogTypes, t) || slices.Contains(enable, t) })
		c.LogExports = append(c.LogExports, enable...)
	}
	c.Scaling, err = newScaling(c.Scaling, in.ServerlessV2ScalingConfiguration)
	return err
}

// modifyDeferred notes what may wait for the maintenance window.
func (s *Service) modifyDeferred(_ *state.Tx, c *cluster, in *api.ModifyDBClusterInput) (err error) {
	if in.EngineVersion != nil {
		version, err := s.version(in.EngineVersion)
		if err != nil {
			return err
		}
		if older(version, c.Version) {
			return invalidCombination("Cannot upgrade %s from %s to %s", engineName, c.Version, version)
		}
		c.Pending.Version = ""
		if version != c.Version {
			c.Pending.Version = version
		}
	}
	if in.BackupRetentionPeriod != nil {
		days, err := backupDays(*in.BackupRetentionPeriod)
		if err != nil {
			return err
		}
		c.Pending.BackupDays = 0
		if days != c.BackupDays {
			c.Pending.BackupDays = days
		}
	}
	if in.EnableIAMDatabaseAuthentication != nil {
		c.Pending.IAM = nil
		if *in.EnableIAMDatabaseAuthentication != c.IAM {
			c.Pending.IAM = in.EnableIAMDatabaseAuthentication
		}
	}
	return nil
}

// older compares versions of one major version.
func older(a, b string) bool {
	_, a, _ = strings.Cut(a, ".")
	_, b, _ = strings.Cut(b, ".")
	return len(a) < len(b) || len(a) == len(b) && a < b
}

// applyPending applies what has been waiting for the maintenance window.
func (c *cluster) applyPending(tx *state.Tx) error {
	wire.Set(&c.Version, wire.Optional(c.Pending.Version))
	wire.Set(&c.IAM, c.Pending.IAM)
	if c.Pending.BackupDays != 0 {
		c.BackupDays = c.Pending.BackupDays
	}
	c.Pending = pendingCluster{}
	for _, i := range c.members(tx) {
		i.Version = c.Version
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
	}
	return nil
}

// renameCluster gives a cluster another identifier. Its endpoints change with it.
func (s *Service) renameCluster(tx *state.Tx, c *cluster, name *string) error {
	id, err := identifier("NewDBClusterIdentifier", name, 63)
	if err != nil || id == c.ID {
		return err
	}
	if _, taken, err := clusters.Get(tx, id); err != nil || taken {
		return orExists(err, "DBClusterAlreadyExistsFault", "DB Cluster already exists")
	}
	for _, i := range c.members(tx) {
		i.Cluster = id
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
	}
	var custom []endpoint
	for _, e := range endpoints.All(tx) {
		if e.Cluster == c.ID {
			custom = append(custom, e)
		}
	}
	for _, e := range custom {
		e.Cluster = id
		if err := endpoints.Put(tx, e.ID, e); err != nil {
			return err
		}
	}
	before := *c
	c.ID = id
	if err := moveTags(tx, s.clusterARN(before), s.clusterARN(*c)); err != nil {
		return err
	}
	return clusters.Delete(tx, before.ID)
}

func moveTags(tx *state.Tx, from, to string) error {
	has, ok, err := tags.Get(tx, from)
	if err != nil || !ok {
		return err
	}
	if err := tags.Put(tx, to, has); err != nil {
		return err
	}
	return tags.Delete(tx, from)
}
