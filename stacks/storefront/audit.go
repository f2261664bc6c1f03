package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/audit"
)

// noTrail is what the outputs say when the account's trail is somebody else's.
const noTrail = pulumi.String("none")

// makeAudit makes the trail of the account.
func (st *stack) makeAudit(ctx *pulumi.Context) error {
	if !st.settings.Audit {
		st.out.AuditTrailARN, st.out.AuditBucket, st.out.AuditLogGroup = noTrail, noTrail, noTrail
		return nil
	}
	args := &audit.Args{
		Trail:         st.name,
		Region:        st.settings.Region,
		AccountID:     st.account,
		KeyARN:        st.keys.Audit.ARN,
		DataBuckets:   st.backup.ARNs, // who read a dump, and who deleted one
		LogDays:       st.settings.LogDays,
		AccessLogDays: st.settings.LogDays,
		ForceDestroy:  !st.settings.Protect,
		AlarmActions:  st.alarms,
	}
	t, err := audit.New(ctx, st.name+"-audit", args, st.provider)
	if err != nil {
		return err
	}
	st.out.AuditTrailARN, st.out.AuditBucket, st.out.AuditLogGroup = t.ARN, t.Bucket, t.LogGroup
	return nil
}
