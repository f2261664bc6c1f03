package sts_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"storefront/lab/access"
	iamapi "storefront/lab/api/iam"
	stsapi "storefront/lab/api/sts"
	"storefront/lab/authorization"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	lab "storefront/lab/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// harness serves IAM and STS with the access keys that they themselves hand out, as the daemon does.
type harness struct {
	*wiretest.Server
	store *state.Store
	users *iam.Service
	sts   *lab.Service
	now   time.Time
	root  iam.Key
}

func (h *harness) Lookup(_ context.Context, id string) (c wire.Credential, err error) {
	err = h.store.View(func(tx *state.Tx) error {
		if x, ok, err := h.sts.Session(tx, id); err != nil || ok {
			c = wire.Credential{Secret: x.Secret, SessionToken: x.Token, Identity: x.Identity, Expires: x.Expires}
			return err
		}
		k, ok, err := h.users.AccessKey(tx, id)
		if err == nil && (!ok || !k.Active) {
			err = wire.ErrNoCredential
		}
		c = wire.Credential{Secret: k.Secret, Identity: k.Identity}
		return err
	})
	return c, err
}

// trusts are the trust policies of roles, by which the authorizer decides.
type trusts struct{ *iam.Service }

func (r trusts) Resolve(_ *state.Tx, _, arn string) (string, error) { return arn, nil }

func (r trusts) Policy(tx *state.Tx, q *access.Request) (*access.Document, bool, error) {
	if !strings.HasPrefix(q.Action, "sts:") {
		return nil, false, nil
	}
	d, err := r.Trust(tx, q.Resource)
	return d, d != nil, err
}

func (trusts) EndpointPolicy(*state.Tx, string) (*access.Document, error) { return nil, nil }

func (trusts) Keys(*state.Tx, authorization.Ask, any) ([]authorization.KeyUse, error) {
	return nil, nil
}

func start(t *testing.T) *harness {
	t.Helper()
	h := &harness{store: wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state"))), now: time.Now()}
	t.Cleanup(func() { _ = h.store.Close() })
	clock := func() time.Time { return h.now }
	h.users = iam.New(h.store, region.Default(), clock)
	h.sts = lab.New(h.store, region.Default(), h.users, clock)
	if err := h.store.Update(func(tx *state.Tx) (err error) { h.root, err = h.users.Bootstrap(tx, "lab"); return err }); err != nil {
		t.Fatal(err)
	}
	authorizer := authorization.New(authorization.Config{Store: h.store, Region: region.Default(), Identities: h.users, Sessions: h.sts, Resources: trusts{h.users}, Now: clock})
	h.Server = wiretest.Start(t, wire.Options{Services: []*wire.Service{iamapi.New(h.users), stsapi.New(h.sts)}, Credentials: h, Clock: clock, Authorize: authorizer.Authorize})
	return h
}

// as returns a client that signs with the credentials.
func (h *harness) as(id, secret, token string) *sts.Client {
	c := h.Config()
	c.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
	return sts.NewFromConfig(c)
}

func (h *harness) lab() *sts.Client { return h.as(h.root.ID, h.root.Secret, "") }

func (h *harness) role(t *testing.T, name, trust string) {
	t.Helper()
	c := h.Config()
	c.Credentials = credentials.NewStaticCredentialsProvider(h.root.ID, h.root.Secret, "")
	wiretest.Must(iamsdk.NewFromConfig(c).CreateRole(t.Context(), &iamsdk.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
}

func arn(role string) *string { return new("arn:aws:iam::000000000000:role/" + role) }

func allow(principal, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + condition + `}]}`
}

const account = `{"AWS":"arn:aws:iam::000000000000:root"}`

func TestTemporaryCredentialsSign(t *testing.T) {
	h := start(t)
	h.role(t, "app", allow(account, ""))
	out := wiretest.Must(h.lab().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), DurationSeconds: new(int32(900))}))
	c := out.Credentials
	session := h.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	who := wiretest.Must(session.GetCallerIdentity(t.Context(), nil))
	if *who.Arn != "arn:aws:sts::000000000000:assumed-role/app/me" || *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
		t.Errorf("got %s, %s", *who.Arn, *who.UserId)
	}
	_, err := h.as(*c.AccessKeyId, *c.SecretAccessKey, "wrong").GetCallerIdentity(t.Context(), nil)
	wiretest.Refused(t, err, "InvalidClientTokenId", "")
	_, err = session.GetSessionToken(t.Context(), nil)
	wiretest.Refused(t, err, "AccessDenied", "session credentials")
	h.now = h.now.Add(16 * time.Minute)
	_, err = session.GetCallerIdentity(t.Context(), nil)
	wiretest.Refused(t, err, "ExpiredToken", "")
}

