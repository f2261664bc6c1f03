package main

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/backup"
)

// makeBackup makes the place of the stores' copies. What the lock keeps stays when the stack goes: with compliance, a destroy ends with S3's refusal, and
// the key, which goes after the buckets, stays with them, or what they keep could not be read.
func (st *stack) makeBackup(ctx *pulumi.Context) error {
	s := st.settings
	b, err := backup.New(ctx, st.name+"-backup", &backup.Args{
		Region:        s.Region,
		AccountID:     st.account,
		KeyARN:        st.keys.Backups.ARN,
		Mode:          strings.ToUpper(s.BackupLock),
		LockDays:      s.BackupLockDays,
		VaultLock:     s.BackupLock == "compliance",
		ClusterARN:    st.db.ClusterARN,
		ClusterKeyARN: st.keys.Database.ARN,
		ForceDestroy:  !s.Protect,
	}, st.provider)
	if err != nil {
		return err
	}
	st.backup = b
	st.out.BackupBucket, st.out.BackupReplicaBucket, st.out.BackupVault = b.Bucket, b.Replica, b.Vault
	return nil
}
