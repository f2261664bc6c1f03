package firewall

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// ErrUnsupported is wrapped by the error about what a web ACL asks for and this engine does not do.
var ErrUnsupported = errors.New("not supported in this region")

// ErrInvalid is wrapped by the error about a rule that cannot work.
var ErrInvalid = errors.New("invalid rule")

// ErrMissing is wrapped by the error about an ARN that names nothing.
var ErrMissing = errors.New("no such resource")

// ACL is what an Inspector does.
type ACL struct {
	Labels  string // label namespace of the owner: "awswaf:<account>:webacl:<name>:"
	Default api.DefaultAction
	Rules   []api.Rule
	Bodies  map[string]api.CustomResponseBody
	Sets    Sets
}

// Sets are what rules refer to, by ARN.
type Sets struct {
	Addresses map[string][]netip.Prefix
	Patterns  map[string][]string
	Groups    map[string]Group
}

// Group is a rule group of the customer's own.
type Group struct {
	Labels string // its label namespace
	Rules  []api.Rule
	Bodies map[string]api.CustomResponseBody
}

// Inspector decides about requests. It is safe for concurrent use.
type Inspector struct {
	rules    []*rule
	fallback action
	crs      *ruleset // nil without managed groups that need it
	now      func() time.Time
}

// rule is a compiled rule of a web ACL or rule group.
type rule struct {
	source  api.Rule
	name    string
	metric  string
	kind    string // as logs name it
	labels  []string
	action  action
	matches matcher
	group   *group // instead of matches
	rate    *rates // nil: no rate-based rule
}

// action is what a rule does with the requests that it matches.
type action struct {
	name   string // ALLOW, BLOCK or COUNT
	refuse *Refusal
	insert []api.CustomHTTPHeader
}

// group is a rule group, managed or not, as a rule of a web ACL refers to it.
type group struct {
	id    string
	rules []*rule
	count bool // the action that ends evaluation is overridden to count
	scope matcher
}

// Refusal is the answer to a request that is blocked.
type Refusal struct {
	Status      int // 200..599
	Header      http.Header
	ContentType string // "" with no body of one's own
	Body        string
}

// Compile checks a web ACL and makes it ready. The rate-based rules that previous has too, unchanged, go on counting where it was; previous may be nil.
func (e *Engine) Compile(acl ACL, previous *Inspector) (*Inspector, error) {
	c := &compiler{engine: e, sets: acl.Sets, bodies: acl.Bodies, namespace: acl.Labels, previous: previous}
	i := &Inspector{now: e.now}
	var err error
	if i.rules, err = c.rules(acl.Rules, false); err != nil {
		return nil, err
	}
	if i.fallback, err = c.action(&api.RuleAction{Allow: acl.Default.Allow, Block: acl.Default.Block}); err != nil {
		return nil, fmt.Errorf("default action: %w", err)
	}
	i.crs, err = e.ruleset(c.groups)
	return i, err
}

// Engine compiles web ACLs, and shares between them the rule sets that stand in for AWS's managed groups: those take long to load.
type Engine struct {
	now   func() time.Time
	cache rulesets
}

// New makes an engine; now is the clock of rate-based rules.
func New(now func() time.Time) *Engine { return &Engine{now: now} }

type compiler struct {
	engine    *Engine
	sets      Sets
	bodies    map[string]api.CustomResponseBody
	namespace string
	previous  *Inspector
	groups    []Managed // that it refers to
	depth     int
}

func (c *compiler) rules(source []api.Rule, inGroup bool) ([]*rule, error) {
	var all []*rule
	priorities, names := map[int64]bool{}, map[string]bool{}
	for _, r := range source {
		if priorities[wire.Value(r.Priority)] || names[wire.Value(r.Name)] {
			return nil, fmt.Errorf("%w: rule %q: names and priorities must be unique", ErrInvalid, wire.Value(r.Name))
		}
		priorities[wire.Value(r.Priority)], names[wire.Value(r.Name)] = true, true
		compiled, err := c.rule(r, inGroup)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", wire.Value(r.Name), err)
		}
		all = append(all, compiled)
	}
	slices.SortFunc(all, func(a, b *rule) int { return cmp.Compare(*a.source.Priority, *b.source.Priority) })
	return all, nil
}

