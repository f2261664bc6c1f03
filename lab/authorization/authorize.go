// Package authorization decides whether a call on the wire is allowed. It knows which actions on which resources a call asks for, gathers the policies that apply and lets
// lab/access decide by them, in the order of "Policy evaluation logic" in the IAM User Guide.
package authorization

import (
	"context"
	"fmt"
	"time"

	"storefront/lab/access"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Identities tells what IAM knows about who calls. iam.Service implements it.
type Identities interface {
	// Policies returns the policies of a user or a role session by its ARN, with the ARN of the session's role.
	Policies(tx *state.Tx, arn string) (identity []access.Document, boundary *access.Document, role string, err error)
}

// Resources tells what the services know about what is called.
type Resources interface {
	// Resolve returns the ARN of what a call names in another way: an alias of a key, the name of a secret. What is unknown comes back as it is.
	Resolve(tx *state.Tx, arn string) string
	// Policy returns the policy of a resource, "" for none. Rules says that nothing else opens the resource: see access.Policies.
	Policy(tx *state.Tx, arn string) (document string, rules bool)
}

// Config is what an Authorizer needs.
type Config struct {
	Store      *state.Store
	Region     region.Region
	Identities Identities
	Resources  Resources
	Now        func() time.Time
}

// Authorizer answers whether calls are allowed. It is safe for concurrent use.
type Authorizer struct {
	Config
	services map[string]service
	s3       s3
	denied   *denials
}

// New makes an authorizer.
func New(c Config) *Authorizer {
	return &Authorizer{Config: c, services: services(), s3: newS3(), denied: newDenials()}
}

// Asks lists the permissions that a call needs; none for the calls that everyone may make.
func (a *Authorizer) Asks(serviceName, operation string, input any) []Ask {
	switch {
	case serviceName == "s3":
		return a.s3.asks(operation, input)
	case serviceName == "sts" && operation != "AssumeRole": // "No permissions are required to perform this operation"
		return nil
	}
	s, ok := a.services[serviceName]
	if !ok {
		s = service{prefix: serviceName}
	}
	return append(s.asks(a.Region, operation, input), a.passed(operation, input)...)
}

// Authorize implements wire.Options.Authorize. The error names principal, action and resource, as AWS's does.
func (a *Authorizer) Authorize(ctx context.Context, id wire.Identity, serviceName, operation string, input any) error {
	asks := a.Asks(serviceName, operation, input)
	if len(asks) == 0 || id.Service != "" {
		return nil
	}
	return a.Store.View(func(tx *state.Tx) error {
		for _, ask := range asks {
			if err := a.decide(ctx, tx, id, serviceName, ask); err != nil {
				return err
			}
		}
		return nil
	})
}

// decide gathers what applies to one ask, and decides.
func (a *Authorizer) decide(ctx context.Context, tx *state.Tx, id wire.Identity, serviceName string, ask Ask) error {
	var p access.Policies
	r := &access.Request{Principal: access.Principal{ARN: id.ARN, Account: id.Account}, Action: ask.Action, Resource: a.Resources.Resolve(tx, ask.Resource)}
	if id.ARN != "" {
		var err error
		if p.Identity, p.Boundary, r.Principal.Role, err = a.Identities.Policies(tx, id.ARN); err != nil {
			return fmt.Errorf("the policies of %s: %w", id.ARN, err)
		}
	}
	r.Context = a.context(ctx, r.Principal, ask)
	if text, rules := a.Resources.Policy(tx, r.Resource); text != "" {
		d, err := access.Parse(text)
		if err != nil {
			return fmt.Errorf("the policy of %s: %w", r.Resource, err)
		}
		p.Resource, p.ResourceRules = &d, rules
	}
	d := access.Decide(r, p)
	if d.Allowed {
		return nil
	}
	a.denied.add(id.ARN, r.Action, r.Resource)
	return refusal(serviceName, r, d)
}
