package authorization_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"storefront/lab/access"
	api "storefront/lab/api/iam"
	"storefront/lab/authorization"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// behind are resources without policies, behind one VPC endpoint with a policy.
type behind struct {
	none
	policy string
}

func (b *behind) EndpointPolicy(*state.Tx, string) (*access.Document, error) {
	d, err := access.Parse(b.policy)
	return &d, err
}

// What comes through a VPC endpoint needs its policy, and tells conditions of it and of no public address.
func TestThroughVPCEndpoint(t *testing.T) {
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	users := iam.New(store, region.Default(), time.Now)
	wiretest.Must(users.CreateUser(t.Context(), &api.CreateUserInput{UserName: new("test")}))
	endpoint := &behind{}
	a := authorization.New(authorization.Config{Store: store, Region: region.Default(), Identities: users, Sessions: none{}, Resources: endpoint, Now: time.Now})
	server := wire.NewServer(wire.Options{Services: []*wire.Service{api.New(users)}, Authorize: a.Authorize, Logger: slog.New(slog.DiscardHandler),
		Credentials: wiretest.Keys{wiretest.AccessKeyID: {Secret: wiretest.SecretKey, Identity: wiretest.Caller()}}})
	through := wire.Endpoint{ID: "vpce-1", VPC: "vpc-1"}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if through.ID != "" {
			r = r.WithContext(wire.WithEndpoint(r.Context(), through))
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	client := iamsdk.NewFromConfig(wiretest.Config(h.URL, wiretest.AccessKeyID, wiretest.SecretKey, ""))

	const open = `"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"`
	allow := func(condition string) string {
		return `"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{` + condition + `}`
	}
	for _, c := range []struct {
		name, endpoint, identity string
		came                     wire.Endpoint
		want                     string // part of the message of the refusal, "" for none
	}{
		{"the endpoint is named", open, allow(`"StringEquals":{"aws:SourceVpce":"vpce-1","aws:SourceVpc":"vpc-1"}`), through, ""},
		{"another endpoint is named", open, allow(`"StringEquals":{"aws:SourceVpce":"vpce-2"}`), through, "because no identity-based policy allows the iam:ListRoles action"},
		{"an endpoint is named, and none used", open, allow(`"StringEquals":{"aws:SourceVpce":"vpce-1"}`), wire.Endpoint{}, "because no identity-based policy"},
		{"addresses of the VPC", open, allow(`"IpAddress":{"aws:VpcSourceIp":"127.0.0.0/8"}`), through, ""},
		{"public addresses are absent", open, allow(`"Null":{"aws:SourceIp":"true"}`), through, ""},
		{"public addresses", open, allow(`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"},"Null":{"aws:SourceVpc":"true","aws:VpcSourceIp":"true"}`), wire.Endpoint{}, ""},
		{"the endpoint's policy does not allow", `"Effect":"Allow","Principal":"*","Action":"iam:Get*","Resource":"*"`, allow(`"Bool":{"aws:SecureTransport":"true"}`), through, "because no VPC endpoint policy allows the iam:ListRoles action"},
		{"the endpoint's policy is for others", `"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/other"},"Action":"*","Resource":"*"`, allow(`"Bool":{"aws:SecureTransport":"true"}`), through, "because no VPC endpoint policy"},
		{"the endpoint's policy is for the account", `"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"*","Resource":"*"`, allow(`"Bool":{"aws:SecureTransport":"true"}`), through, ""},
		{"the endpoint's policy denies", open + `},{"Effect":"Deny","Principal":"*","Action":"iam:List*","Resource":"*"`, allow(`"Bool":{"aws:SecureTransport":"true"}`), through, "with an explicit deny in a VPC endpoint policy"},
		{"it is of no interest elsewhere", `"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"`, allow(`"Bool":{"aws:SecureTransport":"true"}`), wire.Endpoint{}, ""},
	} {
		through = c.came
		endpoint.policy = `{"Version":"2012-10-17","Statement":[{` + c.endpoint + `}]}`
		wiretest.Must(users.PutUserPolicy(t.Context(), &api.PutUserPolicyInput{UserName: new("test"), PolicyName: new("p"), PolicyDocument: new(`{"Version":"2012-10-17","Statement":[{` + c.identity + `}]}`)}))
		_, err := client.ListRoles(t.Context(), nil)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != "" {
			t.Run(c.name, func(t *testing.T) { wiretest.Refused(t, err, "AccessDenied", c.want) })
		}
	}
}
