package backup

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	api "storefront/lab/api/backup"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// vault is a backup vault.
type vault struct {
	Name    string
	Key     string // ARN of the KMS key
	Created time.Time
	Request *string // of the creator
	Policy  string
	Lock    *lock
}

var (
	vaults    = state.NewTable[vault]("backup.vault") // by name
	vaultName = regexp.MustCompile(`^[a-zA-Z0-9_-]{2,50}$`)
)

func (s *Service) vaultARN(name string) string { return s.Region.ARN("backup", "backup-vault:"+name) }

func findVault(tx *state.Tx, name *string) (vault, error) {
	v, ok, err := vaults.Get(tx, wire.Value(name))
	if err == nil && !ok {
		err = notFound("Backup vault %s does not exist", wire.Value(name))
	}
	return v, err
}

// changeVault stores what edit makes of a vault.
func changeVault(tx *state.Tx, name *string, edit func(*vault) error) error {
	v, err := findVault(tx, name)
	if err != nil {
		return err
	}
	if err := edit(&v); err != nil {
		return err
	}
	return vaults.Put(tx, v.Name, v)
}

// CreateBackupVault implements the operation of that name. Without a key the vault has that of AWS Backup.
func (s *Service) CreateBackupVault(_ context.Context, in *api.CreateBackupVaultInput) (*api.CreateBackupVaultOutput, error) {
	if !vaultName.MatchString(*in.BackupVaultName) {
		return nil, invalidValue("Invalid backup vault name: %s", *in.BackupVaultName)
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateBackupVaultOutput) error {
		if _, taken, err := vaults.Get(tx, *in.BackupVaultName); err != nil {
			return err
		} else if taken {
			return exists("Backup vault with the same name already exists")
		}
		v := vault{Name: *in.BackupVaultName, Key: wire.Or(in.EncryptionKeyArn, s.Region.ARN("kms", "alias/aws/backup")), Created: s.Now().UTC(), Request: in.CreatorRequestId}
		out.BackupVaultArn, out.BackupVaultName, out.CreationDate = new(s.vaultARN(v.Name)), &v.Name, &v.Created
		if err := tag(tx, s.vaultARN(v.Name), in.BackupVaultTags); err != nil {
			return err
		}
		return vaults.Put(tx, v.Name, v)
	})
}

// DescribeBackupVault implements the operation of that name.
func (s *Service) DescribeBackupVault(_ context.Context, in *api.DescribeBackupVaultInput) (*api.DescribeBackupVaultOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeBackupVaultOutput) error {
		v, err := findVault(tx, in.BackupVaultName)
		l := v.Lock.shown()
		*out = api.DescribeBackupVaultOutput{
			BackupVaultArn: new(s.vaultARN(v.Name)), BackupVaultName: &v.Name, CreationDate: &v.Created, CreatorRequestId: v.Request, EncryptionKeyArn: &v.Key,
			NumberOfRecoveryPoints: new(int64(len(pointsOf(tx, v.Name)))), VaultType: new(api.VaultTypeBackupVault),
			Locked: new(v.Lock != nil), LockDate: l.Date, MinRetentionDays: l.MinDays, MaxRetentionDays: l.MaxDays,
		}
		return err
	})
}

// ListBackupVaults implements the operation of that name.
func (s *Service) ListBackupVaults(_ context.Context, in *api.ListBackupVaultsInput) (*api.ListBackupVaultsOutput, error) {
	if in.ByShared != nil || wire.Or(in.ByVaultType, api.VaultTypeBackupVault) != api.VaultTypeBackupVault {
		return nil, invalidValue("only vaults of type BACKUP_VAULT are served")
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListBackupVaultsOutput) error {
		list, next := state.Page(vaults.All(tx), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.BackupVaultList = next, []api.BackupVaultListMember{}
		for _, v := range list {
			l := v.Lock.shown()
			out.BackupVaultList = append(out.BackupVaultList, api.BackupVaultListMember{
				BackupVaultArn: new(s.vaultARN(v.Name)), BackupVaultName: &v.Name, CreationDate: &v.Created, CreatorRequestId: v.Request, EncryptionKeyArn: &v.Key,
				NumberOfRecoveryPoints: new(int64(len(pointsOf(tx, v.Name)))), Locked: new(v.Lock != nil), LockDate: l.Date, MinRetentionDays: l.MinDays, MaxRetentionDays: l.MaxDays,
			})
		}
		return nil
	})
}

// DeleteBackupVault implements the operation of that name: for vaults without recovery points.
func (s *Service) DeleteBackupVault(_ context.Context, in *api.DeleteBackupVaultInput) (*api.DeleteBackupVaultOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteBackupVaultOutput) error {
		v, err := findVault(tx, in.BackupVaultName)
		if err != nil {
			return err
		}
		if len(pointsOf(tx, v.Name)) > 0 {
			return invalidRequest("Backup vault cannot be deleted because it contains recovery points.")
		}
		if v.Lock.final(s.Now()) {
			return invalidRequest("Backup vault %s is locked and cannot be deleted.", v.Name)
		}
		if err := tags.Delete(tx, s.vaultARN(v.Name)); err != nil {
			return err
		}
		return vaults.Delete(tx, v.Name)
	})
}

// PutBackupVaultAccessPolicy implements the operation of that name.
func (s *Service) PutBackupVaultAccessPolicy(_ context.Context, in *api.PutBackupVaultAccessPolicyInput) (*api.PutBackupVaultAccessPolicyOutput, error) {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(wire.Value(in.Policy)), &document) != nil || document.Statement == nil {
		return nil, invalidValue("The specified policy cannot be added to the vault due to: MalformedPolicyDocumentException")
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutBackupVaultAccessPolicyOutput) error {
		return changeVault(tx, in.BackupVaultName, func(v *vault) error {
			v.Policy = *in.Policy
			return nil
		})
	})
}

// GetBackupVaultAccessPolicy implements the operation of that name.
func (s *Service) GetBackupVaultAccessPolicy(_ context.Context, in *api.GetBackupVaultAccessPolicyInput) (*api.GetBackupVaultAccessPolicyOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetBackupVaultAccessPolicyOutput) error {
		v, err := findVault(tx, in.BackupVaultName)
		if err == nil && v.Policy == "" {
			err = notFound("Backup Vault Policy not found")
		}
		out.BackupVaultArn, out.BackupVaultName, out.Policy = new(s.vaultARN(v.Name)), &v.Name, &v.Policy
		return err
	})
}

// DeleteBackupVaultAccessPolicy implements the operation of that name.
func (s *Service) DeleteBackupVaultAccessPolicy(_ context.Context, in *api.DeleteBackupVaultAccessPolicyInput) (*api.DeleteBackupVaultAccessPolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteBackupVaultAccessPolicyOutput) error {
		return changeVault(tx, in.BackupVaultName, func(v *vault) error {
			v.Policy = ""
			return nil
		})
	})
}

// Policy returns the access policy that decides about a vault or about a recovery point in one, by its ARN; "" for none.
func (s *Service) Policy(tx *state.Tx, arn string) (string, error) {
	name, isVault := strings.CutPrefix(arn, s.vaultARN(""))
	if !isVault {
		p, ok, err := points.Get(tx, arn)
		if err != nil || !ok {
			return "", err
		}
		name = p.Vault
	}
	v, _, err := vaults.Get(tx, name)
	return v.Policy, err
}
