package rds_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	labrds "storefront/lab/rds"
	"storefront/lab/state"
)

func TestAClusterReadsBackAsItWasDeclared(t *testing.T) {
	l := newLab(t)
	l.subnetGroup("data")
	in := request()
	in.BackupRetentionPeriod, in.Port, in.DeletionProtection, in.CopyTagsToSnapshot = aws.Int32(7), aws.Int32(5433), aws.Bool(true), aws.Bool(true)
	in.EnableIAMDatabaseAuthentication, in.EnableCloudwatchLogsExports = aws.Bool(true), []string{"postgresql"}
	in.PreferredBackupWindow, in.PreferredMaintenanceWindow = aws.String("02:00-02:30"), aws.String("Mon:04:00-Mon:04:30")
	in.ServerlessV2ScalingConfiguration = &types.ServerlessV2ScalingConfiguration{MinCapacity: aws.Float64(0.5), MaxCapacity: aws.Float64(4)}
	in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}
	made, err := l.CreateDBCluster(t.Context(), in)
	l.must(err)
	if s := *made.DBCluster.Status; s != "creating" {
		t.Errorf("a new cluster is %s, want creating", s)
	}
	l.settle()
	c := l.cluster()
	for what, ok := range map[string]bool{
		"status":      *c.Status == "available",
		"version":     *c.EngineVersion == "15.10" && *c.Engine == "aurora-postgresql" && *c.EngineMode == "provisioned",
		"port":        *c.Port == 5433,
		"backups":     *c.BackupRetentionPeriod == 7 && *c.PreferredBackupWindow == "02:00-02:30",
		"maintenance": *c.PreferredMaintenanceWindow == "mon:04:00-mon:04:30",
		"protection":  *c.DeletionProtection && *c.CopyTagsToSnapshot && *c.IAMDatabaseAuthenticationEnabled,
		"exports":     len(c.EnabledCloudwatchLogsExports) == 1,
		"capacity":    *c.ServerlessV2ScalingConfiguration.MinCapacity == 0.5 && *c.ServerlessV2ScalingConfiguration.MaxCapacity == 4,
		"tags":        len(c.TagList) == 1 && *c.TagList[0].Value == "shop",
		"encryption":  *c.StorageEncrypted && strings.HasPrefix(*c.KmsKeyId, "arn:aws:kms:us-east-1:000000000000:key/"),
		"zones":       len(c.AvailabilityZones) == 3,
		"storage":     c.StorageType == nil,
		"group":       *c.DBClusterParameterGroup == "default.aurora-postgresql15" && *c.DBSubnetGroup == "data" && len(c.VpcSecurityGroups) == 1,
		"endpoints":   strings.HasPrefix(*c.Endpoint, "shop.cluster-c") && strings.HasPrefix(*c.ReaderEndpoint, "shop.cluster-ro-c") && strings.HasSuffix(*c.Endpoint, ".us-east-1.rds.amazonaws.com"),
		"pending":     c.PendingModifiedValues == nil,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, c)
		}
	}
}

