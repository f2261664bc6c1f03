package backup

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

const (
	nameLimit        = 50 // of AWS Backup
	startWindow      = 60 // minutes
	completionWindow = 240
	lockableDays     = 3 // the least in which a vault lock can be taken back
)

func (b *Backup) makeVault(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	a := &b.args
	v, err := backup.NewVault(ctx, naming.Logical(nameLimit, b.name), &backup.VaultArgs{
		KmsKeyArn: a.KeyARN.ToStringOutput().ToStringPtrOutput(), ForceDestroy: pulumi.Bool(a.ForceDestroy), Tags: tags.Named(b.name),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the vault: %w", err)
	}
	guard, err := backup.NewVaultPolicy(ctx, b.name, &backup.VaultPolicyArgs{
		BackupVaultName: v.Name, Policy: policy.Output(b.vaultPolicy, v.Arn, a.AccountID),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the policy of the vault: %w", err)
	}
	if a.VaultLock {
		_, err := backup.NewVaultLockConfiguration(ctx, b.name, &backup.VaultLockConfigurationArgs{
			BackupVaultName: v.Name, MinRetentionDays: pulumi.Int(a.VaultDays), ChangeableForDays: pulumi.Int(lockableDays),
		}, child, pulumi.DependsOn([]pulumi.Resource{guard}))
		if err != nil {
			return fmt.Errorf("locking the vault: %w", err)
		}
	}
	role, may, err := b.makeRole(ctx, child)
	if err != nil {
		return err
	}
	plan, err := backup.NewPlan(ctx, naming.Logical(nameLimit, b.name), &backup.PlanArgs{
		Rules: backup.PlanRuleArray{&backup.PlanRuleArgs{
			RuleName: pulumi.String("scheduled"), TargetVaultName: v.Name, Schedule: pulumi.String(a.Schedule),
			StartWindow: pulumi.Int(startWindow), CompletionWindow: pulumi.Int(completionWindow),
			Lifecycle: &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(a.VaultDays)}, // Aurora has no cold storage
		}},
		Tags: tags.Named(b.name),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the plan: %w", err)
	}
	_, err = backup.NewSelection(ctx, naming.Logical(nameLimit, b.name), &backup.SelectionArgs{
		PlanId: plan.ID(), IamRoleArn: role.Arn, Resources: pulumi.StringArray{a.ClusterARN},
	}, child, pulumi.DependsOn([]pulumi.Resource{may}))
	if err != nil {
		return fmt.Errorf("choosing what is backed up: %w", err)
	}
	b.Vault, b.PlanID, b.RoleARN = v.Name, plan.ID(), role.Arn
	return nil
}

// vaultPolicy keeps other accounts out, and unless a destroy may delete snapshots, everybody from doing so.
func (b *Backup) vaultPolicy(v []string) policy.Document {
	everyone := &policy.Principal{Everyone: true}
	d := policy.Document{{
		Sid: "OwnAccountOnly", Effect: policy.Deny, Principal: everyone, Action: policy.Strings{"backup:*"}, Resource: policy.Strings{"*"},
		Condition: policy.Conditions{"StringNotEquals": {"aws:PrincipalAccount": {v[1]}}},
	}}
	if !b.args.ForceDestroy {
		d = append(d, policy.Statement{
			Sid: "KeepSnapshots", Effect: policy.Deny, Principal: everyone,
			Action: policy.Strings{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"}, Resource: policy.Strings{"*"},
		})
	}
	return d
}

// makeRole makes the role of AWS Backup, which may take snapshots of the cluster and delete its own.
func (b *Backup) makeRole(ctx *pulumi.Context, child pulumi.ResourceOption) (*iam.Role, *iam.RolePolicy, error) {
	a := &b.args
	arn := func(service, account, resource string) string {
		return "arn:" + policy.Partition(a.Region) + ":" + service + ":" + a.Region + ":" + account + ":" + resource
	}
	role, err := iam.NewRole(ctx, naming.Logical(naming.RoleLimit, b.name, "snapshots"), &iam.RoleArgs{
		Description: pulumi.String("Snapshots by AWS Backup for " + b.name),
		AssumeRolePolicy: policy.Output(func(v []string) policy.Document {
			return policy.Trust("backup.amazonaws.com", policy.OnBehalfOf(v[0], arn("backup", v[0], "*")))
		}, a.AccountID),
	}, child)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the role of snapshots: %w", err)
	}
	may, err := iam.NewRolePolicy(ctx, b.name+"-snapshots", &iam.RolePolicyArgs{
		Role: role.ID(),
		Policy: policy.Output(func(v []string) policy.Document {
			cluster, key, snapshots := v[0], v[1], arn("rds", v[2], "cluster-snapshot:awsbackup:*")
			return policy.Document{
				{Action: policy.Strings{"rds:CreateDBClusterSnapshot", "rds:DescribeDBClusters", "rds:ListTagsForResource"}, Resource: policy.Strings{cluster}},
				{
					Action: policy.Strings{
						"rds:AddTagsToResource", "rds:CreateDBClusterSnapshot", "rds:DeleteDBClusterSnapshot", "rds:DescribeDBClusterSnapshots", "rds:ListTagsForResource",
					},
					Resource: policy.Strings{snapshots},
				},
				{
					Action: policy.Strings{"kms:CreateGrant", "kms:DescribeKey"}, Resource: policy.Strings{key},
					Condition: policy.Conditions{"StringEquals": {"kms:ViaService": {"rds." + a.Region + ".amazonaws.com"}}},
				},
			}
		}, a.ClusterARN, a.ClusterKeyARN, a.AccountID),
	}, child)
	if err != nil {
		return nil, nil, fmt.Errorf("letting the role take snapshots: %w", err)
	}
	return role, may, nil
}
