// Package sts is the lab's AWS Security Token Service: who calls, and temporary credentials for roles.
package sts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/sts"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements the STS API.
type Service struct {
	store  *state.Store
	region region.Region
	iam    *iam.Service
	now    func() time.Time
	parsed access.Cache
}

var _ api.API = (*Service)(nil)

// New returns the service on a store; roles come from iam, now is its clock.
func New(store *state.Store, r region.Region, iam *iam.Service, now func() time.Time) *Service {
	return &Service{store: store, region: r, iam: iam, now: now}
}

// Session is a set of temporary credentials.
type Session struct {
	AccessKeyID, Secret, Token string
	Expires                    time.Time
	Identity                   wire.Identity
	Policy                     string   // the session policy, "" for none
	PolicyARNs                 []string // managed policies that are session policies
	Issued                     time.Time
	Tags                       map[string]string
	Transitive                 []string // keys of the tags that sessions of roles assumed from this one have too
	SourceIdentity             string   // "" for none
	User                       string   // ARN of the user behind a federated user, "" for every other session
	Instance                   string   // ARN of the instance whose role this is, "" for every other session
}

var sessions = state.NewTable[Session]("sts.session") // by access key ID

// GetCallerIdentity implements the operation of that name.
func (s *Service) GetCallerIdentity(ctx context.Context, _ *api.GetCallerIdentityInput) (*api.GetCallerIdentityOutput, error) {
	id := wire.Caller(ctx)
	return &api.GetCallerIdentityOutput{Account: new(id.Account), Arn: new(id.ARN), UserId: new(id.UserID)}, nil
}

// GetAccessKeyInfo implements the operation of that name.
func (s *Service) GetAccessKeyInfo(context.Context, *api.GetAccessKeyInfoInput) (*api.GetAccessKeyInfoOutput, error) {
	return &api.GetAccessKeyInfoOutput{Account: new(s.region.Account)}, nil
}

// GetSessionToken implements the operation of that name for users, without MFA.
func (s *Service) GetSessionToken(ctx context.Context, in *api.GetSessionTokenInput) (*api.GetSessionTokenOutput, error) {
	caller := wire.Caller(ctx)
	switch {
	case in.SerialNumber != nil || in.TokenCode != nil:
		return nil, wire.Errorf(403, "AccessDenied", "MultiFactorAuthentication failed: the lab has no MFA devices.")
	case strings.HasPrefix(caller.AccessKeyID, "ASIA"):
		return nil, wire.Errorf(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	seconds := int64(43_200)
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	out := &api.GetSessionTokenOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		session, err := s.issue(tx, Session{Identity: caller}, time.Duration(seconds)*time.Second)
		out.Credentials = session.credentials()
		return err
	})
}

// maxChained bounds the sessions of roles that were assumed from another role, from "Roles terms and concepts".
const maxChained = time.Hour

// AssumeRole implements the operation of that name. lab/authorization has decided by the role's trust policy whether the caller may; MFA is refused.
func (s *Service) AssumeRole(ctx context.Context, in *api.AssumeRoleInput) (*api.AssumeRoleOutput, error) {
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, wire.Errorf(403, "AccessDenied", "MultiFactorAuthentication failed: the lab has no MFA devices.")
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, wire.Errorf(400, "ValidationError", "The lab has no context providers.")
	}
	caller, duration := wire.Caller(ctx), time.Hour
	if in.DurationSeconds != nil {
		duration = time.Duration(*in.DurationSeconds) * time.Second
	}
	out := &api.AssumeRoleOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		name := (*in.RoleArn)[strings.LastIndexByte(*in.RoleArn, '/')+1:]
		from, _, err := sessions.Get(tx, caller.AccessKeyID)
		if err != nil {
			return err
		}
		role, err := s.iam.Role(tx, name)
		chained := strings.HasPrefix(caller.ARN, s.region.GlobalARN("sts", "assumed-role/"))
		switch {
		case from.User != "":
			return wire.Errorf(403, "AccessDenied", "Cannot call AssumeRole with the credentials of a federated user")
		case err != nil || role.ARN != *in.RoleArn:
			return wire.Errorf(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.ARN, *in.RoleArn)
		case duration > time.Duration(role.MaxSession)*time.Second:
			return wire.Errorf(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
		case chained && duration > maxChained:
			return wire.Errorf(400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
		}
		session := Session{Identity: s.assumed(role, *in.RoleSessionName), Policy: wire.Value(in.Policy)}
		if session.PolicyARNs, err = s.limits(tx, session.Policy, in.PolicyArns); err != nil {
			return err
		}
		if err := session.carry(from, in); err != nil {
			return err
		}
		session, err = s.issue(tx, session, duration)
		out.Credentials, out.SourceIdentity = session.credentials(), wire.Optional(session.SourceIdentity)
		out.AssumedRoleUser = &api.AssumedRoleUser{Arn: new(session.Identity.ARN), AssumedRoleId: new(session.Identity.UserID)}
		return err
	})
}