func TestInvalidClusters(t *testing.T) {
	l := newLab(t)
	l.subnetGroup("data")
	other, err := l.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: aws.String("10.1.0.0/16")})
	l.must(err)
	groups, err := l.ec2.DescribeSecurityGroups(t.Context(), &sdkec2.DescribeSecurityGroupsInput{})
	l.must(err)
	var foreign string
	for _, g := range groups.SecurityGroups {
		if *g.VpcId == *other.Vpc.VpcId {
			foreign = *g.GroupId
		}
	}
	for name, c := range map[string]struct {
		edit func(*rds.CreateDBClusterInput)
		code string
	}{
		"identifier":      {func(in *rds.CreateDBClusterInput) { in.DBClusterIdentifier = aws.String("1shop") }, "InvalidParameterValue"},
		"two hyphens":     {func(in *rds.CreateDBClusterInput) { in.DBClusterIdentifier = aws.String("a--b") }, "InvalidParameterValue"},
		"long identifier": {func(in *rds.CreateDBClusterInput) { in.DBClusterIdentifier = aws.String(strings.Repeat("a", 64)) }, "InvalidParameterValue"},
		"engine":          {func(in *rds.CreateDBClusterInput) { in.Engine = aws.String("aurora-mysql") }, "InvalidParameterValue"},
		"version":         {func(in *rds.CreateDBClusterInput) { in.EngineVersion = aws.String("16.6") }, "InvalidParameterCombination"},
		"mode":            {func(in *rds.CreateDBClusterInput) { in.EngineMode = aws.String("serverless") }, "InvalidParameterValue"},
		"subnet group":    {func(in *rds.CreateDBClusterInput) { in.DBSubnetGroupName = aws.String("none") }, "DBSubnetGroupNotFoundFault"},
		"no subnet group": {func(in *rds.CreateDBClusterInput) { in.DBSubnetGroupName = nil }, "DBSubnetGroupNotFoundFault"},
		"parameter group": {func(in *rds.CreateDBClusterInput) { in.DBClusterParameterGroupName = aws.String("none") }, "DBClusterParameterGroupNotFound"},
		"security group":  {func(in *rds.CreateDBClusterInput) { in.VpcSecurityGroupIds = []string{"sg-none"} }, "InvalidParameterValue"},
		"foreign group":   {func(in *rds.CreateDBClusterInput) { in.VpcSecurityGroupIds = []string{foreign} }, "InvalidParameterCombination"},
		"zone":            {func(in *rds.CreateDBClusterInput) { in.AvailabilityZones = []string{"us-east-1z"} }, "InvalidVPCNetworkStateFault"},
		"port":            {func(in *rds.CreateDBClusterInput) { in.Port = aws.Int32(80) }, "InvalidParameterValue"},
		"retention":       {func(in *rds.CreateDBClusterInput) { in.BackupRetentionPeriod = aws.Int32(36) }, "InvalidParameterValue"},
		"backup window":   {func(in *rds.CreateDBClusterInput) { in.PreferredBackupWindow = aws.String("25:00-26:00") }, "InvalidParameterValue"},
		"short window":    {func(in *rds.CreateDBClusterInput) { in.PreferredBackupWindow = aws.String("02:00-02:10") }, "InvalidParameterValue"},
		"windows overlap": {func(in *rds.CreateDBClusterInput) { in.PreferredMaintenanceWindow = aws.String("tue:03:10-tue:04:00") }, "InvalidParameterCombination"},
		"key":             {func(in *rds.CreateDBClusterInput) { in.KmsKeyId = aws.String("no-such-key") }, "KMSKeyNotAccessibleFault"},
		"key unencrypted": {func(in *rds.CreateDBClusterInput) {
			in.KmsKeyId, in.StorageEncrypted = aws.String("alias/aws/rds"), nil
		}, "InvalidParameterCombination"},
		"no user":       {func(in *rds.CreateDBClusterInput) { in.MasterUsername = nil }, "InvalidParameterCombination"},
		"reserved user": {func(in *rds.CreateDBClusterInput) { in.MasterUsername = aws.String("rdsadmin") }, "InvalidParameterValue"},
		"bad user":      {func(in *rds.CreateDBClusterInput) { in.MasterUsername = aws.String("a b") }, "InvalidParameterValue"},
		"no password":   {func(in *rds.CreateDBClusterInput) { in.ManageMasterUserPassword = nil }, "InvalidParameterCombination"},
		"two passwords": {func(in *rds.CreateDBClusterInput) { in.MasterUserPassword = aws.String("long enough") }, "InvalidParameterCombination"},
		"short password": {func(in *rds.CreateDBClusterInput) {
			in.ManageMasterUserPassword, in.MasterUserPassword = nil, aws.String("short")
		}, "InvalidParameterValue"},
		"bad password": {func(in *rds.CreateDBClusterInput) {
			in.ManageMasterUserPassword, in.MasterUserPassword = nil, aws.String("with/slash")
		}, "InvalidParameterValue"},
		"database":   {func(in *rds.CreateDBClusterInput) { in.DatabaseName = aws.String("1 shop") }, "InvalidParameterValue"},
		"log export": {func(in *rds.CreateDBClusterInput) { in.EnableCloudwatchLogsExports = []string{"audit"} }, "InvalidParameterCombination"},
		"storage":    {func(in *rds.CreateDBClusterInput) { in.StorageType = aws.String("gp3") }, "InvalidParameterValue"},
		"capacity": {func(in *rds.CreateDBClusterInput) {
			in.ServerlessV2ScalingConfiguration = &types.ServerlessV2ScalingConfiguration{MinCapacity: aws.Float64(2), MaxCapacity: aws.Float64(1)}
		}, "InvalidParameterValue"},
		"global":           {func(in *rds.CreateDBClusterInput) { in.GlobalClusterIdentifier = aws.String("world") }, "UnsupportedOperation"},
		"Multi-AZ cluster": {func(in *rds.CreateDBClusterInput) { in.DBClusterInstanceClass = aws.String("db.m6g.large") }, "UnsupportedOperation"},
		"tag": {func(in *rds.CreateDBClusterInput) {
			in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}
		}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			in := request()
			c.edit(in)
			_, err := l.CreateDBCluster(t.Context(), in)
			(&lab{T: t}).refused(err, c.code)
		})
	}
	if out, err := l.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{}); err != nil || len(out.DBClusters) > 0 {
		t.Errorf("refused requests left %v, %v", out, err)
	}
	if out, err := l.secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}); err != nil || len(out.SecretList) > 0 {
		t.Errorf("refused requests left %v, %v", out, err)
	}
	_, err = l.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("shop")})
	l.refused(err, "DBClusterNotFoundFault")
	_, err = l.CreateDBCluster(t.Context(), request())
	l.must(err)
	_, err = l.CreateDBCluster(t.Context(), request())
	l.refused(err, "DBClusterAlreadyExistsFault")
}

