// Package backup keeps copies of the stores out of their reach: a bucket for dumps, which nobody deletes before their time, with a second bucket that gets every version;
// and a vault of AWS Backup with a plan that takes snapshots of database clusters.
//
// Both buckets have versions and Object Lock, are encrypted with the caller's key only, and are reached over TLS only. An inventory of the first is delivered to a third
// bucket every week. Left out: a second bucket in another region or account, which takes a second provider; restores by AWS Backup, whose role would be another one.
package backup

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Type is the component's type token.
const Type = "storefront:backup:Backup"

// ErrArgs says that the arguments cannot make a backup; the text tells which and why.
var ErrArgs = errors.New("backup arguments")

// Modes of Object Lock.
const (
	Governance = "GOVERNANCE" // who has the permission s3:BypassGovernanceRetention can delete
	Compliance = "COMPLIANCE" // nobody can, the account's root neither
)

// Args describe a backup.
type Args struct {
	Region    string
	AccountID pulumi.StringInput
	KeyARN    pulumi.StringInput // KMS key of buckets and vault

	Mode       string // of Object Lock; "" means Governance
	LockDays   int    // no version can be deleted for so long, 1 to 36500; 0 means 14
	KeepDays   int    // dumps are deleted after so many days, at least LockDays; 0 means 365
	OldDays    int    // versions that were replaced are deleted after so many days; 0 means 30
	ColdDays   int    // dumps move to Glacier Instant Retrieval after so many days, 30 or more; 0 means 30
	VaultDays  int    // snapshots are deleted after so many days, 1 to 35; 0 means 35
	VaultLock  bool   // refuse to delete snapshots earlier, to everybody, from three days on
	Schedule   string // of snapshots, a cron expression of AWS in UTC; "" means five o'clock every night
	ClusterARN pulumi.StringInput
	// ClusterKeyARN is the KMS key of the cluster, which its snapshots keep. Nil means KeyARN.
	ClusterKeyARN pulumi.StringInput

	ForceDestroy bool // let a destroy delete dumps and snapshots; what Compliance or VaultLock keeps stays nevertheless
}

// Backup is where copies are.
type Backup struct {
	pulumi.ResourceState

	Bucket  pulumi.StringOutput `pulumi:"bucket"` // known once what is written to it is locked, encrypted and copied
	ARNs    pulumi.StringArray  // of both buckets of dumps
	Replica pulumi.StringOutput `pulumi:"replica"` // the second bucket
	Reports pulumi.StringOutput `pulumi:"reports"` // the bucket of inventories
	Vault   pulumi.StringOutput `pulumi:"vault"`   // name
	PlanID  pulumi.IDOutput     `pulumi:"planId"`
	RoleARN pulumi.StringOutput `pulumi:"roleArn"` // that AWS Backup takes snapshots with

	name string
	args Args
}

// New makes a backup. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Backup, error) {
	a := *args
	if a.Mode == "" {
		a.Mode = Governance
	}
	if a.Schedule == "" {
		a.Schedule = "cron(0 5 ? * * *)"
	}
	a.ClusterKeyARN = cmp.Or(a.ClusterKeyARN, a.KeyARN)
	a.LockDays, a.KeepDays, a.OldDays, a.ColdDays, a.VaultDays = or(a.LockDays, 14), or(a.KeepDays, 365), or(a.OldDays, 30), or(a.ColdDays, 30), or(a.VaultDays, 35)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("backup %s: %w", name, err)
	}
	b := &Backup{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, b, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(b)
	if err := b.makeBuckets(ctx, child); err != nil {
		return nil, err
	}
	if err := b.makeVault(ctx, child); err != nil {
		return nil, err
	}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{
		"bucket": b.Bucket, "replica": b.Replica, "reports": b.Reports, "vault": b.Vault, "planId": b.PlanID, "roleArn": b.RoleARN,
	})
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

var cronForm = regexp.MustCompile(`^cron\(\S+( \S+){5}\)$`)

func check(a *Args) error {
	for _, n := range []struct {
		what               string
		value, least, most int
	}{
		{"lock", a.LockDays, 1, 36500},
		{"retention", a.KeepDays, a.LockDays, 36500},
		{"retention of old versions", a.OldDays, 1, 36500},
		{"days until cold storage", a.ColdDays, 30, 36500},
		{"retention of snapshots", a.VaultDays, 1, 35},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("%w: %s, in days: %d: %d to %d are allowed", ErrArgs, n.what, n.value, n.least, n.most)
		}
	}
	switch {
	case a.Mode != Governance && a.Mode != Compliance:
		return fmt.Errorf("%w: mode %q: %s and %s are allowed", ErrArgs, a.Mode, Governance, Compliance)
	case !cronForm.MatchString(a.Schedule):
		return fmt.Errorf("%w: schedule %q: want cron(...) with six fields", ErrArgs, a.Schedule)
	}
	return nil
}
