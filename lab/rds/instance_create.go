package rds

import (
	"cmp"
	"context"
	"slices"

	api "storefront/lab/api/rds"
	"storefront/lab/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxInstances is the number of instances that a cluster can have: a writer and 15 readers.
const maxInstances = 16

// CreateDBInstance adds an instance to a cluster. The first one writes.
func (s *Service) CreateDBInstance(_ context.Context, in *api.CreateDBInstanceInput) (*api.CreateDBInstanceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBInstanceOutput) error {
		if err := checkCreateInstance(in); err != nil {
			return err
		}
		c, err := findCluster(tx, *in.DBClusterIdentifier)
		if err != nil {
			return err
		}
		if c.Status != available && c.Status != creating {
			return fault("InvalidDBClusterStateFault", "DB cluster %s is not in available state.", c.ID)
		}
		i, err := s.newInstance(tx, c, in)
		if err != nil {
			return err
		}
		if err := s.connect(tx, c, &i, in.AvailabilityZone); err != nil {
			return err
		}
		if err := tag(tx, s.instanceARN(i), in.Tags); err != nil {
			return err
		}
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
		if c.Writer == "" {
			c.Writer = i.ID
			if err := putCluster(tx, c); err != nil {
				return err
			}
		}
		out.DBInstance, err = s.showInstance(tx, i)
		return err
	})
}

