package backup

import (
	"context"
	"time"

	api "storefront/lab/api/backup"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// lock is a vault lock ("AWS Backup Vault Lock"): in governance mode who may change the vault can lift it, in compliance mode nobody can from Date on.
type lock struct {
	MinDays, MaxDays *int64     // of retention; nil is any
	Date             *time.Time // nil in governance mode
}

// final tells that nobody can lift the lock any more.
func (l *lock) final(now time.Time) bool { return l != nil && l.Date != nil && !now.Before(*l.Date) }

func (l *lock) shown() lock {
	if l == nil {
		return lock{}
	}
	return *l
}

// allows checks the retention of a recovery point; nil days is for ever.
func (l *lock) allows(days *int64) bool {
	if l == nil {
		return true
	}
	return (l.MinDays == nil || days == nil || *days >= *l.MinDays) && (l.MaxDays == nil || days != nil && *days <= *l.MaxDays)
}

// PutBackupVaultLockConfiguration implements the operation of that name.
func (s *Service) PutBackupVaultLockConfiguration(_ context.Context, in *api.PutBackupVaultLockConfigurationInput) (*api.PutBackupVaultLockConfigurationOutput, error) {
	least, most := in.MinRetentionDays, in.MaxRetentionDays
	switch {
	case least != nil && *least < 1, most != nil && (*most < 1 || *most > 36500), least != nil && most != nil && *least > *most:
		return nil, invalidValue("Retention periods of a vault lock are 1 to 36500 days, the minimum not above the maximum")
	case in.ChangeableForDays != nil && (*in.ChangeableForDays < 3 || *in.ChangeableForDays > 36500):
		return nil, invalidValue("ChangeableForDays must be 3 to 36500")
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutBackupVaultLockConfigurationOutput) error {
		return changeVault(tx, in.BackupVaultName, func(v *vault) error {
			if v.Lock.final(s.Now()) {
				return invalidRequest("Vault Lock configuration of %s is immutable since its lock date.", v.Name)
			}
			v.Lock = &lock{MinDays: least, MaxDays: most}
			if in.ChangeableForDays != nil {
				v.Lock.Date = new(s.Now().UTC().AddDate(0, 0, int(*in.ChangeableForDays)))
			}
			return nil
		})
	})
}

// DeleteBackupVaultLockConfiguration implements the operation of that name.
func (s *Service) DeleteBackupVaultLockConfiguration(_ context.Context, in *api.DeleteBackupVaultLockConfigurationInput) (*api.DeleteBackupVaultLockConfigurationOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteBackupVaultLockConfigurationOutput) error {
		return changeVault(tx, in.BackupVaultName, func(v *vault) error {
			if v.Lock.final(s.Now()) {
				return invalidRequest("Vault Lock configuration of %s is immutable since its lock date.", wire.Value(in.BackupVaultName))
			}
			v.Lock = nil
			return nil
		})
	})
}
