package rds

import (
	"context"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ModifyDBInstance changes an instance. Its class and certificate authority wait for the maintenance window unless they shall be applied immediately.
func (s *Service) ModifyDBInstance(_ context.Context, in *api.ModifyDBInstanceInput) (*api.ModifyDBInstanceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBInstanceOutput) error {
		i, err := availableInstance(tx, wire.Value(in.DBInstanceIdentifier))
		if err != nil {
			return err
		}
		if err := checkModifyInstance(in); err != nil {
			return err
		}
		if err := s.modifyInstance(tx, &i, in); err != nil {
			return err
		}
		if wire.Value(in.ApplyImmediately) {
			i.applyPending()
		}
		if in.NewDBInstanceIdentifier != nil {
			if err := s.renameInstance(tx, &i, in.NewDBInstanceIdentifier); err != nil {
				return err
			}
		}
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
		out.DBInstance, err = s.showInstance(tx, i)
		return err
	})
}

// checkModifyInstance refuses what belongs to the cluster, and what the lab does not serve.
func checkModifyInstance(in *api.ModifyDBInstanceInput) error {
	for name, given := range map[string]bool{
		"AllocatedStorage": in.AllocatedStorage != nil, "BackupRetentionPeriod": in.BackupRetentionPeriod != nil, "CloudwatchLogsExportConfiguration": in.CloudwatchLogsExportConfiguration != nil,
		"DBPortNumber": in.DBPortNumber != nil, "DeletionProtection": in.DeletionProtection != nil, "EnableIAMDatabaseAuthentication": in.EnableIAMDatabaseAuthentication != nil,
		"EngineVersion": in.EngineVersion != nil, "Iops": in.Iops != nil, "ManageMasterUserPassword": in.ManageMasterUserPassword != nil, "MasterUserPassword": in.MasterUserPassword != nil,
		"MultiAZ": in.MultiAZ != nil, "PreferredBackupWindow": in.PreferredBackupWindow != nil, "RotateMasterUserPassword": in.RotateMasterUserPassword != nil,
		"StorageType": in.StorageType != nil, "VpcSecurityGroupIds": len(in.VpcSecurityGroupIds) > 0,
	} {
		if given {
			return invalidCombination("The specified DB Instance is a member of a DB Cluster. Modify %s for the DB Cluster.", name)
		}
	}
	for what, asked := range map[string]bool{
		"Moving an instance to another subnet group": in.DBSubnetGroupName != nil,
		"IPv6":                    wire.Or(in.NetworkType, "IPV4") != "IPV4",
		"Kerberos authentication": in.Domain != nil || in.DomainFqdn != nil,
		"RDS Custom":              in.AutomationMode != nil,
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

func (s *Service) modifyInstance(tx *state.Tx, i *instance, in *api.ModifyDBInstanceInput) (err error) {
	wire.Set(&i.AutoMinor, in.AutoMinorVersionUpgrade)
	wire.Set(&i.CopyTags, in.CopyTagsToSnapshot)
	if in.PubliclyAccessible != nil && *in.PubliclyAccessible != i.Public {
		return unsupported("Changing whether an instance is publicly accessible")
	}
	if wire.Set(&i.Tier, in.PromotionTier); i.Tier < 0 || i.Tier > 15 {
		return invalidValue("Invalid promotion tier: %d. Must be between 0 and 15.", i.Tier)
	}
	c, err := findCluster(tx, i.Cluster)
	if err != nil {
		return err
	}
	if _, i.Maintenance, err = windows(c.Backup, wire.Or(in.PreferredMaintenanceWindow, i.Maintenance)); err != nil {
		return err
	}
	if in.DBParameterGroupName != nil {
		g, err := s.findGroup(tx, instanceGroups, *in.DBParameterGroupName)
		if err != nil {
			return err
		}
		i.NeedsReboot = i.NeedsReboot || g.Name != i.Parameters // RDS asks for a reboot whenever the group changes
		i.Parameters = g.Name
	}
	if err := i.monitor(in.MonitoringInterval, in.MonitoringRoleArn); err != nil {
		return err
	}
	if i.Insights, err = s.newInsights(tx, i.Insights, i.ResourceID, in.EnablePerformanceInsights, in.PerformanceInsightsKMSKeyId, in.PerformanceInsightsRetentionPeriod); err != nil {
		return err
	}
	if in.DBInstanceClass != nil && *in.DBInstanceClass != i.Class {
		if err := checkClass(*in.DBInstanceClass); err != nil {
			return err
		}
		i.Pending.Class = *in.DBInstanceClass
	}
	if in.CACertificateIdentifier != nil && *in.CACertificateIdentifier != i.Authority {
		if err := checkAuthority(*in.CACertificateIdentifier); err != nil {
			return err
		}
		i.Pending.Authority = *in.CACertificateIdentifier
	}
	return nil
}

// applyPending applies what has been waiting for the maintenance window.
func (i *instance) applyPending() {
	wire.Set(&i.Class, wire.Optional(i.Pending.Class))
	wire.Set(&i.Authority, wire.Optional(i.Pending.Authority))
	i.Pending = pendingInstance{}
}

// renameInstance gives an instance another identifier. Its endpoint changes with it.
func (s *Service) renameInstance(tx *state.Tx, i *instance, name *string) error {
	id, err := identifier("NewDBInstanceIdentifier", name, 63)
	if err != nil || id == i.ID {
		return err
	}
	if _, taken, err := instances.Get(tx, id); err != nil || taken {
		return orExists(err, "DBInstanceAlreadyExists", "DB instance already exists")
	}
	c, err := findCluster(tx, i.Cluster)
	if err != nil {
		return err
	}
	if c.Writer == i.ID {
		c.Writer = id
		if err := putCluster(tx, c); err != nil {
			return err
		}
	}
	before := *i
	i.ID = id
	if err := moveTags(tx, s.instanceARN(before), s.instanceARN(*i)); err != nil {
		return err
	}
	return instances.Delete(tx, before.ID)
}
