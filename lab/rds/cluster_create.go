package rds

import (
	"context"
	"math"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateDBCluster declares a cluster. Its data is made with its first instance.
func (s *Service) CreateDBCluster(_ context.Context, in *api.CreateDBClusterInput) (*api.CreateDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBClusterOutput) error {
		if err := checkCreateCluster(in); err != nil {
			return err
		}
		c, err := s.newCluster(tx, clusterRequest{
			id: in.DBClusterIdentifier, version: in.EngineVersion, subnetGroup: in.DBSubnetGroupName, parameters: in.DBClusterParameterGroupName, groups: in.VpcSecurityGroupIds,
			port: in.Port, backup: in.PreferredBackupWindow, maintenance: in.PreferredMaintenanceWindow, encrypted: wire.Value(in.StorageEncrypted), key: in.KmsKeyId,
			exports: in.EnableCloudwatchLogsExports, storage: in.StorageType, scaling: in.ServerlessV2ScalingConfiguration, zones: in.AvailabilityZones,
		})
		if err != nil {
			return err
		}
		c.Lifecycle = wire.Or(in.EngineLifecycleSupport, lifecycle)
		if c.Database = wire.Value(in.DatabaseName); c.Database != "" && !databasePattern.MatchString(c.Database) {
			return invalidValue("DatabaseName must begin with a letter and contain only alphanumeric characters.")
		}
		if c.BackupDays, err = backupDays(wire.Or(in.BackupRetentionPeriod, 1)); err != nil {
			return err
		}
		c.CopyTags, c.Protected, c.IAM, c.AutoMinor = wire.Value(in.CopyTagsToSnapshot), wire.Value(in.DeletionProtection), wire.Value(in.EnableIAMDatabaseAuthentication), wire.Or(in.AutoMinorVersionUpgrade, true)
		if c.Master, err = s.newMaster(tx, c, in); err != nil {
			return err
		}
		if err := tag(tx, s.clusterARN(c), in.Tags); err != nil {
			return err
		}
		if err := putCluster(tx, c); err != nil {
			return err
		}
		out.DBCluster, err = s.showCluster(tx, c)
		return err
	})
}

