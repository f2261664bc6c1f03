// Package database makes an Aurora PostgreSQL cluster: a writer, readers kept by name, TLS forced, storage and the managed
// master password encrypted with the caller's key, logs kept for a set time, alarms, and a security group that lets in only who is named.
//
// Left out: Serverless v2, custom endpoints, global databases, RDS Proxy, Data API, restores from snapshots or points in time,
// and rolling instance updates.
package database

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/securitygroup"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:database:Database"

// ErrArgs says that the arguments cannot make a database; the text tells which and why.
var ErrArgs = errors.New("database arguments")

const engine = "aurora-postgresql"

// Args describe a database.
type Args struct {
	Identifier  string // the cluster's identifier, unique in account and region: lower case letters, digits and single hyphens, a letter first
	VpcID       pulumi.StringInput
	SubnetGroup pulumi.StringInput // RDS subnet group, in at least two zones
	KeyARN      pulumi.StringInput // KMS key for storage, backups and insights

	SecretKeyARN pulumi.StringInput // KMS key for the master password; nil means KeyARN
	LogKeyARN    pulumi.StringInput // KMS key for the log group; nil means KeyARN

	// Version is the engine's: "16.6" stays until it is changed here; with "16" AWS raises the minor version in the maintenance
	// window. A minor version that AWS raised and this names would be proposed to go back.
	Version   string
	Name      string // the first database
	AdminName string // master user; empty means "storefront"
	Port      int    // 0 means 5432

	Writer  Instance
	Readers map[string]Instance // by a stable name
	Scaling *Scaling            // nil: as many readers as are named

	BackupDays          int  // 1 to 35; 0 means 7
	LogDays             int  // 0 means 30
	DeletionProtection  bool // refuse to delete the cluster
	SkipFinalSnapshot   bool // delete the data with the cluster
	ApplyImmediately    bool // do not wait for the maintenance window
	PerformanceInsights bool
	MonitoringSeconds   int // enhanced monitoring: 0 is off; 1, 5, 10, 15, 30 or 60

	AlarmActions []pulumi.StringInput // topics that alarms are told to; empty leaves the alarms out
}

// Instance describes a database instance.
type Instance struct {
	Class string // "db.r6g.large"
	// Zone is where the instance is made; empty lets AWS choose. Where it is stays, whatever Zone becomes.
	Zone string
}

// Scaling adds readers to those named when their average CPU exceeds a target, and takes away what it added.
type Scaling struct {
	Min, Max  int     // readers, 0 to 15
	TargetCPU float64 // percent
}

// Database is an Aurora cluster.
type Database struct {
	pulumi.ResourceState

	ClusterID       pulumi.StringOutput `pulumi:"clusterId"`
	ClusterARN      pulumi.StringOutput `pulumi:"clusterArn"`
	WriterEndpoint  pulumi.StringOutput `pulumi:"writerEndpoint"` // host name; follows failovers
	ReaderEndpoint  pulumi.StringOutput `pulumi:"readerEndpoint"` // host name; one of the readers for each connection
	Port            pulumi.IntOutput    `pulumi:"port"`
	SecretARN       pulumi.StringOutput `pulumi:"secretArn"` // {"username": ..., "password": ...}; AWS changes the password every week
	SecurityGroupID pulumi.IDOutput     `pulumi:"securityGroupId"`
	LogGroup        pulumi.StringOutput `pulumi:"logGroup"`

	name    string
	args    Args
	cluster *rds.Cluster
	group   *ec2.SecurityGroup
}

// New makes a database. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Database, error) {
	a := *args
	if a.AdminName == "" {
		a.AdminName = "storefront"
	}
	a.Port, a.BackupDays, a.LogDays = cmp.Or(a.Port, 5432), cmp.Or(a.BackupDays, 7), cmp.Or(a.LogDays, 30)
	a.SecretKeyARN, a.LogKeyARN = cmp.Or(a.SecretKeyARN, a.KeyARN), cmp.Or(a.LogKeyARN, a.KeyARN)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	d := &Database{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, d, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(d)
	var err error
	if d.group, err = securitygroup.New(ctx, name, "Database "+name, a.VpcID, child); err != nil {
		return nil, err
	}
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/rds/cluster/" + a.Identifier + "/postgresql"), // where RDS writes
		RetentionInDays: pulumi.Int(a.LogDays),
		KmsKeyId:        a.LogKeyARN.ToStringOutput().ToStringPtrOutput(),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the log group: %w", err)
	}
	if err := d.makeCluster(ctx, logs, child); err != nil {
		return nil, err
	}
	named, err := d.makeInstances(ctx, child)
	if err != nil {
		return nil, err
	}
	if err := d.makeScaling(ctx, named, child); err != nil {
		return nil, err
	}
	if err := d.makeAlarms(ctx, child); err != nil {
		return nil, err
	}
	d.ClusterID, d.ClusterARN, d.SecurityGroupID, d.LogGroup = d.cluster.ClusterIdentifier, d.cluster.Arn, d.group.ID(), logs.Name
	d.WriterEndpoint, d.ReaderEndpoint, d.Port = d.cluster.Endpoint, d.cluster.ReaderEndpoint, d.cluster.Port
	d.SecretARN = d.cluster.MasterUserSecrets.Index(pulumi.Int(0)).SecretArn().Elem()
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"clusterId": d.ClusterID, "clusterArn": d.ClusterARN, "writerEndpoint": d.WriterEndpoint, "readerEndpoint": d.ReaderEndpoint, "port": d.Port,
		"secretArn": d.SecretARN, "securityGroupId": d.SecurityGroupID, "logGroup": d.LogGroup,
	})
}

