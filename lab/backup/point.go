package backup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/backup"
	rds "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// point is a recovery point: a cluster snapshot.
type point struct {
	ARN, Vault string // ARN is the snapshot's
	Resource   string // ARN of the cluster
	Role       string
	Key        string // ARN of the cluster's; "" for none
	Status     string
	Created    time.Time
	Completed  *time.Time
	Restored   *time.Time
	Lifecycle  *api.Lifecycle
	By         *api.RecoveryPointCreator
	Metadata   map[string]string // that a restore needs
}

var points = state.NewTable[point]("backup.point") // by ARN

func (p point) deleteAt() *time.Time {
	if p.Lifecycle == nil || p.Lifecycle.DeleteAfterDays == nil {
		return nil
	}
	return new(p.Created.AddDate(0, 0, int(*p.Lifecycle.DeleteAfterDays)))
}

func (p point) snapshot() string { return p.ARN[strings.LastIndex(p.ARN, ":")+1:] }

func pointsOf(tx *state.Tx, vaultName string) (list []point) {
	for _, p := range points.All(tx) {
		if p.Vault == vaultName {
			list = append(list, p)
		}
	}
	return list
}

func findPoint(tx *state.Tx, vaultName, arn *string) (point, error) {
	if _, err := findVault(tx, vaultName); err != nil {
		return point{}, err
	}
	p, ok, err := points.Get(tx, wire.Value(arn))
	if err == nil && (!ok || p.Vault != *vaultName) {
		err = notFound("Cannot find recovery point %s", wire.Value(arn))
	}
	return p, err
}

// DescribeRecoveryPoint implements the operation of that name.
func (s *Service) DescribeRecoveryPoint(_ context.Context, in *api.DescribeRecoveryPointInput) (*api.DescribeRecoveryPointOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeRecoveryPointOutput) error {
		p, err := findPoint(tx, in.BackupVaultName, in.RecoveryPointArn)
		*out = api.DescribeRecoveryPointOutput{
			BackupVaultArn: new(s.vaultARN(p.Vault)), BackupVaultName: &p.Vault, CalculatedLifecycle: &api.CalculatedLifecycle{DeleteAt: p.deleteAt()}, CompletionDate: p.Completed,
			CreatedBy: p.By, CreationDate: &p.Created, EncryptionKeyArn: wire.Optional(p.Key), IamRoleArn: &p.Role, IsEncrypted: new(p.Key != ""), IsParent: new(false),
			LastRestoreTime: p.Restored, Lifecycle: p.Lifecycle, RecoveryPointArn: &p.ARN, ResourceArn: &p.Resource, ResourceType: new(resourceType), Status: &p.Status,
			StorageClass: new(api.StorageClassWarm), VaultType: new(api.VaultTypeBackupVault),
		}
		return err
	})
}

// GetRecoveryPointRestoreMetadata implements the operation of that name.
func (s *Service) GetRecoveryPointRestoreMetadata(_ context.Context, in *api.GetRecoveryPointRestoreMetadataInput) (*api.GetRecoveryPointRestoreMetadataOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetRecoveryPointRestoreMetadataOutput) error {
		p, err := findPoint(tx, in.BackupVaultName, in.RecoveryPointArn)
		out.BackupVaultArn, out.RecoveryPointArn, out.ResourceType, out.RestoreMetadata = new(s.vaultARN(p.Vault)), &p.ARN, new(resourceType), p.Metadata
		return err
	})
}

