package access

import (
	"slices"
	"strings"
)

// Principal is who asks.
type Principal struct {
	// ARN is that of the IAM user, the role session ("arn:aws:sts::123456789012:assumed-role/name/session") or the account's root.
	ARN     string
	Role    string // ARN of the session's role, or of the user behind a federated user; empty for who is neither
	Account string
	Service string // "cloudtrail.amazonaws.com" for an AWS service that asks for itself; ARN is empty then
}

// Anonymous reports whether nobody signed the request.
func (p Principal) Anonymous() bool { return p.ARN == "" && p.Service == "" }

// Session is what temporary credentials bring to a request.
type Session struct {
	Of       string              // ARN of the user whose policies a federated user has; "" for every other session
	Policies []Document          // the session policies; nil is none
	Context  map[string][]string // condition keys in lower case with their values: when it began, its tags
	NoIAM    bool                // IAM takes no such credentials, whatever policies say
}

// Request is what is asked.
type Request struct {
	Principal Principal
	Action    string              // "s3:GetObject"
	Resource  string              // its ARN, or "*" for an action that has none
	Context   map[string][]string // condition keys in lower case with their values
	// More is asked for keys, in lower case, that Context does not have: those that cost something to find out, and that few policies ask for. Nil has none.
	More func(key string) []string
}

func (r *Request) values(key string) []string {
	key = strings.ToLower(key)
	values, known := r.Context[key]
	if !known && r.More != nil {
		values = r.More(key)
	}
	return values
}

// Policies are those that apply to a request.
type Policies struct {
	Identity []Document // of the user, or of the session's role
	Boundary *Document  // the permissions boundary; nil is none
	Session  []Document // the session policies; nil is none
	Resource *Document  // of the resource; nil is none
	Endpoint *Document  // of the VPC endpoint that the request came through; nil is none

	// ResourceRules says that nothing but the resource's policy opens the resource, as with KMS keys and the trust policy of a role: identity policies count only
	// where it names the account.
	ResourceRules bool
}

// Decision is the outcome of an evaluation.
type Decision struct {
	Allowed bool
	// Kind names the kind of policy that denies, in the words of AWS's access denied messages: "identity-based", "resource-based", "permissions boundary", "session" or
	// "VPC endpoint"; for an implicit denial it is the kind that does not allow.
	Kind     string
	Explicit bool // a statement denies
}

// Kinds of policies in access denied messages.
const (
	identityBased = "identity-based"
	resourceBased = "resource-based"
	boundary      = "permissions boundary"
	session       = "session"
	vpcEndpoint   = "VPC endpoint"
)

// reach is how a resource-based policy allows a request.
type reach int

const (
	notAt     reach = iota
	toAccount       // it names the account: identity policies of the account decide
	toRole          // it names the role: identity policies need not allow, boundary and session policies must
	toCaller        // it names the user, the session, the service or everyone: nothing else needs to allow
)

// Decide evaluates the policies of one account for a request, in AWS's order: an explicit denial anywhere, then the policy of the VPC endpoint, which every
// request through it needs, then the resource's policy, then identity policies within the permissions boundary and the session policies.
func Decide(r *Request, p Policies) Decision {
	if kind := p.denies(r); kind != "" {
		return Decision{Kind: kind, Explicit: true}
	}
	if p.Endpoint != nil && p.Endpoint.reaches(r) == notAt {
		return Decision{Kind: vpcEndpoint}
	}
	reached := notAt
	if p.Resource != nil {
		reached = p.Resource.reaches(r)
	}
	switch {
	case reached == toCaller:
		return Decision{Allowed: true}
	case r.Principal.Anonymous() || r.Principal.Service != "":
		return Decision{Kind: resourceBased} // they have no policies of their own
	case p.ResourceRules && reached == notAt:
		return Decision{Kind: resourceBased}
	case reached != toRole && !allowed(p.Identity, r):
		return Decision{Kind: identityBased}
	case p.Boundary != nil && !p.Boundary.allows(r):
		return Decision{Kind: boundary}
	case p.Session != nil && !allowed(p.Session, r):
		return Decision{Kind: session}
	}
	return Decision{Allowed: true}
}

// denies returns the kind of the first policy with a statement that denies, or "".
func (p Policies) denies(r *Request) string {
	switch {
	case slices.ContainsFunc(p.Identity, func(d Document) bool { return d.denies(r) }):
		return identityBased
	case p.Resource != nil && p.Resource.deniesTo(r):
		return resourceBased
	case p.Endpoint != nil && p.Endpoint.deniesTo(r):
		return vpcEndpoint
	case p.Boundary != nil && p.Boundary.denies(r):
		return boundary
	case slices.ContainsFunc(p.Session, func(d Document) bool { return d.denies(r) }):
		return session
	}
	return ""
}

func allowed(documents []Document, r *Request) bool {
	return slices.ContainsFunc(documents, func(d Document) bool { return d.allows(r) })
}

func (d Document) allows(r *Request) bool {
	return slices.ContainsFunc(d.Statement, func(s Statement) bool { return s.Effect == allow && d.applies(s, r) })
}

func (d Document) denies(r *Request) bool {
	return slices.ContainsFunc(d.Statement, func(s Statement) bool { return s.Effect == deny && d.applies(s, r) })
}

// deniesTo is denies for a policy that names principals.
func (d Document) deniesTo(r *Request) bool {
	return slices.ContainsFunc(d.Statement, func(s Statement) bool {
		return s.Effect == deny && d.names(s, r.Principal) != notAt && d.applies(s, r)
	})
}

// reaches returns the furthest that the allowing statements of a resource's policy reach.
func (d Document) reaches(r *Request) (furthest reach) {
	for _, s := range d.Statement {
		if s.Effect == allow && d.applies(s, r) {
			furthest = max(furthest, d.names(s, r.Principal))
		}
	}
	return furthest
}

// applies reports whether a statement is about the request, whoever asks. Trust policies have no resources: they are about their role.
func (d Document) applies(s Statement, r *Request) bool {
	switch {
	case len(s.Action) > 0 && !matchesAction(s.Action, r.Action), len(s.NotAction) > 0 && matchesAction(s.NotAction, r.Action):
		return false
	case len(s.Resource) > 0 && !d.matchesResource(s.Resource, r), len(s.NotResource) > 0 && d.matchesResource(s.NotResource, r):
		return false
	}
	return d.holds(s.Condition, r)
}

// names tells how a statement of a resource's policy names who asks. A denial that names the account, or a role, is one of its sessions too.
func (d Document) names(s Statement, p Principal) reach {
	if len(s.NotPrincipal) > 0 {
		if d.named(s.NotPrincipal, p) != notAt {
			return notAt
		}
		return toCaller
	}
	return d.named(s.Principal, p)
}

func (d Document) named(list Principals, p Principal) (furthest reach) {
	for kind, names := range list {
		for _, name := range names {
			furthest = max(furthest, namedAs(kind, name, p))
		}
	}
	return furthest
}

func namedAs(kind, name string, p Principal) reach {
	switch {
	case kind == "*", kind == "AWS" && name == "*":
		return toCaller
	case kind == "Service":
		if p.Service != "" && p.Service == name {
			return toCaller
		}
	case kind != "AWS" || p.Account == "" || p.ARN == "":
	case name == p.ARN:
		return toCaller
	case name == p.Role:
		return toRole
	case name == p.Account, name == "arn:aws:iam::"+p.Account+":root":
		return toAccount
	}
	return notAt
}