func (c *compiler) rule(source api.Rule, inGroup bool) (*rule, error) {
	if source.Name == nil || source.Priority == nil || source.Statement == nil || source.VisibilityConfig == nil {
		return nil, fmt.Errorf("%w: name, priority, statement and visibility are required", ErrInvalid)
	}
	r := &rule{source: source, name: *source.Name, kind: "REGULAR", metric: wire.Value(source.VisibilityConfig.MetricName)}
	for _, l := range source.RuleLabels {
		r.labels = append(r.labels, c.namespace+wire.Value(l.Name))
	}
	s := source.Statement
	if isGroup := s.ManagedRuleGroupStatement != nil || s.RuleGroupReferenceStatement != nil; isGroup {
		if inGroup {
			return nil, fmt.Errorf("%w: a rule group cannot hold a rule group", ErrInvalid)
		}
		if source.Action != nil || source.OverrideAction == nil || (source.OverrideAction.Count == nil) == (source.OverrideAction.None == nil) {
			return nil, fmt.Errorf("%w: a rule group takes an override action, none or count, and no action", ErrInvalid)
		}
		err := c.group(r, s)
		return r, err
	}
	var err error
	if source.OverrideAction != nil {
		return nil, fmt.Errorf("%w: only a rule group takes an override action", ErrInvalid)
	}
	if r.action, err = c.action(source.Action); err != nil {
		return nil, err
	}
	if s.RateBasedStatement != nil {
		r.kind = "RATE_BASED"
		r.rate, err = c.rate(s.RateBasedStatement)
		c.keep(r)
		return r, err
	}
	r.matches, err = c.statement(s)
	return r, err
}

// keep lets an unchanged rate-based rule go on counting.
func (c *compiler) keep(r *rule) {
	if c.previous == nil || r.rate == nil {
		return
	}
	for _, old := range c.previous.rules {
		if old.rate != nil && old.name == r.name && reflect.DeepEqual(old.source.Statement, r.source.Statement) {
			r.rate.counts = old.rate.counts
		}
	}
}

func (c *compiler) action(a *api.RuleAction) (action, error) {
	switch {
	case a == nil:
		return action{}, fmt.Errorf("%w: an action is required", ErrInvalid)
	case a.Captcha != nil || a.Challenge != nil:
		return action{}, fmt.Errorf("%w: CAPTCHA and challenge actions", ErrUnsupported)
	case a.Allow != nil && a.Block == nil && a.Count == nil:
		return action{name: "ALLOW", insert: inserted(a.Allow.CustomRequestHandling)}, nil
	case a.Count != nil && a.Block == nil && a.Allow == nil:
		return action{name: "COUNT", insert: inserted(a.Count.CustomRequestHandling)}, nil
	case a.Block != nil && a.Allow == nil && a.Count == nil:
		refuse, err := c.refusal(a.Block.CustomResponse)
		return action{name: "BLOCK", refuse: refuse}, err
	}
	return action{}, fmt.Errorf("%w: exactly one action is required", ErrInvalid)
}

func inserted(h *api.CustomRequestHandling) []api.CustomHTTPHeader {
	if h == nil {
		return nil
	}
	return h.InsertHeaders
}

// contentTypes are the types of custom response bodies.
var contentTypes = map[string]string{"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}

func (c *compiler) refusal(custom *api.CustomResponse) (*Refusal, error) {
	r := &Refusal{Status: http.StatusForbidden, Header: http.Header{}}
	if custom == nil {
		return r, nil
	}
	r.Status = int(wire.Or(custom.ResponseCode, http.StatusForbidden))
	if r.Status < 200 || r.Status > 599 {
		return nil, fmt.Errorf("%w: response code %d", ErrInvalid, r.Status)
	}
	for _, h := range custom.ResponseHeaders {
		if name := wire.Value(h.Name); strings.EqualFold(name, "content-type") || strings.EqualFold(name, "content-length") || strings.ContainsAny(name, "\r\n :") {
			return nil, fmt.Errorf("%w: response header %q", ErrInvalid, name)
		}
		r.Header.Set(wire.Value(h.Name), strings.NewReplacer("\r", " ", "\n", " ").Replace(wire.Value(h.Value)))
	}
	if key := custom.CustomResponseBodyKey; key != nil {
		body, ok := c.bodies[*key]
		if !ok {
			return nil, fmt.Errorf("%w: there is no custom response body %q", ErrInvalid, *key)
		}
		r.ContentType, r.Body = contentTypes[wire.Value(body.ContentType)], wire.Value(body.Content)
	}
	return r, nil
}
