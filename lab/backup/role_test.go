package backup_test

import (
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	apiiam "storefront/lab/api/iam"
	apikms "storefront/lab/api/kms"
	"storefront/lab/state"
)

// trust lets AWS Backup assume a role, for its own resources of this account.
const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole",
	"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:backup:us-east-1:000000000000:*"},"StringEquals":{"aws:SourceAccount":"000000000000"}}}]}`

// mayBackUp are the statements of the role "backup", which backs up the cluster "shop" and restores it.
var mayBackUp = []string{
	`{"Effect":"Allow","Action":["rds:DescribeDBClusters","rds:ListTagsForResource"],"Resource":"arn:aws:rds:us-east-1:000000000000:cluster:*"}`,
	`{"Effect":"Allow","Action":"rds:CreateDBClusterSnapshot","Resource":"arn:aws:rds:us-east-1:000000000000:cluster:*"}`,
	`{"Effect":"Allow","Action":"rds:CreateDBClusterSnapshot","Resource":"arn:aws:rds:us-east-1:000000000000:cluster-snapshot:awsbackup:*"}`,
	`{"Effect":"Allow","Action":["rds:AddTagsToResource","rds:DescribeDBClusterSnapshots"],"Resource":"arn:aws:rds:us-east-1:000000000000:cluster-snapshot:awsbackup:*"}`,
	`{"Effect":"Allow","Action":"rds:RestoreDBClusterFromSnapshot","Resource":["arn:aws:rds:us-east-1:000000000000:cluster:*","arn:aws:rds:us-east-1:000000000000:cluster-snapshot:awsbackup:*"]}`,
	`{"Effect":"Allow","Action":"rds:RestoreDBClusterFromSnapshot","Resource":"arn:aws:rds:us-east-1:000000000000:subgrp:data"}`,
	`{"Effect":"Allow","Action":["kms:DescribeKey","kms:CreateGrant"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"rds.us-east-1.amazonaws.com"}}}`,
}

// role makes the role "backup", or gives it other statements.
func (l *lab) role(statements ...string) {
	l.Helper()
	if _, err := l.iam.GetRole(l.Context(), &apiiam.GetRoleInput{RoleName: str("backup")}); err != nil {
		must(l.iam.CreateRole(l.Context(), &apiiam.CreateRoleInput{RoleName: str("backup"), AssumeRolePolicyDocument: str(trust)}))(l)
	}
	must(l.iam.PutRolePolicy(l.Context(), &apiiam.PutRolePolicyInput{RoleName: str("backup"), PolicyName: str("may"), PolicyDocument: str(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)}))(l)
}

func (l *lab) trusts(document string) {
	l.Helper()
	must(l.iam.UpdateAssumeRolePolicy(l.Context(), &apiiam.UpdateAssumeRolePolicyInput{RoleName: str("backup"), PolicyDocument: &document}))(l)
}

// without is the statements but one.
func without(i int) []string { return slices.Delete(slices.Clone(mayBackUp), i, i+1) }

// A job whose role lacks a permission fails, and says which; nothing is left of it.
func TestJobsActInTheirRole(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	start := func() *sdk.DescribeBackupJobOutput {
		t.Helper()
		job := must(l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str(role)}))(t)
		l.advance()
		return must(l.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: job.BackupJobId}))(t)
	}
	const who = "User: arn:aws:sts::000000000000:assumed-role/backup/AWSBackup-backup is not authorized to perform: "
	for i, want := range map[int]string{
		0: "Your backup job failed as AWS Backup does not have permission to describe resource " + cluster,
		1: who + "rds:CreateDBClusterSnapshot on resource: " + cluster + " because no identity-based policy allows",
		2: who + "rds:CreateDBClusterSnapshot on resource: arn:aws:rds:us-east-1:000000000000:cluster-snapshot:awsbackup:job-",
		3: who + "rds:AddTagsToResource on resource: arn:aws:rds:us-east-1:000000000000:cluster-snapshot:awsbackup:job-",
	} {
		l.role(without(i)...)
		if got := start(); got.State != types.BackupJobStateFailed || got.StatusMessage == nil || !strings.HasPrefix(*got.StatusMessage, want) {
			t.Errorf("without %s: %s, %v", mayBackUp[i], got.State, got.StatusMessage)
		}
	}
	if n := len(l.points("orders")); n != 0 {
		t.Errorf("%d recovery points of jobs that failed", n)
	}
	l.role(mayBackUp[:4]...)
	if got := start(); got.State != types.BackupJobStateCompleted {
		t.Fatalf("%s: %v", got.State, got.StatusMessage)
	}
	key := must(l.keys.CreateKey(t.Context(), &apikms.CreateKeyInput{}))(t).KeyMetadata.Arn
	metadata := map[string]string{"DBClusterIdentifier": "again", "Engine": "aurora-postgresql", "DBSubnetGroupName": "data", "KmsKeyId": *key}
	restore := func() *sdk.DescribeRestoreJobOutput {
		t.Helper()
		r := must(l.StartRestoreJob(t.Context(), &sdk.StartRestoreJobInput{RecoveryPointArn: l.points("orders")[0].RecoveryPointArn, IamRoleArn: str(role), Metadata: metadata}))(t)
		l.advance()
		return must(l.DescribeRestoreJob(t.Context(), &sdk.DescribeRestoreJobInput{RestoreJobId: r.RestoreJobId}))(t)
	}
	for i, want := range map[int]string{
		4: who + "rds:RestoreDBClusterFromSnapshot on resource: arn:aws:rds:us-east-1:000000000000:cluster:again",
		5: who + "rds:RestoreDBClusterFromSnapshot on resource: arn:aws:rds:us-east-1:000000000000:subgrp:data",
		6: who + "kms:DescribeKey on resource: " + *key,
	} {
		l.role(without(i)...)
		if got := restore(); got.Status != types.RestoreJobStatusFailed || got.StatusMessage == nil || !strings.HasPrefix(*got.StatusMessage, want) {
			t.Errorf("without %s: %s, %v", mayBackUp[i], got.Status, got.StatusMessage)
		}
	}
	l.role(mayBackUp...)
	if got := restore(); got.Status != types.RestoreJobStatusCompleted {
		t.Errorf("%s: %v", got.Status, got.StatusMessage)
	}
}

// A role that AWS Backup cannot assume is refused at once, and fails the jobs of plans that had it before.
func TestRolesMustTrust(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	job := must(l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: str(role)}))(t)
	l.trusts(strings.Replace(trust, "us-east-1:000000000000:*", "eu-west-1:000000000000:*", 1))
	l.advance()
	got := must(l.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: job.BackupJobId}))(t)
	if got.State != types.BackupJobStateFailed || *got.StatusMessage != "IAM Role "+role+" cannot be assumed by AWS Backup" {
		t.Errorf("%s: %v", got.State, got.StatusMessage)
	}
	made := must(l.CreateBackupPlan(t.Context(), &sdk.CreateBackupPlanInput{BackupPlan: plan(types.BackupRuleInput{})}))(t)
	for _, arn := range []string{role, role + "-that-is-not-there"} {
		_, err := l.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: str("orders"), ResourceArn: str(cluster), IamRoleArn: &arn})
		l.refused(err, "InvalidParameterValueException")
		_, err = l.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: made.BackupPlanId,
			BackupSelection: &types.BackupSelection{SelectionName: str("s"), IamRoleArn: &arn, Resources: []string{cluster}}})
		l.refused(err, "InvalidParameterValueException")
	}
}

// The policy that decides about a recovery point is that of its vault.
func TestPolicyOfVault(t *testing.T) {
	l := newLab(t)
	l.vault("orders")
	l.vault("open")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}]}`
	must(l.PutBackupVaultAccessPolicy(t.Context(), &sdk.PutBackupVaultAccessPolicyInput{BackupVaultName: str("orders"), Policy: str(policy)}))(t)
	for arn, want := range map[string]string{
		"arn:aws:backup:us-east-1:000000000000:backup-vault:orders": policy, "arn:aws:backup:us-east-1:000000000000:backup-vault:open": "",
		*l.backUp("orders", 0).RecoveryPointArn: policy, *l.backUp("open", 0).RecoveryPointArn: "", cluster: "",
	} {
		var got string
		if err := l.store.View(func(tx *state.Tx) (err error) {
			got, err = l.service.Policy(tx, arn)
			return err
		}); err != nil || got != want {
			t.Errorf("%s: %s, %v", arn, got, err)
		}
	}
}
