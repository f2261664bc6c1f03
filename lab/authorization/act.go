package authorization

import (
	"context"
	"fmt"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Permits decides whether a service may do something on its own. With a role, the role's trust policy has to let the service in, or the error is access.ErrRole; then the
// role's policies decide. Without an action that is all. The error names principal, action and resource.
func (a *Authorizer) Permits(tx *state.Tx, act access.Act) error {
	who := a.itself(act.Service, act.Source)
	service, _, _ := strings.Cut(act.Action, ":")
	if act.Role != "" {
		if err := a.decide(tx, who, "sts", Ask{Action: "sts:AssumeRole", Resource: act.Role}); err != nil {
			return fmt.Errorf("%w: %w", access.ErrRole, err)
		}
		var err error
		if who, err = a.inRole(tx, act); err != nil {
			return err
		}
	}
	if act.Action == "" {
		return nil
	}
	if service != "kms" {
		return a.decide(tx, who, service, Ask{Action: act.Action, Resource: act.Resource, Context: act.Context})
	}
	key, err := a.Resources.Resolve(tx, act.Action, a.keyARN(act.Resource))
	if err != nil {
		return err
	}
	if act.Role == "" {
		return a.decideKey(tx, caller{}, service, KeyUse{Principal: act.Service, Source: act.Source, Key: key, Context: act.Encryption, Actions: []string{act.Action}})
	}
	return a.decideKey(tx, who, service, KeyUse{Service: act.Via, Key: key, Context: act.Encryption, Actions: []string{act.Action}})
}

// itself is a service that acts as itself, on behalf of a resource.
func (a *Authorizer) itself(service, source string) caller {
	who := caller{Principal: access.Principal{Service: service}, context: map[string][]string{
		"aws:principalisawsservice": {"true"}, "aws:principalservicename": {service}, "aws:securetransport": {"true"}, "aws:sourceaccount": {a.Region.Account},
	}}
	if source != "" {
		who.context["aws:sourcearn"] = []string{source}
	}
	return who
}

// inRole is a service in the session of a role that it has assumed.
func (a *Authorizer) inRole(tx *state.Tx, act access.Act) (caller, error) {
	name := act.Role[strings.LastIndexByte(act.Role, '/')+1:]
	who, err := a.caller(context.Background(), tx, wire.Identity{Account: a.Region.Account, ARN: a.Region.GlobalARN("sts", "assumed-role/"+name+"/"+act.Session)})
	if err == nil {
		who.context["aws:securetransport"] = []string{"true"}
	}
	return who, err
}