func TestTrustPolicyDecides(t *testing.T) {
	h := start(t)
	deny := func(element string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Effect":"Deny",` + element + `,"Action":"sts:*"}]}`
	}
	for name, tc := range map[string]struct {
		trust    string
		external *string
		allowed  bool
	}{
		"account":           {allow(account, ""), nil, true},
		"user":              {allow(`{"AWS":"arn:aws:iam::000000000000:user/lab"}`, ""), nil, true},
		"service-only":      {allow(`{"Service":"ec2.amazonaws.com"}`, ""), nil, false},
		"other-account":     {allow(`{"AWS":"arn:aws:iam::111111111111:root"}`, ""), nil, false},
		"external-id":       {allow(account, `,"Condition":{"StringEquals":{"sts:ExternalId":"x"}}`), new("x1"), false},
		"external-id-right": {allow(account, `,"Condition":{"StringEquals":{"sts:ExternalId":"x1"}}`), new("x1"), true},
		"unknown-condition": {allow(account, `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), nil, false},
		"deny-wins":         {deny(`"Principal":` + account), nil, false},
		"deny-others":       {deny(`"NotPrincipal":{"AWS":"arn:aws:iam::000000000000:user/lab"}`), nil, true},
		"deny-plain":        {deny(`"Principal":{"AWS":"*"},"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), nil, true}, // this machine's own requests are secure
		"deny-name":         {deny(`"Principal":{"AWS":"*"},"Condition":{"StringLike":{"sts:RoleSessionName":"m*"}}`), nil, false},
		"principal-arn":     {allow(`{"AWS":"*"}`, `,"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:user/other"}}`), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			h.role(t, name, tc.trust)
			_, err := h.lab().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn(name), RoleSessionName: new("me"), ExternalId: tc.external})
			if tc.allowed && err != nil {
				t.Error(err)
			}
			if !tc.allowed {
				wiretest.Refused(t, err, "AccessDenied", "User: arn:aws:iam::000000000000:user/lab is not authorized to perform: sts:AssumeRole on resource: "+*arn(name))
			}
		})
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	h := start(t)
	h.role(t, "app", allow(account, ""))
	h.role(t, "tagged", strings.Replace(allow(account, ""), `"sts:AssumeRole"`, `"sts:*"`, 1))
	for name, tc := range map[string]struct {
		in            *sts.AssumeRoleInput
		code, message string
	}{
		"no role":         {&sts.AssumeRoleInput{RoleArn: arn("none"), RoleSessionName: new("me")}, "AccessDenied", "not authorized"},
		"too long":        {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), DurationSeconds: new(int32(7200))}, "ValidationError", "MaxSessionDuration"},
		"too short":       {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), DurationSeconds: new(int32(1))}, "ValidationError", "durationSeconds"},
		"session policy":  {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), Policy: new("{}")}, "MalformedPolicyDocument", ""},
		"managed policy":  {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), PolicyArns: []types.PolicyDescriptorType{{Arn: new("arn:aws:iam::aws:policy/None")}}}, "MalformedPolicyDocument", "does not exist"},
		"MFA":             {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), SerialNumber: new("arn:aws:iam::000000000000:mfa/me"), TokenCode: new("123456")}, "AccessDenied", "MultiFactorAuthentication"},
		"session tags":    {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), Tags: tags("a", "b")}, "AccessDenied", "sts:TagSession"}, // the trust policy allows AssumeRole alone
		"source identity": {&sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me"), SourceIdentity: new("me")}, "AccessDenied", "sts:SetSourceIdentity"},
		"tags twice":      {&sts.AssumeRoleInput{RoleArn: arn("tagged"), RoleSessionName: new("me"), Tags: tags("a", "b", "A", "c")}, "InvalidParameterValue", "Duplicate tag keys"},
		"tags of AWS":     {&sts.AssumeRoleInput{RoleArn: arn("tagged"), RoleSessionName: new("me"), Tags: tags("aws:a", "b")}, "InvalidParameterValue", "reserved"},
		"transitive":      {&sts.AssumeRoleInput{RoleArn: arn("tagged"), RoleSessionName: new("me"), TransitiveTagKeys: []string{"a"}}, "InvalidParameterValue", "must be included"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.lab().AssumeRole(t.Context(), tc.in)
			wiretest.Refused(t, err, tc.code, tc.message)
		})
	}
}

