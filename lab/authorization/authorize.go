// Package authorization decides whether a call on the wire is allowed. It knows which actions on which resources a call asks for, gathers the policies that apply and lets
// lab/access decide by them, in the order of "Policy evaluation logic" in the IAM User Guide.
package authorization

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
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
	// Tags returns the tags of a user, or of the role of a session, by ARN.
	Tags(tx *state.Tx, arn string) (map[string]string, error)
}

// Sessions tells what temporary credentials bring to a request. sts.Service implements it.
type Sessions interface {
	// Facts returns what is known of the session behind an access key, nothing for one of a user.
	Facts(tx *state.Tx, accessKeyID string) (access.Session, error)
}

// Resources tells what the services know about what is called.
type Resources interface {
	// Resolve returns the ARN of what a call names in another way: an alias of a key, the name of a secret. What is unknown comes back as it is.
	Resolve(tx *state.Tx, action, arn string) (string, error)
	// Policy returns the policy of the resource of a request, nil for none. Rules says that nothing else opens the resource: see access.Policies.
	Policy(tx *state.Tx, r *access.Request) (document *access.Document, rules bool, err error)
	// Tags returns the tags of a resource by its ARN, nil where it has none or the service's policies know none.
	Tags(tx *state.Tx, arn string) (map[string]string, error)
	// EndpointPolicy returns the policy of a VPC endpoint, nil when there is no such endpoint.
	EndpointPolicy(tx *state.Tx, id string) (*access.Document, error)
	// Keys returns the uses of KMS keys that a service makes on behalf of a caller who asks for an action on a resource.
	Keys(tx *state.Tx, ask Ask, input any) ([]KeyUse, error)
}

// KeyUse is the use of a KMS key by a service.
type KeyUse struct {
	Service string   // "sqs"
	Actions []string // "kms:Decrypt"
	Key     string   // ARN
	Context map[string]string
	// Principal is set when the service uses the key as itself, such as "logs.us-east-1.amazonaws.com", and not with its caller's permissions; Source is the ARN of the
	// resource on whose behalf it does, "" for none.
	Principal, Source string
}

// Config is what an Authorizer needs. All fields are required.
type Config struct {
	Store      *state.Store
	Region     region.Region
	Identities Identities
	Sessions   Sessions
	Resources  Resources
	Now        func() time.Time
}

// Authorizer answers whether calls are allowed. It is safe for concurrent use.
type Authorizer struct {
	Config
	services map[string]service
	s3       s3
	records  *records
}

// New makes an authorizer.
func New(c Config) *Authorizer {
	return &Authorizer{Config: c, services: services(), s3: newS3(), records: newRecords()}
}

// Asks lists the permissions that a call needs; none for the calls that everyone may make.
func (a *Authorizer) Asks(serviceName, operation string, input any) []Ask {
	switch serviceName {
	case "s3":
		return a.s3.asks(operation, input)
	case "kms":
		return a.kmsAsks(operation, input)
	case "sts":
		return a.stsAsks(operation, input)
	}
	s, ok := a.services[serviceName]
	if !ok {
		s = service{prefix: serviceName}
	}
	asks := append(s.asks(a.Region, operation, input), a.passed(serviceName, operation, input)...)
	if serviceName == "ec2" {
		asks = append(asks, a.tagsMade(operation, input)...)
	}
	return asks
}

// caller is who calls, with everything that is the same for all that one call asks for.
type caller struct {
	access.Principal
	policies access.Policies
	context  map[string][]string
	noIAM    bool   // see access.Session
	holder   string // ARN of who has the policies: the user, the user behind a federated one, or the session
}

