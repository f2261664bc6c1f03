package sts

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/sts"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetFederationToken implements the operation of that name: credentials of a user for somebody else, who may do what both the user's policies and the session policies allow.
func (s *Service) GetFederationToken(ctx context.Context, in *api.GetFederationTokenInput) (*api.GetFederationTokenOutput, error) {
	caller := wire.Caller(ctx)
	if strings.HasPrefix(caller.AccessKeyID, "ASIA") {
		return nil, wire.Errorf(403, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	}
	tags, err := sessionTags(in.Tags)
	if err != nil {
		return nil, err
	}
	seconds := int64(43_200)
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	id := caller.Account + ":" + *in.Name
	session := Session{User: caller.ARN, Policy: wire.Value(in.Policy), Tags: tags, Identity: wire.Identity{Account: caller.Account, ARN: s.region.GlobalARN("sts", "federated-user/"+*in.Name), UserID: id}}
	out := &api.GetFederationTokenOutput{FederatedUser: &api.FederatedUser{Arn: new(session.Identity.ARN), FederatedUserId: new(id)}}
	return out, s.store.Update(func(tx *state.Tx) (err error) {
		if session.PolicyARNs, err = s.limits(tx, session.Policy, in.PolicyArns); err != nil {
			return err
		}
		session, err = s.issue(tx, session, time.Duration(seconds)*time.Second)
		out.Credentials = session.credentials()
		return err
	})
}
