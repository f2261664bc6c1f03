package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// held is how long the lock in compliance mode lasts when nobody prolongs it any more.
const held = 10 * time.Second

// lockedBackupsStay puts dumps into the backup bucket and tries to be rid of them. In the bucket's own mode, governance, that takes a permission and a header; in
// compliance nobody can, and a destroy of the stack ends with a message that says so. The dump under governance is left for the destroy that follows.
func lockedBackupsStay(t *testing.T, d *deployment) {
	buckets := func(c aws.Config) *s3.Client {
		return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	}
	operator := buckets(d.aws)
	writer := buckets(d.person(t, "writer", `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:BypassGovernanceRetention","Resource":"*"}`))
	put := func(key string, until *time.Time) string {
		in := &s3.PutObjectInput{Bucket: &d.out.BackupBucket, Key: &key, Body: strings.NewReader("a dump")}
		if until != nil {
			in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, until
		}
		out, err := operator.PutObject(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return *out.VersionId
	}
	remove := func(who *s3.Client, key, version string, bypass bool) error {
		_, err := who.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &d.out.BackupBucket, Key: &key, VersionId: &version, BypassGovernanceRetention: &bypass})
		return err
	}
	const locked = "object protected by object lock"
	governed := put("drill/governance", nil)
	refusedWith(t, "governance", remove(operator, "drill/governance", governed, false), locked)
	refusedWith(t, "governance, without the permission to bypass it", remove(writer, "drill/governance", governed, true), "s3:BypassGovernanceRetention")
	second := put("drill/governance", nil)
	if err := remove(operator, "drill/governance", second, true); err != nil {
		t.Errorf("governance, bypassed by who may: %v", err)
	}

	complied := put("drill/compliance", new(time.Now().Add(held)))
	refusedWith(t, "compliance", remove(operator, "drill/compliance", complied, false), locked)
	refusedWith(t, "compliance, bypassed", remove(operator, "drill/compliance", complied, true), locked)
	_, err := operator.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{Bucket: &d.out.BackupBucket, Key: aws.String("drill/compliance"), VersionId: &complied, BypassGovernanceRetention: aws.Bool(true),
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: aws.Time(time.Now().Add(time.Second))}})
	refusedWith(t, "compliance, shortened", err, locked)

	release := prolong(t, operator, d.out.BackupBucket, "drill/compliance", complied)
	out, status, err := d.run(t.Context(), "", "stack", "down")
	release()
	if err != nil || status != 1 {
		t.Fatalf("down with a lock in compliance mode: status %d, %v\n%s", status, err, out)
	}
	last := out[strings.LastIndexByte(strings.TrimSpace(out), '\n')+1:]
	for _, part := range []string{"Object Lock", d.out.BackupBucket, "compliance", "make down"} {
		if !strings.Contains(last, part) {
			t.Errorf("the last line does not say %q: %s", part, last)
		}
	}
	if _, err := operator.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &d.out.BackupBucket, Key: aws.String("drill/compliance")}); err != nil {
		t.Errorf("the locked dump after the destroy: %v", err)
	}
	eventually(t, "wait until the lock has ended", 2*held, func() error { return remove(operator, "drill/compliance", complied, false) })
}

// prolong prolongs the lock of a version until it is released, however long that takes: in compliance mode a lock can be made longer, if not shorter.
func prolong(t *testing.T, bucket *s3.Client, name, key, version string) (release func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(held / 10)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				ended <- nil
				return
			}
			if _, err := bucket.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: &name, Key: &key, VersionId: &version,
				Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: aws.Time(time.Now().Add(held))}}); err != nil && ctx.Err() == nil {
				ended <- err
				return
			}
		}
	}()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Fatalf("prolonging the lock: %v", err)
		}
	}
}

// refusedWith wants an AccessDenied whose message has a part.
func refusedWith(t *testing.T, what string, err error, part string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "AccessDenied" || !strings.Contains(e.ErrorMessage(), part) {
		t.Errorf("%s: %v, want AccessDenied with %q", what, fmt.Sprint(err), part)
	}
}