func tags(pairs ...string) (list []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return list
}

// Transitive tags and the source identity go from session to session and cannot be changed on the way; other tags stay behind. The trust policies see them.
func TestSessionTagsInChains(t *testing.T) {
	h := start(t)
	trust := func(principal, condition string) string {
		return strings.Replace(allow(principal, condition), `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, 1)
	}
	h.role(t, "first", trust(account, `,"Condition":{"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":["team"]},"StringEquals":{"aws:RequestTag/team":"shop"},"StringLike":{"sts:SourceIdentity":"a*"}}`))
	first := &sts.AssumeRoleInput{RoleArn: arn("first"), RoleSessionName: new("me"), Tags: tags("team", "other"), TransitiveTagKeys: []string{"team"}, SourceIdentity: new("ann")}
	_, err := h.lab().AssumeRole(t.Context(), first)
	wiretest.Refused(t, err, "AccessDenied", "sts:AssumeRole")
	first.Tags = tags("team", "shop", "cost", "7")
	c := wiretest.Must(h.lab().AssumeRole(t.Context(), first)).Credentials
	session := h.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)

	of := `{"AWS":"arn:aws:iam::000000000000:role/first"}`
	for name, condition := range map[string]string{
		"by-tag":    `,"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"shop","aws:PrincipalTag/cost":"7","aws:SourceIdentity":"ann"}}`,
		"by-time":   `,"Condition":{"DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"},"Bool":{"aws:MultiFactorAuthPresent":"false"}}`,
		"not-there": `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"other"}}`,
	} {
		h.role(t, name, trust(of, condition))
		_, err := session.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn(name), RoleSessionName: new("me")})
		if name == "not-there" {
			wiretest.Refused(t, err, "AccessDenied", "sts:AssumeRole")
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.role(t, "second", trust(of, ""))
	_, err = session.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("second"), RoleSessionName: new("me"), Tags: tags("TEAM", "other")})
	wiretest.Refused(t, err, "InvalidParameterValue", "conflicts with a transitive tag key")
	_, err = session.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("second"), RoleSessionName: new("me"), SourceIdentity: new("bob")})
	wiretest.Refused(t, err, "AccessDenied", "source identity")
	out := wiretest.Must(session.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("second"), RoleSessionName: new("me")}))
	if *out.SourceIdentity != "ann" {
		t.Errorf("the second session has the source identity %s", *out.SourceIdentity)
	}
	facts := h.facts(*out.Credentials.AccessKeyId)
	if got := facts.Context["aws:principaltag/team"]; len(got) != 1 || got[0] != "shop" || facts.Context["aws:principaltag/cost"] != nil {
		t.Errorf("the second session has the keys %v", facts.Context)
	}
}

func (h *harness) facts(key string) (facts access.Session) {
	_ = h.store.View(func(tx *state.Tx) (err error) { facts, err = h.sts.Facts(tx, key); return err })
	return facts
}