// Authorize implements wire.Options.Authorize. The error names principal, action and resource, as AWS's does.
func (a *Authorizer) Authorize(ctx context.Context, id wire.Identity, serviceName, operation string, input any) error {
	asks := a.Asks(serviceName, operation, input)
	if len(asks) == 0 || id.Service != "" {
		return nil
	}
	return a.Store.View(func(tx *state.Tx) error {
		who, err := a.caller(ctx, tx, id)
		if err != nil {
			return err
		}
		if who.noIAM && serviceName == "iam" {
			return wire.Errorf(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid")
		}
		requestTags(who.context, input)
		for _, ask := range asks {
			if !ask.Named {
				if ask.Resource, err = a.Resources.Resolve(tx, ask.Action, ask.Resource); err != nil {
					return err
				}
			}
			if err := a.decide(tx, who, serviceName, ask); err != nil {
				return err
			}
			uses, err := a.Resources.Keys(tx, ask, input)
			if err != nil {
				return err
			}
			for _, use := range uses {
				if err := a.decideKey(tx, who, serviceName, use); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// caller gathers who calls.
func (a *Authorizer) caller(ctx context.Context, tx *state.Tx, id wire.Identity) (c caller, err error) {
	c.Principal = access.Principal{ARN: id.ARN, Account: id.Account}
	var session access.Session
	if id.ARN != "" {
		if session, err = a.Sessions.Facts(tx, id.AccessKeyID); err != nil {
			return c, fmt.Errorf("the session of %s: %w", id.ARN, err)
		}
		c.holder, c.noIAM = cmp.Or(session.Of, id.ARN), session.NoIAM
		if c.policies.Identity, c.policies.Boundary, c.Role, err = a.Identities.Policies(tx, c.holder); err != nil {
			return c, fmt.Errorf("the policies of %s: %w", c.holder, err)
		}
		c.Role, c.policies.Session = cmp.Or(c.Role, session.Of), session.Policies
	}
	c.context = a.context(ctx, c.Principal)
	maps.Copy(c.context, session.Context)
	if e := wire.OriginOf(ctx).Endpoint; e.ID != "" {
		if c.policies.Endpoint, err = a.Resources.EndpointPolicy(tx, e.ID); err != nil {
			return c, fmt.Errorf("the policy of %s: %w", e.ID, err)
		}
	}
	return c, nil
}

// decide gathers what applies to one ask, and decides. The error is the refusal.
func (a *Authorizer) decide(tx *state.Tx, who caller, serviceName string, ask Ask) error {
	d, r, err := a.evaluate(tx, who, ask, a.Resources.Policy)
	if err != nil || d.Allowed {
		return err
	}
	return refusal(serviceName, r, d)
}

// Judge decides about a request that is no call of an operation, such as one to a search domain, by a policy of its resource and what applies to who asks. Role is the ARN of
// a session's role, "" for who is no session.
func (a *Authorizer) Judge(ctx context.Context, id wire.Identity, ask Ask, policy *access.Document) (d access.Decision, role string, err error) {
	err = a.Store.View(func(tx *state.Tx) error {
		who, err := a.caller(ctx, tx, id)
		if err != nil {
			return err
		}
		role = who.Role
		d, _, err = a.evaluate(tx, who, ask, func(*state.Tx, *access.Request) (*access.Document, bool, error) { return policy, false, nil })
		return err
	})
	return d, role, err
}

// Administers decides whether the caller of a call could set the policy of a KMS key again if the key had a policy. That is not recorded: nobody has asked for it.
func (a *Authorizer) Administers(ctx context.Context, tx *state.Tx, key string, policy *access.Document) (bool, error) {
	id := wire.Caller(ctx)
	if id.Service != "" {
		return true, nil
	}
	who, err := a.caller(ctx, tx, id)
	if err != nil {
		return false, err
	}
	ask := Ask{Action: "kms:PutKeyPolicy", Resource: key, Context: map[string][]string{"kms:calleraccount": {a.Region.Account}}}
	d, _, err := a.weigh(tx, who, ask, func(*state.Tx, *access.Request) (*access.Document, bool, error) { return policy, true, nil })
	return d.Allowed, err
}

// policyOf finds the policy of the resource of a request: see Resources.Policy.
type policyOf func(*state.Tx, *access.Request) (document *access.Document, rules bool, err error)

// evaluate decides about one ask and records the decision.
func (a *Authorizer) evaluate(tx *state.Tx, who caller, ask Ask, policy policyOf) (access.Decision, *access.Request, error) {
	d, r, err := a.weigh(tx, who, ask, policy)
	if err == nil {
		a.record(r, d)
	}
	return d, r, err
}

func (a *Authorizer) weigh(tx *state.Tx, who caller, ask Ask, policy policyOf) (d access.Decision, r *access.Request, err error) {
	r = &access.Request{Principal: who.Principal, Action: ask.Action, Resource: ask.Resource, Context: who.context}
	if len(ask.Context) > 0 {
		r.Context = maps.Clone(who.context)
		maps.Copy(r.Context, ask.Context)
	}
	var unknown error
	r.More = func(key string) []string {
		values, err := a.more(tx, who, r, key)
		unknown = errors.Join(unknown, err)
		return values
	}
	p := who.policies
	if ask.Action == passRole {
		p.Endpoint = nil // it is no call of the service whose endpoint this is
	}
	if p.Resource, p.ResourceRules, err = policy(tx, r); err != nil {
		return d, r, fmt.Errorf("the policy of %s: %w", r.Resource, err)
	}
	d = access.Decide(r, p)
	return d, r, unknown
}

// KeyAdmits decides whether a key's policy lets an AWS service use the key as itself: for an alarm that publishes to an encrypted topic, or a topic that delivers to an
// encrypted queue. The error is KMS's AccessDeniedException. The key is named in any form that KMS knows.
func (a *Authorizer) KeyAdmits(tx *state.Tx, service, source, key string, encryptionContext map[string]string) error {
	arn, err := a.Resources.Resolve(tx, "kms:GenerateDataKey", a.keyARN(key))
	if err != nil {
		return err
	}
	return a.decideKey(tx, caller{}, "kms", KeyUse{Principal: service, Source: source, Key: arn, Context: encryptionContext, Actions: []string{"kms:GenerateDataKey", "kms:Decrypt"}})
}

// Serves decides whether a service may use a key for its caller, after it has answered: EBS asks for the key of a volume when the instance starts. The error is KMS's
// AccessDeniedException.
func (a *Authorizer) Serves(ctx context.Context, tx *state.Tx, use KeyUse) error {
	who, err := a.caller(ctx, tx, wire.Caller(ctx))
	if err != nil {
		return err
	}
	return a.decideKey(tx, who, "kms", use)
}

// decideKey decides about a key that a service uses.
func (a *Authorizer) decideKey(tx *state.Tx, who caller, serviceName string, use KeyUse) error {
	if use.Principal != "" {
		who = a.itself(use.Principal, use.Source)
	}
	who.policies.Endpoint = nil // the service is where it is, and goes through no endpoint of the caller
	keys := encryptionContext(use.Context)
	keys["kms:calleraccount"] = []string{a.Region.Account}
	if use.Principal == "" {
		keys["aws:viaawsservice"] = []string{"true"}
		keys["kms:viaservice"] = []string{use.Service + "." + a.Region.Name + ".amazonaws.com"}
	}
	for _, action := range use.Actions {
		if action == "kms:CreateGrant" {
			keys["kms:grantisforawsresource"] = []string{"true"}
		}
		if err := a.decide(tx, who, serviceName, Ask{Action: action, Resource: use.Key, Context: keys}); err != nil {
			return keyRefusal(serviceName, err)
		}
	}
	return nil
}