// checkCreateInstance refuses what the lab does not serve, and what belongs to the cluster.
func checkCreateInstance(in *api.CreateDBInstanceInput) error {
	if err := checkEngine(in.Engine); err != nil {
		return err
	}
	if in.DBClusterIdentifier == nil {
		return invalidCombination("The engine %s requires a DB cluster: DBClusterIdentifier must be provided.", engineName)
	}
	for name, given := range map[string]bool{
		"AllocatedStorage": in.AllocatedStorage != nil, "BackupRetentionPeriod": in.BackupRetentionPeriod != nil, "DBName": in.DBName != nil, "DeletionProtection": wire.Value(in.DeletionProtection),
		"EnableCloudwatchLogsExports": len(in.EnableCloudwatchLogsExports) > 0, "EnableIAMDatabaseAuthentication": in.EnableIAMDatabaseAuthentication != nil, "KmsKeyId": in.KmsKeyId != nil,
		"ManageMasterUserPassword": wire.Value(in.ManageMasterUserPassword), "MasterUsername": in.MasterUsername != nil, "MasterUserPassword": in.MasterUserPassword != nil, "Port": in.Port != nil,
		"StorageEncrypted": in.StorageEncrypted != nil, "VpcSecurityGroupIds": len(in.VpcSecurityGroupIds) > 0, "MultiAZ": wire.Value(in.MultiAZ), "Iops": in.Iops != nil,
		"PreferredBackupWindow": in.PreferredBackupWindow != nil,
	} {
		if given {
			return invalidCombination("The requested DB Instance will be a member of a DB Cluster. Set %s for the DB Cluster.", name)
		}
	}
	for what, asked := range map[string]bool{
		"RDS Custom":              in.CustomIamInstanceProfile != nil,
		"IPv6":                    wire.Or(in.NetworkType, "IPV4") != "IPV4",
		"Kerberos authentication": in.Domain != nil || in.DomainFqdn != nil,
		"AWS Outposts":            wire.Or(in.BackupTarget, "region") != "region" || wire.Value(in.EnableCustomerOwnedIp),
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

func (s *Service) newInstance(tx *state.Tx, c cluster, in *api.CreateDBInstanceInput) (i instance, err error) {
	if i.ID, err = identifier("DBInstanceIdentifier", in.DBInstanceIdentifier, 63); err != nil {
		return i, err
	}
	if _, taken, err := instances.Get(tx, i.ID); err != nil || taken {
		return i, orExists(err, "DBInstanceAlreadyExists", "DB instance already exists")
	}
	if len(c.members(tx)) >= maxInstances {
		return i, fault("InstanceQuotaExceeded", "DB cluster %s cannot have more than %d DB instances.", c.ID, maxInstances)
	}
	if in.EngineVersion != nil {
		if v, err := s.version(in.EngineVersion); err != nil || v != c.Version {
			return i, invalidCombination("The engine version that you requested for your DB instance (%s) does not match the engine version of your DB cluster (%s).", *in.EngineVersion, c.Version)
		}
	}
	if g := wire.Or(in.DBSubnetGroupName, c.SubnetGroup); g != c.SubnetGroup {
		return i, invalidCombination("The DB subnet group of the requested DB instance must be that of its DB cluster: %s.", c.SubnetGroup)
	}
	i.Class = wire.Value(in.DBInstanceClass)
	if err := checkClass(i.Class); err != nil {
		return i, err
	}
	if i.Class == "db.serverless" && c.Scaling == nil {
		return i, fault("InvalidDBClusterStateFault", "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.")
	}
	if i.Tier = wire.Or(in.PromotionTier, 1); i.Tier < 0 || i.Tier > 15 {
		return i, invalidValue("Invalid promotion tier: %d. Must be between 0 and 15.", i.Tier)
	}
	if i.ResourceID, err = resourceID(tx, "db"); err != nil {
		return i, err
	}
	i.Cluster, i.Status, i.Created, i.Version, i.SubnetGroup = c.ID, creating, s.Now().UTC(), c.Version, c.SubnetGroup
	i.Public, i.AutoMinor, i.CopyTags = wire.Value(in.PubliclyAccessible), wire.Or(in.AutoMinorVersionUpgrade, true), wire.Value(in.CopyTagsToSnapshot)
	if _, i.Maintenance, err = windows(c.Backup, wire.Or(in.PreferredMaintenanceWindow, c.Maintenance)); err != nil {
		return i, err
	}
	g, err := s.findGroup(tx, instanceGroups, wire.Or(in.DBParameterGroupName, s.defaultGroup()))
	if err != nil {
		return i, err
	}
	i.Parameters = g.Name
	i.Authority = wire.Or(in.CACertificateIdentifier, defaultAuthority)
	if err := checkAuthority(i.Authority); err != nil {
		return i, err
	}
	if err := i.monitor(in.MonitoringInterval, in.MonitoringRoleArn); err != nil {
		return i, err
	}
	i.Insights, err = s.newInsights(tx, nil, i.ResourceID, in.EnablePerformanceInsights, in.PerformanceInsightsKMSKeyId, in.PerformanceInsightsRetentionPeriod)
	return i, err
}

// connect puts the instance into a subnet of the wanted zone, or of the one that has the fewest of its cluster's instances.
func (s *Service) connect(tx *state.Tx, c cluster, i *instance, zone *string) error {
	g, err := findSubnetGroup(tx, c.SubnetGroup)
	if err != nil {
		return err
	}
	subnets := g.Subnets
	if zone != nil {
		subnets = slices.DeleteFunc(slices.Clone(subnets), func(n groupSubnet) bool { return n.Zone != *zone })
		if len(subnets) == 0 {
			return fault("InvalidVPCNetworkStateFault", "The DB subnet group %s does not have a subnet in Availability Zone %s.", g.Name, *zone)
		}
	}
	used := map[string]int{}
	for _, m := range c.members(tx) {
		used[m.Zone]++
	}
	subnet := slices.MinFunc(subnets, func(a, b groupSubnet) int {
		return cmp.Or(cmp.Compare(used[a.Zone], used[b.Zone]), cmp.Compare(a.Zone, b.Zone))
	})
	eni, err := s.Network.CreateManagedInterface(tx, ec2.ManagedInterface{
		Subnet: subnet.ID, SecurityGroups: c.Groups, Description: "RDSNetworkInterface", RequesterID: "amazon-rds", InterfaceType: "interface", Public: i.Public,
	})
	if err != nil {
		return err
	}
	i.Zone, i.Subnet, i.Interface, i.Address = subnet.Zone, subnet.ID, eni.ID, eni.Address
	return nil
}

// monitor sets enhanced monitoring. A role without an interval is kept, as on AWS.
func (i *instance) monitor(interval *int64, role *string) error {
	wire.Set(&i.Monitoring, interval)
	wire.Set(&i.MonitorRole, role)
	if !slices.Contains([]int64{0, 1, 5, 10, 15, 30, 60}, i.Monitoring) {
		return invalidValue("Invalid monitoring interval: %d. Valid values are 0, 1, 5, 10, 15, 30 and 60.", i.Monitoring)
	}
	if i.Monitoring != 0 && i.MonitorRole == "" {
		return invalidCombination("A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
	}
	if i.Monitoring == 0 {
		i.MonitorRole = ""
	}
	return nil
}

func (s *Service) newInsights(tx *state.Tx, old *insights, resource string, enable *bool, key *string, days *int64) (*insights, error) {
	if !wire.Or(enable, old != nil) {
		if key != nil || days != nil && *days != 0 {
			return nil, invalidCombination("Performance Insights must be enabled to set its KMS key or retention period.")
		}
		return nil, nil
	}
	v := insights{Days: 7}
	if old != nil {
		v = *old
	}
	wire.Set(&v.Days, days)
	if v.Days != 7 && v.Days != 731 && (v.Days%31 != 0 || v.Days < 31 || v.Days > 23*31) {
		return nil, invalidValue("Invalid Performance Insights retention period: %d. Valid values are 7, 731 and multiples of 31 up to 713.", v.Days)
	}
	if v.Key != "" && key == nil {
		return &v, nil
	}
	arn, err := s.useKey(tx, wire.Or(key, "alias/aws/rds"), resource)
	if err == nil && old != nil && old.Key != arn {
		err = invalidCombination("You can't change the Performance Insights KMS key.")
	}
	v.Key = arn
	return &v, err
}