// Who a user lends his permissions to is somebody else, and never gets further: no role, no token, no IAM. What policies allow him is tested with a service that takes him.
func TestFederationToken(t *testing.T) {
	h := start(t)
	h.role(t, "app", allow(`{"AWS":"*"}`, ""))
	all := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	out := wiretest.Must(h.lab().GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: new("guest"), Policy: &all, Tags: tags("team", "shop")}))
	guest := h.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	who := wiretest.Must(guest.GetCallerIdentity(t.Context(), nil))
	if *who.Arn != "arn:aws:sts::000000000000:federated-user/guest" || *who.UserId != "000000000000:guest" || *out.FederatedUser.Arn != *who.Arn || *out.FederatedUser.FederatedUserId != *who.UserId {
		t.Errorf("got %s, %s", *who.Arn, *who.UserId)
	}
	if facts := h.facts(*out.Credentials.AccessKeyId); facts.Of != "arn:aws:iam::000000000000:user/lab" || len(facts.Policies) != 1 || facts.Context["aws:principaltag/team"][0] != "shop" {
		t.Errorf("the session brings %+v", facts)
	}
	_, err := guest.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("app"), RoleSessionName: new("me")})
	wiretest.Refused(t, err, "AccessDenied", "federated user")
	_, err = guest.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: new("another")})
	wiretest.Refused(t, err, "AccessDenied", "session credentials")
	token := wiretest.Must(h.lab().GetSessionToken(t.Context(), nil)).Credentials
	for _, c := range []*types.Credentials{out.Credentials, token} {
		config := h.Config()
		config.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
		_, err := iamsdk.NewFromConfig(config).ListRoles(t.Context(), nil)
		wiretest.Refused(t, err, "InvalidClientTokenId", "invalid")
	}
	bare := wiretest.Must(h.lab().GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: new("guest")}))
	if facts := h.facts(*bare.Credentials.AccessKeyId); facts.Policies == nil || len(facts.Policies) > 0 {
		t.Errorf("without session policies the session brings %+v: it may do nothing", facts)
	}
}

func TestRoleChaining(t *testing.T) {
	h := start(t)
	h.role(t, "first", allow(account, ""))
	h.role(t, "second", allow(`{"AWS":"arn:aws:iam::000000000000:role/first"}`, ""))
	_, err := h.lab().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("second"), RoleSessionName: new("me")})
	wiretest.Refused(t, err, "AccessDenied", "")
	c := wiretest.Must(h.lab().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("first"), RoleSessionName: new("me")})).Credentials
	if _, err := h.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: arn("second"), RoleSessionName: new("me")}); err != nil {
		t.Error(err)
	}
}

func TestSessionTokenAndInstance(t *testing.T) {
	h := start(t)
	c := wiretest.Must(h.lab().GetSessionToken(t.Context(), nil)).Credentials
	session := h.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	if who := wiretest.Must(session.GetCallerIdentity(t.Context(), nil)); *who.Arn != "arn:aws:iam::000000000000:user/lab" {
		t.Errorf("got %s", *who.Arn)
	}
	if info := wiretest.Must(session.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: c.AccessKeyId})); *info.Account != wiretest.Account {
		t.Errorf("got account %s", *info.Account)
	}
	h.role(t, "web", allow(`{"Service":"ec2.amazonaws.com"}`, ""))
	h.role(t, "human", allow(account, ""))
	x := wiretest.Must(h.sts.ForInstance("web", "i-1"))
	if who := wiretest.Must(h.as(x.AccessKeyID, x.Secret, x.Token).GetCallerIdentity(t.Context(), nil)); *who.Arn != "arn:aws:sts::000000000000:assumed-role/web/i-1" {
		t.Errorf("got %s", *who.Arn)
	}
	if _, err := h.sts.ForInstance("human", "i-1"); err == nil {
		t.Error("an instance assumed a role that does not trust EC2")
	}
	h.now = h.now.Add(48 * time.Hour)
	if err := h.sts.Expire(); err != nil {
		t.Fatal(err)
	}
	_ = h.store.View(func(tx *state.Tx) error {
		if _, ok, _ := h.sts.Session(tx, x.AccessKeyID); ok {
			t.Error("an old session was not cleared away")
		}
		return nil
	})
}

func TestUnknownKeyIsRefused(t *testing.T) {
	h := start(t)
	_, err := h.as("AKIANONE", "x", "").GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wiretest.Refused(t, err, "InvalidClientTokenId", "")
	resp := wiretest.Must(http.Get(h.URL))
	_ = resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("an unsigned request was answered with %d", resp.StatusCode)
	}
}
