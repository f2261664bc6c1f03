package authorization_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/iam"
	sqsapi "storefront/lab/api/sqs"
	"storefront/lab/authorization"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// none are resources without policies and keys.
type none struct{}

func (none) Resolve(_ *state.Tx, _, arn string) (string, error) { return arn, nil }
func (none) Policy(*state.Tx, *access.Request) (*access.Document, bool, error) {
	return nil, false, nil
}
func (none) Keys(*state.Tx, authorization.Ask, any) ([]authorization.KeyUse, error) { return nil, nil }
func (none) Facts(*state.Tx, string) (access.Session, error)                        { return access.Session{}, nil }
func (none) Tags(*state.Tx, string) (map[string]string, error)                      { return nil, nil }
func (none) EndpointPolicy(*state.Tx, string) (*access.Document, error)             { return nil, nil }

// BenchmarkAuthorize measures one decision about a role with five inline policies, as the stack's fleets have.
func BenchmarkAuthorize(b *testing.B) {
	store, err := state.Open(filepath.Join(b.TempDir(), "state"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	r := region.Default()
	users := iam.New(store, r, time.Now)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if _, err := users.CreateRole(b.Context(), &api.CreateRoleInput{RoleName: new("app"), AssumeRolePolicyDocument: &trust}); err != nil {
		b.Fatal(err)
	}
	for _, service := range []string{"kms", "s3", "secretsmanager", "logs", "sqs"} {
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + service + `:Get*","` + service + `:SendMessage"],"Resource":"arn:aws:` + service + `:us-east-1:000000000000:orders","Condition":{"Bool":{"aws:ViaAWSService":"false"}}}]}`
		if _, err := users.PutRolePolicy(b.Context(), &api.PutRolePolicyInput{RoleName: new("app"), PolicyName: &service, PolicyDocument: &document}); err != nil {
			b.Fatal(err)
		}
	}
	a := authorization.New(authorization.Config{Store: store, Region: r, Identities: users, Sessions: none{}, Resources: none{}, Now: time.Now})
	id := wire.Identity{Account: r.Account, ARN: r.GlobalARN("sts", "assumed-role/app/i-1"), AccessKeyID: "ASIA"}
	in := &sqsapi.SendMessageInput{QueueUrl: new("http://127.0.0.1:4566/000000000000/orders"), MessageBody: new("m")}
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Authorize(context.Background(), id, "sqs", "SendMessage", in); err != nil {
			b.Fatal(err)
		}
	}
}