var versionForm = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+)?$`)

func check(a *Args) error {
	switch {
	case !versionForm.MatchString(a.Version):
		return fmt.Errorf("%w: version %q: want a major version with or without a minor one, like 16.6", ErrArgs, a.Version)
	case a.Identifier != naming.Identifier(a.Identifier):
		return fmt.Errorf("%w: identifier %q: did you mean %q?", ErrArgs, a.Identifier, naming.Identifier(a.Identifier))
	case slices.Contains([]string{"admin", "rdsadmin", "postgres_admin"}, a.AdminName):
		return fmt.Errorf("%w: admin name %q is reserved", ErrArgs, a.AdminName)
	case a.Port < 1150 || a.Port > 65535:
		return fmt.Errorf("%w: port %d: 1150 to 65535 are allowed", ErrArgs, a.Port)
	case a.BackupDays < 1 || a.BackupDays > 35:
		return fmt.Errorf("%w: backups for %d days: 1 to 35 are allowed", ErrArgs, a.BackupDays)
	case !slices.Contains([]int{0, 1, 5, 10, 15, 30, 60}, a.MonitoringSeconds):
		return fmt.Errorf("%w: monitoring every %d seconds: 0, 1, 5, 10, 15, 30 and 60 are allowed", ErrArgs, a.MonitoringSeconds)
	case len(a.Readers) > 15:
		return fmt.Errorf("%w: %d readers: at most 15 are allowed", ErrArgs, len(a.Readers))
	case a.Scaling != nil && (a.Scaling.Min < 0 || a.Scaling.Max > 15 || a.Scaling.Min > a.Scaling.Max):
		return fmt.Errorf("%w: scaling from %d to %d readers: 0 to 15 are allowed", ErrArgs, a.Scaling.Min, a.Scaling.Max)
	}
	return nil
}

// makeCluster makes the cluster. AvailabilityZones stays unset: AWS always answers three, and a list of two would replace the
// cluster at each update.
func (d *Database) makeCluster(ctx *pulumi.Context, logs pulumi.Resource, child pulumi.ResourceOption) error {
	a := &d.args
	parameters, err := d.parameters(ctx, child)
	if err != nil {
		return err
	}
	args := &rds.ClusterArgs{
		ClusterIdentifier:                pulumi.String(a.Identifier),
		Engine:                           pulumi.String(engine),
		EngineVersion:                    pulumi.String(a.Version),
		AllowMajorVersionUpgrade:         pulumi.Bool(false),
		DatabaseName:                     pulumi.String(a.Name),
		MasterUsername:                   pulumi.String(a.AdminName),
		ManageMasterUserPassword:         pulumi.Bool(true), // no password in the state
		MasterUserSecretKmsKeyId:         a.SecretKeyARN.ToStringOutput().ToStringPtrOutput(),
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),
		StorageEncrypted:                 pulumi.Bool(true),
		KmsKeyId:                         a.KeyARN.ToStringOutput().ToStringPtrOutput(),
		Port:                             pulumi.Int(a.Port),
		DbSubnetGroupName:                a.SubnetGroup.ToStringOutput().ToStringPtrOutput(),
		DbClusterParameterGroupName:      parameters.Name,
		VpcSecurityGroupIds:              pulumi.StringArray{d.group.ID()},
		EnabledCloudwatchLogsExports:     pulumi.ToStringArray([]string{"postgresql"}),
		BackupRetentionPeriod:            pulumi.Int(a.BackupDays),
		CopyTagsToSnapshot:               pulumi.Bool(true),
		DeletionProtection:               pulumi.Bool(a.DeletionProtection),
		SkipFinalSnapshot:                pulumi.Bool(a.SkipFinalSnapshot),
		ApplyImmediately:                 pulumi.Bool(a.ApplyImmediately),
		Tags:                             tags.Named(d.name),
	}
	if !a.SkipFinalSnapshot {
		args.FinalSnapshotIdentifier = pulumi.String(naming.Identifier(a.Identifier, "final"))
	}
	// RDS makes the log group when it is not there, without an end to what it keeps.
	d.cluster, err = rds.NewCluster(ctx, d.name, args, child, pulumi.DependsOn([]pulumi.Resource{logs}))
	if err != nil {
		return fmt.Errorf("creating the cluster: %w", err)
	}
	return nil
}

func (d *Database) parameters(ctx *pulumi.Context, child pulumi.ResourceOption) (*rds.ClusterParameterGroup, error) {
	major, _, _ := strings.Cut(d.args.Version, ".")
	values := map[string]string{
		"rds.force_ssl":              "1",
		"log_statement":              "ddl",
		"log_lock_waits":             "1",
		"log_min_duration_statement": "1000", // milliseconds
	}
	var list rds.ClusterParameterGroupParameterArray
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, &rds.ClusterParameterGroupParameterArgs{
			Name: pulumi.String(name), Value: pulumi.String(values[name]), ApplyMethod: pulumi.String("immediate"),
		})
	}
	g, err := rds.NewClusterParameterGroup(ctx, d.name, &rds.ClusterParameterGroupArgs{
		Description: pulumi.String("Parameters of " + d.name),
		Family:      pulumi.String(engine + major),
		Parameters:  list,
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the parameter group: %w", err)
	}
	return g, nil
}