func TestManagedPassword(t *testing.T) {
	l := newCluster(t)
	read := func() (username, password string) {
		t.Helper()
		secret := l.cluster().MasterUserSecret
		if secret == nil || *secret.SecretStatus != "active" || *secret.KmsKeyId == "" {
			t.Fatalf("got secret %+v", secret)
		}
		out, err := l.secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: secret.SecretArn})
		l.must(err)
		if !strings.HasPrefix(*out.Name, "rds!cluster-") {
			t.Errorf("the secret is called %s", *out.Name)
		}
		var v struct{ Username, Password string }
		l.must(json.Unmarshal([]byte(*out.SecretString), &v))
		return v.Username, v.Password
	}
	user, first := read()
	if user != "shopkeeper" || len(first) != 28 {
		t.Errorf("got user %q and a password of %d characters", user, len(first))
	}
	_, err := l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), RotateMasterUserPassword: aws.Bool(true)})
	l.refused(err, "InvalidParameterCombination")
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), RotateMasterUserPassword: aws.Bool(true), ApplyImmediately: aws.Bool(true)})
	l.must(err)
	if _, second := read(); second == first {
		t.Error("the password was not rotated")
	}
	applied := func() (is bool) {
		l.must(l.store.View(func(tx *state.Tx) error {
			list, err := l.service.Clusters(tx)
			is = list[0].Master.Applied
			return err
		}))
		return is
	}
	if applied() {
		t.Error("the servers are thought to have the new password already")
	}
	l.settle()
	if !applied() {
		t.Error("the new password stays to be applied")
	}
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), MasterUserPassword: aws.String("my own password")})
	l.refused(err, "InvalidParameterCombination")
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), ManageMasterUserPassword: aws.Bool(false), MasterUserPassword: aws.String("my-own-password")})
	l.must(err)
	if s := l.cluster().MasterUserSecret; s != nil {
		t.Errorf("the secret is still there: %v", s)
	}
	if out, err := l.secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}); err != nil || len(out.SecretList) > 0 {
		t.Errorf("secrets left: %v, %v", out.SecretList, err)
	}
}

