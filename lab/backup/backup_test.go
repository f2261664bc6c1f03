package backup_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	sdkrds "github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"

	api "storefront/lab/api/backup"
	apiec2 "storefront/lab/api/ec2"
	apirds "storefront/lab/api/rds"
	"storefront/lab/authorization/authtest"
	"storefront/lab/backup"
	"storefront/lab/ec2"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/region"
	"storefront/lab/secretsmanager"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

const (
	role    = "arn:aws:iam::000000000000:role/backup"
	cluster = "arn:aws:rds:us-east-1:000000000000:cluster:shop"
)

var str = aws.String

// engine stands for a PostgreSQL 15 on the machine.
type engine struct{}

func (engine) Version() postgres.Version           { return postgres.Version{Major: 15, Minor: 18} }
func (engine) Parameters() []postgres.Parameter    { return nil }
func (engine) CheckParameter(string, string) error { return nil }

// lab is AWS Backup over RDS, with a cluster "shop".
type lab struct {
	*testing.T
	*sdk.Client
	rds       *sdkrds.Client
	service   *backup.Service
	iam       *iam.Service
	keys      *kms.Service
	databases *rds.Service
	store     *state.Store
	now       time.Time
}

func newLab(t *testing.T) *lab {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l := &lab{T: t, store: store, now: time.Date(2026, 11, 18, 4, 0, 0, 0, time.UTC)} // a Wednesday
	now, r := func() time.Time { return l.now }, region.Default()
	keys := kms.New(store, r, now)
	network := ec2.New(ec2.Config{Store: store, Region: r, Now: now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	l.databases = rds.New(rds.Config{Store: store, Region: r, Now: now, Engine: engine{}, Network: network, Secrets: secretsmanager.New(store, r, keys, now), Keys: keys})
	l.iam, l.keys = iam.New(store, r, now), keys
	l.service = backup.New(backup.Config{Store: store, Region: r, Now: now, Databases: l.databases, Permits: authtest.New(store, l.iam, keys, nil).Permits, Log: slog.New(slog.DiscardHandler)})
	l.role(mayBackUp...)
	config := wiretest.New(t, api.New(l.service), apirds.New(l.databases), apiec2.New(network)).Config()
	l.Client, l.rds = sdk.NewFromConfig(config), sdkrds.NewFromConfig(config)
	l.makeCluster(sdkec2.NewFromConfig(config))
	return l
}

func (l *lab) makeCluster(network *sdkec2.Client) {
	l.Helper()
	vpc := must(network.CreateVpc(l.Context(), &sdkec2.CreateVpcInput{CidrBlock: str("10.0.0.0/16")}))(l)
	var subnets []string
	for cidr, zone := range map[string]string{"10.0.1.0/24": "us-east-1a", "10.0.2.0/24": "us-east-1b"} {
		out := must(network.CreateSubnet(l.Context(), &sdkec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: &cidr, AvailabilityZone: &zone}))(l)
		subnets = append(subnets, *out.Subnet.SubnetId)
	}
	must(l.rds.CreateDBSubnetGroup(l.Context(), &sdkrds.CreateDBSubnetGroupInput{DBSubnetGroupName: str("data"), DBSubnetGroupDescription: str("data"), SubnetIds: subnets}))(l)
	must(l.rds.CreateDBCluster(l.Context(), &sdkrds.CreateDBClusterInput{
		DBClusterIdentifier: str("shop"), Engine: str("aurora-postgresql"), EngineVersion: str("15.10"), MasterUsername: str("shopkeeper"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: str("data"), StorageEncrypted: aws.Bool(true), Tags: []rdstypes.Tag{{Key: str("class"), Value: str("orders")}},
	}))(l)
	l.settle()
}

// settle does what the data plane does: everything that is declared becomes true at once.
func (l *lab) settle() {
	l.Helper()
	err := l.store.Update(func(tx *state.Tx) error {
		list, err := l.databases.Clusters(tx)
		for _, c := range list {
			err = errors.Join(err, l.databases.ClusterSettled(tx, c.ID, c.Status), l.databases.Made(tx, c.ID, c.Master.Verifier))
		}
		take, drop := l.databases.Snapshots(tx)
		for id := range take {
			err = errors.Join(err, l.databases.SnapshotTaken(tx, id))
		}
		for _, id := range drop {
			err = errors.Join(err, l.databases.SnapshotGone(tx, id))
		}
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
}

// advance lets the service and the data plane do all that they have to.
func (l *lab) advance() {
	l.Helper()
	for range 3 {
		if err := l.service.Advance(l.Context()); err != nil {
			l.Fatal(err)
		}
		l.settle()
	}
}

func (l *lab) vault(name string) {
	l.Helper()
	must(l.CreateBackupVault(l.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: &name, EncryptionKeyArn: str("arn:aws:kms:us-east-1:000000000000:key/k")}))(l)
}

func (l *lab) points(vault string) []types.RecoveryPointByBackupVault {
	l.Helper()
	return must(l.ListRecoveryPointsByBackupVault(l.Context(), &sdk.ListRecoveryPointsByBackupVaultInput{BackupVaultName: &vault}))(l).RecoveryPoints
}

func (l *lab) backUp(vault string, days int64) *types.RecoveryPointByBackupVault {
	l.Helper()
	in := &sdk.StartBackupJobInput{BackupVaultName: &vault, ResourceArn: str(cluster), IamRoleArn: str(role), RecoveryPointTags: map[string]string{"by": "hand"}}
	if days > 0 {
		in.Lifecycle = &types.Lifecycle{DeleteAfterDays: &days}
	}
	must(l.StartBackupJob(l.Context(), in))(l)
	l.advance()
	return &l.points(vault)[0]
}

// must returns the value of a call that the test needs to succeed.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (l *lab) refused(err error, code string) {
	l.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		l.Errorf("got %v, want %s", err, code)
	}
}

func TestVault(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	_, err := l.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: str("orders")})
	l.refused(err, "AlreadyExistsException")
	got := must(l.DescribeBackupVault(t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: str("orders")}))(t)
	if *got.BackupVaultArn != "arn:aws:backup:us-east-1:000000000000:backup-vault:orders" || *got.EncryptionKeyArn != "arn:aws:kms:us-east-1:000000000000:key/k" ||
		got.VaultType != types.VaultTypeBackupVault || got.NumberOfRecoveryPoints != 0 || *got.Locked || !got.CreationDate.Equal(l.now) {
		t.Errorf("got %+v", got)
	}
	_, err = l.GetBackupVaultAccessPolicy(t.Context(), &sdk.GetBackupVaultAccessPolicyInput{BackupVaultName: str("orders")})
	l.refused(err, "ResourceNotFoundException")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}]}`
	must(l.PutBackupVaultAccessPolicy(t.Context(), &sdk.PutBackupVaultAccessPolicyInput{BackupVaultName: str("orders"), Policy: str(policy)}))(t)
	if p := must(l.GetBackupVaultAccessPolicy(t.Context(), &sdk.GetBackupVaultAccessPolicyInput{BackupVaultName: str("orders")}))(t); *p.Policy != policy {
		t.Errorf("got %s", *p.Policy)
	}
	must(l.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: got.BackupVaultArn, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	must(l.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: got.BackupVaultArn, TagKeyList: []string{"a"}}))(t)
	if tags := must(l.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: got.BackupVaultArn}))(t).Tags; len(tags) != 1 || tags["b"] != "2" {
		t.Errorf("tags %v", tags)
	}
	l.backUp("orders", 0)
	_, err = l.DeleteBackupVault(t.Context(), &sdk.DeleteBackupVaultInput{BackupVaultName: str("orders")})
	l.refused(err, "InvalidRequestException")
	must(l.DeleteRecoveryPoint(t.Context(), &sdk.DeleteRecoveryPointInput{BackupVaultName: str("orders"), RecoveryPointArn: l.points("orders")[0].RecoveryPointArn}))(t)
	l.advance()
	must(l.DeleteBackupVault(t.Context(), &sdk.DeleteBackupVaultInput{BackupVaultName: str("orders")}))(t)
	_, err = l.DescribeBackupVault(t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: str("orders")})
	l.refused(err, "ResourceNotFoundException")
}

func TestVaultLock(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	point := l.backUp("orders", 30)
	lock := func(days *int64) error {
		_, err := l.PutBackupVaultLockConfiguration(t.Context(), &sdk.PutBackupVaultLockConfigurationInput{BackupVaultName: str("orders"), MinRetentionDays: aws.Int64(7), MaxRetentionDays: aws.Int64(90), ChangeableForDays: days})
		return err
	}
	if err := lock(nil); err != nil {
		t.Fatal(err)
	}
	remove := func() error {
		_, err := l.DeleteRecoveryPoint(t.Context(), &sdk.DeleteRecoveryPointInput{BackupVaultName: str("orders"), RecoveryPointArn: point.RecoveryPointArn})
		return err
	}
	l.refused(remove(), "InvalidRequestException")
	for _, days := range []int64{6, 91} {
		_, err := l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str(role), Lifecycle: &types.Lifecycle{DeleteAfterDays: &days}})
		l.refused(err, "InvalidParameterValueException")
	}
	must(l.DeleteBackupVaultLockConfiguration(t.Context(), &sdk.DeleteBackupVaultLockConfigurationInput{BackupVaultName: str("orders")}))(t)
	l.refused(lock(aws.Int64(2)), "InvalidParameterValueException")
	if err := lock(aws.Int64(3)); err != nil {
		t.Fatal(err)
	}
	got := must(l.DescribeBackupVault(t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: str("orders")}))(t)
	if !*got.Locked || !got.LockDate.Equal(l.now.AddDate(0, 0, 3)) || *got.MinRetentionDays != 7 || *got.MaxRetentionDays != 90 {
		t.Errorf("got %+v", got)
	}
	l.now = l.now.AddDate(0, 0, 3)
	l.refused(lock(nil), "InvalidRequestException")
	_, err := l.DeleteBackupVaultLockConfiguration(t.Context(), &sdk.DeleteBackupVaultLockConfigurationInput{BackupVaultName: str("orders")})
	l.refused(err, "InvalidRequestException")
	l.refused(remove(), "InvalidRequestException")
	l.now = l.now.AddDate(0, 0, 27)
	l.advance()
	if left := l.points("orders"); len(left) != 0 {
		t.Errorf("%d points after their retention", len(left))
	}
	if list := must(l.rds.DescribeDBClusterSnapshots(t.Context(), &sdkrds.DescribeDBClusterSnapshotsInput{}))(t); len(list.DBClusterSnapshots) != 0 {
		t.Errorf("%d snapshots are left", len(list.DBClusterSnapshots))
	}
}

func TestBackupAndRestore(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	job := must(l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str(role), IdempotencyToken: str("once"), RecoveryPointTags: map[string]string{"by": "hand"}}))(t)
	again := must(l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str(role), IdempotencyToken: str("once")}))(t)
	if *again.BackupJobId != *job.BackupJobId {
		t.Error("one token made two jobs")
	}
	if got := must(l.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: job.BackupJobId}))(t); got.State != types.BackupJobStateCreated {
		t.Errorf("state %s", got.State)
	}
	l.advance()
	done := must(l.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: job.BackupJobId}))(t)
	if done.State != types.BackupJobStateCompleted || *done.ResourceType != "Aurora" || done.RecoveryPointArn == nil {
		t.Fatalf("got %+v", done)
	}
	point := must(l.DescribeRecoveryPoint(t.Context(), &sdk.DescribeRecoveryPointInput{BackupVaultName: str("orders"), RecoveryPointArn: done.RecoveryPointArn}))(t)
	if point.Status != types.RecoveryPointStatusCompleted || *point.ResourceArn != cluster || !point.IsEncrypted {
		t.Errorf("got %+v", point)
	}
	if tags := must(l.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: done.RecoveryPointArn}))(t).Tags; tags["by"] != "hand" {
		t.Errorf("tags %v", tags)
	}
	metadata := must(l.GetRecoveryPointRestoreMetadata(t.Context(), &sdk.GetRecoveryPointRestoreMetadataInput{BackupVaultName: str("orders"), RecoveryPointArn: done.RecoveryPointArn}))(t).RestoreMetadata
	restore := func() *sdk.DescribeRestoreJobOutput {
		r := must(l.StartRestoreJob(t.Context(), &sdk.StartRestoreJobInput{RecoveryPointArn: done.RecoveryPointArn, IamRoleArn: str(role), Metadata: metadata}))(t)
		l.advance()
		return must(l.DescribeRestoreJob(t.Context(), &sdk.DescribeRestoreJobInput{RestoreJobId: r.RestoreJobId}))(t)
	}
	if r := restore(); r.Status != types.RestoreJobStatusFailed || r.StatusMessage == nil {
		t.Errorf("over the cluster that is there: %+v", r)
	}
	metadata["DBClusterIdentifier"], metadata["DBSubnetGroupName"] = "again", "data"
	if r := restore(); r.Status != types.RestoreJobStatusCompleted || *r.CreatedResourceArn != "arn:aws:rds:us-east-1:000000000000:cluster:again" {
		t.Errorf("got %s: %s", r.Status, aws.ToString(r.StatusMessage))
	}
	metadata["AvailabilityZones"] = "[]"
	_, err := l.StartRestoreJob(t.Context(), &sdk.StartRestoreJobInput{RecoveryPointArn: done.RecoveryPointArn, IamRoleArn: str(role), Metadata: metadata})
	l.refused(err, "InvalidParameterValueException")
}

func TestFailedJob(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	job := must(l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster + "-gone"), IamRoleArn: str(role)}))(t)
	l.advance()
	if got := must(l.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: job.BackupJobId}))(t); got.State != types.BackupJobStateFailed || got.StatusMessage == nil {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []*sdk.StartBackupJobInput{
		{BackupVaultName: str("orders"), ResourceArn: str("arn:aws:s3:::bucket"), IamRoleArn: str(role)},
		{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str("backup")},
	} {
		_, err := l.StartBackupJob(t.Context(), bad)
		l.refused(err, "InvalidParameterValueException")
	}
}

func plan(rule types.BackupRuleInput) *types.BackupPlanInput {
	rule.RuleName, rule.TargetBackupVaultName = str("daily"), str("orders")
	return &types.BackupPlanInput{BackupPlanName: str("orders"), Rules: []types.BackupRuleInput{rule}}
}

func TestPlanRunsOnItsSchedule(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	made := must(l.CreateBackupPlan(t.Context(), &sdk.CreateBackupPlanInput{BackupPlan: plan(types.BackupRuleInput{
		ScheduleExpression: str("cron(30 5 ? * 5-6 *)"), Lifecycle: &types.Lifecycle{DeleteAfterDays: aws.Int64(1)}, RecoveryPointTags: map[string]string{"by": "plan"}})}))(t)
	for name, s := range map[string]types.BackupSelection{
		"arn":      {Resources: []string{cluster}},
		"wildcard": {Resources: []string{"arn:aws:rds:*:*:cluster:*"}, Conditions: &types.Conditions{StringEquals: []types.ConditionParameter{{ConditionKey: str("aws:ResourceTag/class"), ConditionValue: str("orders")}}}},
		"others":   {Resources: []string{"*"}, NotResources: []string{cluster}},
	} {
		s.SelectionName, s.IamRoleArn = &name, str(role)
		must(l.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: made.BackupPlanId, BackupSelection: &s}))(t)
	}
	for at, want := range map[string]int{"2026-11-19T05:29:59Z": 0} {
		l.now = must(time.Parse(time.RFC3339, at))(t)
		if l.advance(); len(l.points("orders")) != want {
			t.Errorf("%d points at %s, want %d", len(l.points("orders")), at, want)
		}
	}
	l.now = time.Date(2026, 11, 19, 5, 30, 0, 0, time.UTC) // a Thursday, AWS's day 5
	l.advance()
	points := l.points("orders")
	if len(points) != 1 || *points[0].CreatedBy.BackupPlanId != *made.BackupPlanId || !points[0].CalculatedLifecycle.DeleteAt.Equal(l.now.AddDate(0, 0, 1)) {
		t.Fatalf("got %+v", points)
	}
	l.now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // after two more schedules that nobody was there for, and the next one's retention
	l.advance()
	if jobs := must(l.ListBackupJobs(t.Context(), &sdk.ListBackupJobsInput{}))(t).BackupJobs; len(jobs) != 2 {
		t.Errorf("%d jobs, want 2", len(jobs))
	}
	if p := must(l.GetBackupPlan(t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: made.BackupPlanId}))(t); p.LastExecutionDate == nil {
		t.Error("the plan does not tell when it ran")
	}
}

func TestPlan(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	made := must(l.CreateBackupPlan(t.Context(), &sdk.CreateBackupPlanInput{BackupPlan: plan(types.BackupRuleInput{}), BackupPlanTags: map[string]string{"a": "1"}}))(t)
	got := must(l.GetBackupPlan(t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: made.BackupPlanId}))(t)
	if r := got.BackupPlan.Rules[0]; *r.ScheduleExpression != "cron(0 5 ? * * *)" || *r.StartWindowMinutes != 480 || *r.CompletionWindowMinutes != 10080 || *got.VersionId != *made.VersionId {
		t.Errorf("got %+v", r)
	}
	updated := must(l.UpdateBackupPlan(t.Context(), &sdk.UpdateBackupPlanInput{BackupPlanId: made.BackupPlanId, BackupPlan: plan(types.BackupRuleInput{ScheduleExpression: str("cron(0 3 1 * ? *)")})}))(t)
	after := must(l.GetBackupPlan(t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: made.BackupPlanId}))(t)
	if *updated.VersionId == *made.VersionId || *after.BackupPlan.Rules[0].RuleId != *got.BackupPlan.Rules[0].RuleId || *after.BackupPlan.Rules[0].ScheduleExpression != "cron(0 3 1 * ? *)" {
		t.Errorf("got %+v", after.BackupPlan)
	}
	s := must(l.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: made.BackupPlanId, BackupSelection: &types.BackupSelection{SelectionName: str("s"), IamRoleArn: str(role), Resources: []string{cluster}}}))(t)
	read := must(l.GetBackupSelection(t.Context(), &sdk.GetBackupSelectionInput{BackupPlanId: made.BackupPlanId, SelectionId: s.SelectionId}))(t).BackupSelection
	if *read.SelectionName != "s" || *read.IamRoleArn != role || read.Resources[0] != cluster {
		t.Errorf("got %+v", read)
	}
	_, err := l.DeleteBackupPlan(t.Context(), &sdk.DeleteBackupPlanInput{BackupPlanId: made.BackupPlanId})
	l.refused(err, "InvalidRequestException")
	must(l.DeleteBackupSelection(t.Context(), &sdk.DeleteBackupSelectionInput{BackupPlanId: made.BackupPlanId, SelectionId: s.SelectionId}))(t)
	must(l.DeleteBackupPlan(t.Context(), &sdk.DeleteBackupPlanInput{BackupPlanId: made.BackupPlanId}))(t)
	_, err = l.GetBackupPlan(t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: made.BackupPlanId})
	l.refused(err, "ResourceNotFoundException")
	for name, rule := range map[string]types.BackupRuleInput{
		"schedule":   {ScheduleExpression: str("rate(1 day)")},
		"both days":  {ScheduleExpression: str("cron(0 5 * * * *)")},
		"minutely":   {ScheduleExpression: str("cron(* 5 ? * * *)")},
		"zone":       {ScheduleExpressionTimezone: str("Mars/Olympus")},
		"lifecycle":  {Lifecycle: &types.Lifecycle{MoveToColdStorageAfterDays: aws.Int64(30), DeleteAfterDays: aws.Int64(100)}},
		"window":     {StartWindowMinutes: aws.Int64(60), CompletionWindowMinutes: aws.Int64(100)},
		"continuous": {EnableContinuousBackup: aws.Bool(true)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.CreateBackupPlan(t.Context(), &sdk.CreateBackupPlanInput{BackupPlan: plan(rule)})
			l.refused(err, "InvalidParameterValueException")
		})
	}
}
