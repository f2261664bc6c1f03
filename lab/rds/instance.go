package rds

import (
	"net/netip"
	"strings"
	"time"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// instance is a DB instance of a cluster.
type instance struct {
	ID          string
	ResourceID  string
	Cluster     string
	Status      string
	Created     time.Time
	Class       string
	Version     string
	Zone        string
	Subnet      string
	SubnetGroup string
	Interface   string
	Address     netip.Addr
	Parameters  string // parameter group
	Tier        int64  // of promotion, 0 to 15
	Public      bool
	AutoMinor   bool
	CopyTags    bool
	Backup      string // the cluster's window
	Maintenance string
	Authority   string // of its certificate
	Monitoring  int64  // seconds; 0 is off
	MonitorRole string
	Insights    *insights
	Pending     pendingInstance
	NeedsReboot bool // a static parameter has another value than the server runs with
	Reason      string
}

// insights is Performance Insights.
type insights struct {
	Key  string // ARN
	Days int64
}

// pendingInstance is what waits for the maintenance window.
type pendingInstance struct{ Class, Authority string }

var instances = state.NewTable[instance]("rds.instance")

func (s *Service) instanceARN(i instance) string { return s.Region.ARN("rds", "db:"+i.ID) }

// findInstance finds an instance by its identifier or ARN.
func findInstance(tx *state.Tx, ref string) (instance, error) {
	id := ref
	if n := strings.LastIndex(ref, ":db:"); n >= 0 {
		id = ref[n+len(":db:"):]
	}
	i, ok, err := instances.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("DBInstanceNotFound", "DBInstance %s not found.", ref)
	}
	return i, err
}

func availableInstance(tx *state.Tx, ref string) (instance, error) {
	i, err := findInstance(tx, ref)
	if err == nil && i.Status != available {
		err = fault("InvalidDBInstanceState", "Database instance is not in available state.")
	}
	return i, err
}

func (i instance) applyStatus() string {
	if i.NeedsReboot {
		return "pending-reboot"
	}
	return "in-sync"
}

func (s *Service) showInstance(tx *state.Tx, i instance) (*api.DBInstance, error) {
	c, err := findCluster(tx, i.Cluster)
	if err != nil {
		return nil, err
	}
	g, err := findSubnetGroup(tx, i.SubnetGroup)
	if err != nil {
		return nil, err
	}
	out := &api.DBInstance{
		DBInstanceIdentifier: &i.ID, DBInstanceArn: new(s.instanceARN(i)), DbiResourceId: &i.ResourceID, DBClusterIdentifier: &i.Cluster, DBInstanceStatus: &i.Status,
		InstanceCreateTime: &i.Created, Engine: new(engineName), EngineVersion: &i.Version, EngineLifecycleSupport: &c.Lifecycle, DBInstanceClass: &i.Class, LicenseModel: new(licence),
		DBName: wire.Optional(c.Database), MasterUsername: &c.Master.User, AvailabilityZone: &i.Zone, DBSubnetGroup: s.showSubnetGroup(g), VpcSecurityGroups: showGroups(c.Groups), NetworkType: new("IPV4"),
		DBParameterGroups: []api.DBParameterGroupStatus{{DBParameterGroupName: &i.Parameters, ParameterApplyStatus: new(i.applyStatus())}},
		DBSecurityGroups:  []api.DBSecurityGroupMembership{}, DbInstancePort: new(int64(0)), PubliclyAccessible: &i.Public, PromotionTier: &i.Tier, MultiAZ: new(false),
		AutoMinorVersionUpgrade: &i.AutoMinor, CopyTagsToSnapshot: &i.CopyTags, DeletionProtection: new(false), IAMDatabaseAuthenticationEnabled: &c.IAM,
		StorageEncrypted: new(c.Key != ""), KmsKeyId: wire.Optional(c.Key), StorageType: new(wire.Or(wire.Optional(c.Storage), "aurora")), AllocatedStorage: new(int64(1)), StorageThroughput: new(int64(0)),
		BackupRetentionPeriod: &c.BackupDays, PreferredBackupWindow: &c.Backup, PreferredMaintenanceWindow: &i.Maintenance, BackupTarget: new("region"),
		CACertificateIdentifier: &i.Authority, CertificateDetails: &api.CertificateDetails{CAIdentifier: &i.Authority, ValidTill: new(authorityExpires())},
		EnabledCloudwatchLogsExports: c.LogExports, MonitoringInterval: &i.Monitoring, MonitoringRoleArn: wire.Optional(i.MonitorRole), PerformanceInsightsEnabled: new(i.Insights != nil),
		CustomerOwnedIpEnabled: new(false), DedicatedLogVolume: new(false), MultiTenant: new(false), IsStorageConfigUpgradeAvailable: new(false),
		OptionGroupMemberships: []api.OptionGroupMembership{{OptionGroupName: new("default:aurora-postgresql-" + i.Version[:strings.Index(i.Version, ".")]), Status: new("in-sync")}},
	}
	if i.Insights != nil {
		out.PerformanceInsightsKMSKeyId, out.PerformanceInsightsRetentionPeriod = &i.Insights.Key, &i.Insights.Days
	}
	if i.Pending != (pendingInstance{}) {
		out.PendingModifiedValues = &api.PendingModifiedValues{DBInstanceClass: wire.Optional(i.Pending.Class), CACertificateIdentifier: wire.Optional(i.Pending.Authority)}
	}
	if i.Status != creating { // AWS names it when it is there
		out.Endpoint = &api.Endpoint{Address: new(s.instanceEndpoint(i)), Port: new(int64(c.Port)), HostedZoneId: new(hostedZone)}
	}
	if i.Reason != "" {
		out.StatusInfos = []api.DBInstanceStatusInfo{{StatusType: new("read replication"), Normal: new(false), Status: new("error"), Message: &i.Reason}}
	}
	out.TagList, err = showTags(tx, s.instanceARN(i))
	return out, err
}
