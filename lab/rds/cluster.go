package rds

import (
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Statuses of clusters and instances, as RDS spells them.
const (
	creating    = "creating"
	available   = "available"
	modifying   = "modifying"
	rebooting   = "rebooting"
	failingOver = "failing-over"
	starting    = "starting"
	stopping    = "stopping"
	stopped     = "stopped"
	deleting    = "deleting"
	failed      = "failed"
)

const (
	licence   = "postgresql-license"
	lifecycle = "open-source-rds-extended-support"
	optimized = "aurora-iopt1" // storage type; the other one, "aurora", is not shown
)

// cluster is a DB cluster.
type cluster struct {
	ID          string
	ResourceID  string
	Status      string
	Created     time.Time
	Version     string
	Lifecycle   string
	Database    string
	Port        int
	Master      master
	SubnetGroup string
	Groups      []string // VPC security groups
	Parameters  string   // parameter group
	Key         string   // ARN of the KMS key; "" when the storage is not encrypted
	Storage     string   // "" or optimized
	BackupDays  int64
	Backup      string // window
	Maintenance string // window
	LogExports  []string
	Roles       []role
	Scaling     *scaling // of instances of class db.serverless
	CopyTags    bool
	Protected   bool
	IAM         bool
	AutoMinor   bool
	Pending     pendingCluster

	Writer  string // ID of the instance that writes, or that is to write first; "" while there is none
	Target  string // instance that a failover is to make the writer; "" while none is wanted
	Restore string // ID of the snapshot that the data is made of
}

// pendingCluster is what waits for the maintenance window.
type pendingCluster struct {
	Version    string
	BackupDays int64
	IAM        *bool
}

type role struct{ ARN, Feature string }

type scaling struct{ Min, Max float64 }

var clusters = state.NewTable[cluster]("rds.cluster")

func (s *Service) clusterARN(c cluster) string { return s.Region.ARN("rds", "cluster:"+c.ID) }

// findCluster finds a cluster by its identifier or ARN.
func findCluster(tx *state.Tx, ref string) (cluster, error) {
	id := ref
	if i := strings.LastIndex(ref, ":cluster:"); i >= 0 {
		id = ref[i+len(":cluster:"):]
	}
	c, ok, err := clusters.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("DBClusterNotFoundFault", "DBCluster %s not found.", ref)
	}
	return c, err
}

// available is findCluster for what needs a cluster at rest.
func availableCluster(tx *state.Tx, ref string) (cluster, error) {
	c, err := findCluster(tx, ref)
	if err == nil && c.Status != available {
		err = fault("InvalidDBClusterStateFault", "DB cluster %s is not in available state.", c.ID)
	}
	return c, err
}

func putCluster(tx *state.Tx, c cluster) error { return clusters.Put(tx, c.ID, c) }

// members lists the instances of a cluster in the order of their creation.
func (c cluster) members(tx *state.Tx) []instance {
	var list []instance
	for _, i := range instances.All(tx) {
		if i.Cluster == c.ID {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b instance) int { return a.Created.Compare(b.Created) })
	return list
}

func (s *Service) showCluster(tx *state.Tx, c cluster) (*api.DBCluster, error) {
	out := &api.DBCluster{
		DBClusterIdentifier: &c.ID, DBClusterArn: new(s.clusterARN(c)), DbClusterResourceId: &c.ResourceID, Status: &c.Status, ClusterCreateTime: &c.Created,
		Engine: new(engineName), EngineVersion: &c.Version, EngineMode: new("provisioned"), EngineLifecycleSupport: &c.Lifecycle,
		DatabaseName: wire.Optional(c.Database), Port: new(int64(c.Port)), MasterUsername: &c.Master.User, MasterUserSecret: c.Master.show(),
		Endpoint: new(s.writerEndpoint(c)), ReaderEndpoint: new(s.readerEndpoint(c)), HostedZoneId: new(hostedZone), NetworkType: new("IPV4"),
		DBSubnetGroup: &c.SubnetGroup, DBClusterParameterGroup: &c.Parameters, VpcSecurityGroups: showGroups(c.Groups),
		StorageEncrypted: new(c.Key != ""), KmsKeyId: wire.Optional(c.Key), StorageType: wire.Optional(c.Storage), AllocatedStorage: new(int64(1)),
		BackupRetentionPeriod: &c.BackupDays, PreferredBackupWindow: &c.Backup, PreferredMaintenanceWindow: &c.Maintenance,
		EarliestRestorableTime: &c.Created, LatestRestorableTime: new(s.Now().UTC()),
		EnabledCloudwatchLogsExports: c.LogExports, CopyTagsToSnapshot: &c.CopyTags, DeletionProtection: &c.Protected, AutoMinorVersionUpgrade: &c.AutoMinor,
		IAMDatabaseAuthenticationEnabled: &c.IAM, HttpEndpointEnabled: new(false), CrossAccountClone: new(false), ActivityStreamStatus: new("stopped"),
		PendingModifiedValues: c.Pending.show(), AssociatedRoles: []api.DBClusterRole{}, DBClusterMembers: []api.DBClusterMember{},
	}
	for _, z := range s.Region.Zones() { // of the storage, which always spans three
		out.AvailabilityZones = append(out.AvailabilityZones, z.Name)
	}
	for _, r := range c.Roles {
		out.AssociatedRoles = append(out.AssociatedRoles, api.DBClusterRole{RoleArn: &r.ARN, FeatureName: wire.Optional(r.Feature), Status: new("ACTIVE")})
	}
	if c.Scaling != nil {
		out.ServerlessV2ScalingConfiguration = &api.ServerlessV2ScalingConfigurationInfo{MinCapacity: &c.Scaling.Min, MaxCapacity: &c.Scaling.Max}
	}
	for _, e := range endpoints.WithPrefix(tx, "") {
		if e.Cluster == c.ID {
			out.CustomEndpoints = append(out.CustomEndpoints, s.customEndpoint(e))
		}
	}
	zones := map[string]bool{}
	for _, i := range c.members(tx) {
		zones[i.Zone] = true
		out.DBClusterMembers = append(out.DBClusterMembers, api.DBClusterMember{
			DBInstanceIdentifier: &i.ID, IsClusterWriter: new(i.ID == c.Writer), PromotionTier: &i.Tier, DBClusterParameterGroupStatus: new(i.applyStatus()),
		})
	}
	out.MultiAZ = new(len(zones) > 1)
	var err error
	out.TagList, err = showTags(tx, s.clusterARN(c))
	return out, err
}

// hostedZone is RDS's own in Route 53 ("Amazon RDS endpoints and quotas", us-east-1).
const hostedZone = "Z2R2ITUGPM61AM"

func (p pendingCluster) show() *api.ClusterPendingModifiedValues {
	if p == (pendingCluster{}) {
		return nil
	}
	out := &api.ClusterPendingModifiedValues{EngineVersion: wire.Optional(p.Version), IAMDatabaseAuthenticationEnabled: p.IAM}
	if p.BackupDays != 0 {
		out.BackupRetentionPeriod = &p.BackupDays
	}
	return out
}

func showGroups(ids []string) []api.VpcSecurityGroupMembership {
	out := []api.VpcSecurityGroupMembership{}
	for _, id := range ids {
		out = append(out, api.VpcSecurityGroupMembership{VpcSecurityGroupId: &id, Status: new("active")})
	}
	return out
}