// ListRecoveryPointsByBackupVault implements the operation of that name.
func (s *Service) ListRecoveryPointsByBackupVault(_ context.Context, in *api.ListRecoveryPointsByBackupVaultInput) (*api.ListRecoveryPointsByBackupVaultOutput, error) {
	wanted := func(p point) bool {
		plan := ""
		if p.By != nil {
			plan = wire.Value(p.By.BackupPlanId)
		}
		return p.Vault == *in.BackupVaultName && wire.Or(in.ByResourceArn, p.Resource) == p.Resource && wire.Or(in.ByResourceType, resourceType) == resourceType &&
			wire.Or(in.ByBackupPlanId, plan) == plan && within(p.Created, in.ByCreatedAfter, in.ByCreatedBefore)
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListRecoveryPointsByBackupVaultOutput) error {
		if _, err := findVault(tx, in.BackupVaultName); err != nil {
			return err
		}
		list, next := state.Page(state.Where(points.All(tx), wanted), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.RecoveryPoints = next, []api.RecoveryPointByBackupVault{}
		for _, p := range list {
			out.RecoveryPoints = append(out.RecoveryPoints, api.RecoveryPointByBackupVault{
				BackupVaultArn: new(s.vaultARN(p.Vault)), BackupVaultName: &p.Vault, CalculatedLifecycle: &api.CalculatedLifecycle{DeleteAt: p.deleteAt()}, CompletionDate: p.Completed,
				CreatedBy: p.By, CreationDate: &p.Created, EncryptionKeyArn: wire.Optional(p.Key), IamRoleArn: &p.Role, IsEncrypted: new(p.Key != ""), IsParent: new(false),
				LastRestoreTime: p.Restored, Lifecycle: p.Lifecycle, RecoveryPointArn: &p.ARN, ResourceArn: &p.Resource, ResourceType: new(resourceType), Status: &p.Status,
				VaultType: new(api.VaultTypeBackupVault),
			})
		}
		return nil
	})
}

func within(t time.Time, after, before *time.Time) bool {
	return (after == nil || t.After(*after)) && (before == nil || t.Before(*before))
}

// DeleteRecoveryPoint implements the operation of that name: the point is gone when its snapshot is. A locked vault lets go of nothing before its time.
func (s *Service) DeleteRecoveryPoint(_ context.Context, in *api.DeleteRecoveryPointInput) (*api.DeleteRecoveryPointOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteRecoveryPointOutput) error {
		p, err := findPoint(tx, in.BackupVaultName, in.RecoveryPointArn)
		if err != nil {
			return err
		}
		v, err := findVault(tx, in.BackupVaultName)
		if err != nil {
			return err
		}
		if v.Lock != nil {
			return invalidRequest("Recovery point %s cannot be deleted: vault %s is locked.", p.ARN, v.Name)
		}
		p.Status = api.RecoveryPointStatusDeleting
		return points.Put(tx, p.ARN, p)
	})
}

// expire lets go of points whose retention has ended, and removes those whose snapshots are gone.
func (s *Service) expire(ctx context.Context) error {
	var leaving, ended []point
	err := s.Store.View(func(tx *state.Tx) error {
		for _, p := range points.All(tx) {
			if at := p.deleteAt(); at != nil && !s.Now().Before(*at) && p.Status == api.RecoveryPointStatusCompleted {
				p.Status = api.RecoveryPointStatusDeleting
				ended = append(ended, p)
			}
			if p.Status == api.RecoveryPointStatusDeleting {
				leaving = append(leaving, p)
			}
		}
		return nil
	})
	if err == nil && len(ended) > 0 {
		err = s.Store.Update(func(tx *state.Tx) (err error) {
			for _, p := range ended {
				err = errors.Join(err, points.Put(tx, p.ARN, p))
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	for _, p := range leaving {
		snapshot, err := s.snapshotOf(ctx, p.snapshot())
		if err != nil {
			return err
		}
		switch {
		case snapshot == nil:
			err = s.Store.Update(func(tx *state.Tx) error {
				if err := tags.Delete(tx, p.ARN); err != nil {
					return err
				}
				return points.Delete(tx, p.ARN)
			})
		case slices.Contains([]string{"available", "failed"}, wire.Value(snapshot.Status)):
			_, err = s.Databases.DeleteDBClusterSnapshot(ctx, &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: new(p.snapshot())})
			if refusal(err) != "" { // a restore from it goes on: later
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