func TestChangesThatWaitForTheMaintenanceWindow(t *testing.T) {
	l := newCluster(t, "a")
	change := func(immediately bool) {
		_, err := l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), ApplyImmediately: &immediately,
			EngineVersion: aws.String("15.12"), BackupRetentionPeriod: aws.Int32(9), EnableIAMDatabaseAuthentication: aws.Bool(true), DeletionProtection: aws.Bool(true)})
		l.must(err)
	}
	change(false)
	c := l.cluster()
	if *c.EngineVersion != "15.10" || *c.BackupRetentionPeriod != 1 || *c.IAMDatabaseAuthenticationEnabled || !*c.DeletionProtection {
		t.Errorf("got %+v", c)
	}
	if p := c.PendingModifiedValues; p == nil || *p.EngineVersion != "15.12" || *p.BackupRetentionPeriod != 9 || !*p.IAMDatabaseAuthenticationEnabled {
		t.Errorf("pending is %+v", p)
	}
	apply := func() { l.must(l.store.Update(l.service.ApplyMaintenance)) }
	apply() // on Wednesday nothing is due
	if l.cluster().PendingModifiedValues == nil {
		t.Error("applied outside the maintenance window")
	}
	l.now = time.Date(2026, 11, 22, 5, 10, 0, 0, time.UTC) // Sunday, in the default window
	apply()
	c = l.cluster()
	if c.PendingModifiedValues != nil || *c.EngineVersion != "15.12" || *c.BackupRetentionPeriod != 9 || !*c.IAMDatabaseAuthenticationEnabled {
		t.Errorf("after the window: %+v", c)
	}
	if v := *l.instance("a").EngineVersion; v != "15.12" {
		t.Errorf("the instance has version %s", v)
	}
	_, err := l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), EngineVersion: aws.String("15.3")})
	l.refused(err, "InvalidParameterCombination")
}

func TestSecurityGroupsFollowTheCluster(t *testing.T) {
	l := newCluster(t, "a")
	group, err := l.ec2.CreateSecurityGroup(t.Context(), &sdkec2.CreateSecurityGroupInput{GroupName: aws.String("db"), Description: aws.String("db"), VpcId: &l.vpc})
	l.must(err)
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), VpcSecurityGroupIds: []string{*group.GroupId}})
	l.must(err)
	out, err := l.ec2.DescribeNetworkInterfaces(t.Context(), &sdkec2.DescribeNetworkInterfacesInput{})
	l.must(err)
	if len(out.NetworkInterfaces) != 1 || *out.NetworkInterfaces[0].Groups[0].GroupId != *group.GroupId || *out.NetworkInterfaces[0].Description != "RDSNetworkInterface" {
		t.Errorf("got %+v", out.NetworkInterfaces)
	}
	if g := l.instance("a").VpcSecurityGroups; len(g) != 1 || *g[0].VpcSecurityGroupId != *group.GroupId {
		t.Errorf("the instance shows %+v", g)
	}
}

func TestRename(t *testing.T) {
	l := newCluster(t, "a")
	_, err := l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), NewDBClusterIdentifier: aws.String("store"), ApplyImmediately: aws.Bool(true)})
	l.must(err)
	_, err = l.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("shop")})
	l.refused(err, "DBClusterNotFoundFault")
	if c := *l.instance("a").DBClusterIdentifier; c != "store" {
		t.Errorf("the instance is in cluster %s", c)
	}
	_, err = l.ModifyDBInstance(t.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("a"), NewDBInstanceIdentifier: aws.String("b"), ApplyImmediately: aws.Bool(true)})
	l.must(err)
	out, err := l.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	l.must(err)
	if list, writer := members(&out.DBClusters[0]); len(list) != 1 || writer != "b" {
		t.Errorf("got members %v, writer %s", list, writer)
	}
}