// checkCreateCluster refuses what the lab does not serve.
func checkCreateCluster(in *api.CreateDBClusterInput) error {
	if err := checkEngine(in.Engine); err != nil {
		return err
	}
	if mode := wire.Or(in.EngineMode, "provisioned"); mode != "provisioned" {
		return invalidValue("The engine mode %s that you requested is currently unavailable.", mode)
	}
	for what, asked := range map[string]bool{
		"A replica of another cluster":           in.ReplicationSourceIdentifier != nil,
		"A global database":                      in.GlobalClusterIdentifier != nil || wire.Value(in.EnableGlobalWriteForwarding),
		"A Multi-AZ DB cluster with RDS storage": in.DBClusterInstanceClass != nil || in.AllocatedStorage != nil || in.Iops != nil,
		"Aurora Serverless v1":                   in.ScalingConfiguration != nil,
		"The Data API":                           wire.Value(in.EnableHttpEndpoint),
		"Kerberos authentication":                in.Domain != nil,
		"Backtrack":                              wire.Value(in.BacktrackWindow) != 0,
		"Aurora Limitless Database":              wire.Value(in.EnableLimitlessDatabase),
		"Local write forwarding":                 wire.Value(in.EnableLocalWriteForwarding),
		"IPv6":                                   wire.Or(in.NetworkType, "IPV4") != "IPV4",
		"A character set":                        in.CharacterSetName != nil,
		"Performance Insights or monitoring for a whole cluster": wire.Value(in.EnablePerformanceInsights) || wire.Value(in.MonitoringInterval) != 0,
		"A certificate authority for a whole cluster":            in.CACertificateIdentifier != nil,
		"An option group": in.OptionGroupName != nil && !strings.HasPrefix(*in.OptionGroupName, "default:"),
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

// clusterRequest is what CreateDBCluster and RestoreDBClusterFromSnapshot have in common.
type clusterRequest struct {
	id, version, subnetGroup, parameters *string
	groups                               []string
	port                                 *int64
	backup, maintenance                  *string
	encrypted                            bool
	key                                  *string
	exports                              []string
	storage                              *string
	scaling                              *api.ServerlessV2ScalingConfiguration
	zones                                []string
}

func (s *Service) newCluster(tx *state.Tx, r clusterRequest) (c cluster, err error) {
	if c.ID, err = identifier("DBClusterIdentifier", r.id, 63); err != nil {
		return c, err
	}
	if _, taken, err := clusters.Get(tx, c.ID); err != nil || taken {
		return c, orExists(err, "DBClusterAlreadyExistsFault", "DB Cluster already exists")
	}
	if c.ResourceID, err = resourceID(tx, "cluster"); err != nil {
		return c, err
	}
	c.Status, c.Created = creating, s.Now().UTC()
	if c.Version, err = s.version(r.version); err != nil {
		return c, err
	}
	if c.Port = int(wire.Or(r.port, 5432)); c.Port < 1150 || c.Port > math.MaxUint16 {
		return c, invalidValue("Invalid database port: %d. Valid port values are 1150-65535", c.Port)
	}
	if c.Backup, c.Maintenance, err = windows(wire.Or(r.backup, defaultBackup), wire.Or(r.maintenance, defaultMaintenance)); err != nil {
		return c, err
	}
	if err := s.place(tx, &c, r); err != nil {
		return c, err
	}
	parameters, err := s.findGroup(tx, clusterGroups, wire.Or(r.parameters, s.defaultGroup()))
	if err != nil {
		return c, missing("DBClusterParameterGroupNotFound", "DBClusterParameterGroup not found: %s", wire.Value(r.parameters))
	}
	c.Parameters = parameters.Name
	if c.LogExports, err = logExports(r.exports); err != nil {
		return c, err
	}
	if c.Storage, err = storageType(r.storage); err != nil {
		return c, err
	}
	if c.Scaling, err = newScaling(nil, r.scaling); err != nil {
		return c, err
	}
	if r.encrypted {
		c.Key, err = s.useKey(tx, wire.Or(r.key, "alias/aws/rds"), c.ResourceID)
	} else if r.key != nil {
		err = invalidCombination("KmsKeyId can only be specified if StorageEncrypted is true.")
	}
	return c, err
}

// place checks where a cluster is to be: subnet group, zones and security groups.
func (s *Service) place(tx *state.Tx, c *cluster, r clusterRequest) error {
	if r.subnetGroup == nil {
		return missing("DBSubnetGroupNotFoundFault", "DB subnet group 'default' does not exist.") // AWS makes one in the default VPC, which the lab's region does not have
	}
	g, err := findSubnetGroup(tx, *r.subnetGroup)
	if err != nil {
		return err
	}
	c.SubnetGroup = g.Name
	known := s.Region.Zones()
	for _, zone := range r.zones {
		if !slices.ContainsFunc(known, func(z region.Zone) bool { return z.Name == zone }) {
			return fault("InvalidVPCNetworkStateFault", "Availability zone '%s' is unavailable in this region, please choose another zone set.", zone)
		}
	}
	c.Groups, err = s.securityGroups(tx, g.VPC, r.groups)
	return err
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
			return nil, invalidValue("Invalid security group , groupId= %s, groupName=.", id)
		}
		if g.VPC != vpc {
			return nil, invalidCombination("The DB instance and EC2 security group are in different VPCs. The DB instance is in %s and the EC2 security group %s is in %s", vpc, id, g.VPC)
		}
	}
	return ids, nil
}

func logExports(types []string) ([]string, error) {
	for _, t := range types {
		if t != "postgresql" {
			return nil, invalidCombination("You cannot use the log types '%s' with engine version %s. For supported log types, see the documentation.", t, engineName)
		}
	}
	return types, nil
}

func storageType(given *string) (string, error) {
	switch t := wire.Or(given, "aurora"); t {
	case "aurora", "":
		return "", nil
	case optimized:
		return t, nil
	default:
		return "", invalidValue("Invalid storage type: %s", t)
	}
}

func backupDays(days int64) (int64, error) {
	if days < 1 || days > 35 {
		return 0, invalidValue("Invalid backup retention period: %d. Must be between 1 and 35.", days)
	}
	return days, nil
}

// newScaling checks the capacity range of serverless instances: multiples of 0.5 from 0 to 256.
func newScaling(old *scaling, in *api.ServerlessV2ScalingConfiguration) (*scaling, error) {
	if in == nil {
		return old, nil
	}
	v := scaling{}
	if old != nil {
		v = *old
	}
	wire.Set(&v.Min, in.MinCapacity)
	wire.Set(&v.Max, in.MaxCapacity)
	half := func(f float64) bool { return f*2 == math.Trunc(f*2) }
	if v.Min < 0 || v.Max < 1 || v.Max > 256 || v.Min > v.Max || !half(v.Min) || !half(v.Max) {
		return nil, invalidValue("Invalid serverless v2 capacity: %v to %v. Capacities are multiples of 0.5, the minimum is from 0 to the maximum, the maximum is from 1 to 256.", v.Min, v.Max)
	}
	return &v, nil
}
