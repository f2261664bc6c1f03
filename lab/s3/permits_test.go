package s3_test

import (
	"strings"
	"testing"
	"time"

	"storefront/lab/access"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/authorization/authtest"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/s3"
	"storefront/lab/state"
)

// judged are the policies by which what S3 does on its own is decided.
type judged struct {
	iam  *iam.Service
	keys *kms.Service
}

// serveJudged serves with KMS, IAM and permissions that are really decided.
func serveJudged(t *testing.T, dir string) (f *fixture, j *judged) {
	t.Helper()
	f = serveIn(t, dir, func(o *lab.Options) {
		j = &judged{iam.New(o.Store, region.Default(), time.Now), kms.New(o.Store, region.Default(), time.Now)}
		o.Keys = lab.KMS(j.keys)
		o.Permits = authtest.New(o.Store, j.iam, j.keys, func(tx *state.Tx, r *access.Request) (string, error) {
			bucket, _, _ := strings.Cut(strings.TrimPrefix(r.Resource, "arn:aws:s3:::"), "/")
			return f.service.Policy(tx, bucket, false)
		}).Permits
	})
	return f, j
}

// role makes a role that a service may assume, with one policy. Its statements are JSON.
func (j *judged) role(t *testing.T, name, service, statements string) {
	t.Helper()
	must(j.iam.CreateRole(ctx, &iamapi.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}}`)}))(t)
	j.allow(t, name, statements)
}

func (j *judged) allow(t *testing.T, role, statements string) {
	t.Helper()
	must(j.iam.PutRolePolicy(ctx, &iamapi.PutRolePolicyInput{RoleName: &role, PolicyName: new("may"), PolicyDocument: new(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)}))(t)
}