func (s *Service) assumed(role iam.Role, session string) wire.Identity {
	return wire.Identity{Account: s.region.Account, ARN: s.region.GlobalARN("sts", "assumed-role/"+role.Name+"/"+session), UserID: role.ID + ":" + session}
}

// issue completes x with temporary credentials and stores it.
func (s *Service) issue(tx *state.Tx, x Session, duration time.Duration) (Session, error) {
	n, err := tx.Sequence("sts-ASIA")
	if err != nil {
		return Session{}, err
	}
	if x.Secret, err = iam.NewSecret(); err != nil {
		return Session{}, err
	}
	if x.Token, err = iam.NewSecret(); err != nil {
		return Session{}, err
	}
	x.AccessKeyID, x.Issued = fmt.Sprintf("ASIALAB%013X", n), s.now().UTC().Truncate(time.Second)
	x.Expires = s.now().UTC().Add(duration).Truncate(time.Second)
	x.Identity.AccessKeyID = x.AccessKeyID
	return x, sessions.Put(tx, x.AccessKeyID, x)
}

func (x Session) credentials() *api.Credentials {
	return &api.Credentials{AccessKeyId: new(x.AccessKeyID), SecretAccessKey: new(x.Secret), SessionToken: new(x.Token), Expiration: new(x.Expires)}
}

// instanceCredentials last as long as those that EC2 hands out.
const instanceCredentials = 6 * time.Hour

// ForInstance issues the credentials of an instance's role, whose session is named by the instance, as the metadata service of EC2 shows them.
func (s *Service) ForInstance(roleName, instanceID string) (session Session, err error) {
	err = s.store.Update(func(tx *state.Tx) error {
		role, err := s.iam.Role(tx, roleName)
		if err != nil {
			return err
		}
		if !trusts(role, "ec2.amazonaws.com") {
			return wire.Errorf(403, "AccessDenied", "EC2 cannot assume the role %s. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html.", role.Name)
		}
		session, err = s.issue(tx, Session{Identity: s.assumed(role, instanceID), Instance: s.region.ARN("ec2", "instance/"+instanceID)}, instanceCredentials)
		return err
	})
	return session, err
}

// trusts tells whether a role's trust policy lets an AWS service assume it.
func trusts(role iam.Role, service string) bool {
	return access.Decide(&access.Request{
		Principal: access.Principal{Service: service}, Action: "sts:AssumeRole", Resource: role.ARN,
		Context: map[string][]string{"aws:principalisawsservice": {"true"}, "aws:principalservicename": {service}, "aws:securetransport": {"true"}},
	}, access.Policies{Resource: &role.Trust, ResourceRules: true}).Allowed
}

// Session returns the temporary credentials of an access key ID, and whether there are any that have not been cleared away. Nobody may change what they refer to.
func (s *Service) Session(tx *state.Tx, accessKeyID string) (Session, bool, error) {
	return sessions.Shared(tx, accessKeyID)
}

// Expire clears away the sessions that ended more than a day ago. The daemon calls it now and then.
func (s *Service) Expire() error {
	return s.store.Update(func(tx *state.Tx) error {
		var gone []string
		for id, x := range sessions.All(tx) {
			if x.Expires.Add(24 * time.Hour).Before(s.now()) {
				gone = append(gone, id)
			}
		}
		for _, id := range gone {
			if err := sessions.Delete(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}