func TestDelete(t *testing.T) {
	l := newCluster(t, "a", "b")
	remove := func(in rds.DeleteDBClusterInput) error {
		in.DBClusterIdentifier = aws.String("shop")
		_, err := l.DeleteDBCluster(t.Context(), &in)
		return err
	}
	skip := rds.DeleteDBClusterInput{SkipFinalSnapshot: aws.Bool(true)}
	l.refused(remove(skip), "InvalidDBClusterStateFault")
	_, err := l.DeleteDBSubnetGroup(t.Context(), &rds.DeleteDBSubnetGroupInput{DBSubnetGroupName: aws.String("data")})
	l.refused(err, "InvalidDBSubnetGroupStateFault")
	for _, id := range []string{"a", "b"} {
		out, err := l.DeleteDBInstance(t.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id})
		l.must(err)
		if *out.DBInstance.DBInstanceStatus != "deleting" {
			t.Errorf("got status %s", *out.DBInstance.DBInstanceStatus)
		}
		_, err = l.DeleteDBInstance(t.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id})
		l.refused(err, "InvalidDBInstanceState")
	}
	l.settle()
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), DeletionProtection: aws.Bool(true)})
	l.must(err)
	l.refused(remove(skip), "InvalidParameterCombination")
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), DeletionProtection: aws.Bool(false)})
	l.must(err)
	l.refused(remove(rds.DeleteDBClusterInput{}), "InvalidParameterCombination")
	l.refused(remove(rds.DeleteDBClusterInput{SkipFinalSnapshot: aws.Bool(true), FinalDBSnapshotIdentifier: aws.String("x")}), "InvalidParameterCombination")
	l.must(remove(rds.DeleteDBClusterInput{FinalDBSnapshotIdentifier: aws.String("last")}))
	l.settle()
	_, err = l.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("shop")})
	l.refused(err, "DBClusterNotFoundFault")
	snap, err := l.DescribeDBClusterSnapshots(t.Context(), &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: aws.String("last")})
	l.must(err)
	if *snap.DBClusterSnapshots[0].Status != "available" || *snap.DBClusterSnapshots[0].DBClusterIdentifier != "shop" {
		t.Errorf("the final snapshot is %+v", snap.DBClusterSnapshots[0])
	}
	_, err = l.DeleteDBClusterSnapshot(t.Context(), &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: aws.String("last")})
	l.must(err)
	_, err = l.DeleteDBSubnetGroup(t.Context(), &rds.DeleteDBSubnetGroupInput{DBSubnetGroupName: aws.String("data")})
	l.must(err)
	l.settle()
	if out, err := l.ec2.DescribeNetworkInterfaces(t.Context(), &sdkec2.DescribeNetworkInterfacesInput{}); err != nil || len(out.NetworkInterfaces) > 0 {
		t.Errorf("network interfaces left: %+v, %v", out.NetworkInterfaces, err)
	}
	if out, err := l.secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}); err != nil || len(out.SecretList) > 0 {
		t.Errorf("secrets left: %+v, %v", out.SecretList, err)
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	l := newCluster(t, "a")
	_, err := l.CreateDBClusterSnapshot(t.Context(), &rds.CreateDBClusterSnapshotInput{DBClusterIdentifier: aws.String("shop"), DBClusterSnapshotIdentifier: aws.String("monday")})
	l.must(err)
	restore := &rds.RestoreDBClusterFromSnapshotInput{DBClusterIdentifier: aws.String("copy"), SnapshotIdentifier: aws.String("monday"), Engine: aws.String("aurora-postgresql"), DBSubnetGroupName: aws.String("data")}
	_, err = l.RestoreDBClusterFromSnapshot(t.Context(), restore)
	l.refused(err, "InvalidDBClusterSnapshotStateFault")
	l.settle()
	_, err = l.CreateDBClusterSnapshot(t.Context(), &rds.CreateDBClusterSnapshotInput{DBClusterIdentifier: aws.String("shop"), DBClusterSnapshotIdentifier: aws.String("monday")})
	l.refused(err, "DBClusterSnapshotAlreadyExistsFault")
	out, err := l.RestoreDBClusterFromSnapshot(t.Context(), restore)
	l.must(err)
	if c := out.DBCluster; *c.MasterUsername != "shopkeeper" || *c.DatabaseName != "shop" || *c.EngineVersion != "15.10" || !*c.StorageEncrypted || c.MasterUserSecret != nil {
		t.Errorf("got %+v", c)
	}
	var wanted labrds.Cluster
	l.must(l.store.View(func(tx *state.Tx) error {
		list, err := l.service.Clusters(tx)
		wanted = list[0]
		return err
	}))
	if wanted.ID != "copy" || !strings.HasPrefix(wanted.Restore, "snapshot-") {
		t.Errorf("the data plane sees %+v", wanted)
	}
	_, err = l.DescribeDBClusterSnapshots(t.Context(), &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: aws.String("none")})
	l.refused(err, "DBClusterSnapshotNotFoundFault")
}
