package firewall

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"storefront/lab/wire"
)

// BodyLimit is how much of a request's body is inspected at an Application Load Balancer, in bytes ("Considerations for managing oversize components").
const BodyLimit = 8 << 10

// Request is a request to inspect.
type Request struct {
	*http.Request
	Client netip.Addr // the peer of the connection
	Body   []byte     // the first BodyLimit bytes
	More   bool       // the body goes on after Body
}

// Match is a rule that a request matched.
type Match struct {
	Rule, Metric, Kind string // of the web ACL
	Group, Inner       string // rule group and rule in it; "" for a rule of the web ACL's own
	Action             string // ALLOW, BLOCK or COUNT
	Overridden         string // the action that the override replaced, or ""
	Details            []Detail
}

// Detail tells what in a request an SQL injection or cross-site scripting rule found.
type Detail struct{ Condition, Location, Data string }

// Verdict is what became of a request.
type Verdict struct {
	Action  string // ALLOW or BLOCK
	Match          // the rule that ended it; Rule is Default_Action when none did
	Counted []Match
	Labels  []string
	Refusal *Refusal          // when blocked
	Insert  map[string]string // header fields to add to a request that passes
}

// DefaultAction is the name of the rule that ends the evaluation when no other does.
const DefaultAction = "Default_Action"

// evaluation is one request on its way through the rules.
type evaluation struct {
	*Request
	inspector *Inspector
	query     url.Values // lazily, as what follows
	fields    []argument // of the body
	parsed    bool
	hits      []hit
	inspected bool
	labels    []string
	details   []Detail
}

// Inspect decides about a request.
func (i *Inspector) Inspect(r *Request) Verdict {
	return i.decide(&evaluation{Request: r, inspector: i})
}

func (i *Inspector) decide(e *evaluation) Verdict {
	v := Verdict{Insert: map[string]string{}}
	for _, rule := range i.rules {
		e.details = nil
		ended := false
		if rule.group != nil {
			ended = e.runGroup(rule, &v)
		} else if e.meets(rule) {
			ended = e.finish(&v, rule, Match{Rule: rule.name, Metric: rule.metric, Kind: rule.kind, Action: rule.action.name})
		}
		if ended {
			v.Labels = e.labels
			return v
		}
	}
	v.Action, v.Match, v.Labels, v.Refusal = i.fallback.name, Match{Rule: DefaultAction, Metric: DefaultAction, Kind: "REGULAR", Action: i.fallback.name}, e.labels, i.fallback.refuse
	e.insert(&v, i.fallback)
	return v
}

// meets reports whether a request matches a rule, rate-based ones after counting it.
func (e *evaluation) meets(r *rule) bool {
	if r.rate != nil {
		return r.rate.exceeded(e)
	}
	return r.matches(e)
}

// finish records a match, and reports whether it ends the evaluation.
func (e *evaluation) finish(v *Verdict, r *rule, m Match) bool {
	m.Details = e.details
	for _, l := range r.labels {
		if !slices.Contains(e.labels, l) {
			e.labels = append(e.labels, l)
		}
	}
	e.insert(v, r.action)
	if m.Action == "COUNT" {
		v.Counted = append(v.Counted, m)
		return false
	}
	v.Action, v.Match = m.Action, m
	if m.Action == "BLOCK" {
		v.Refusal = r.action.refuse
	}
	return true
}

func (e *evaluation) insert(v *Verdict, a action) {
	for _, h := range a.insert {
		v.Insert["x-amzn-waf-"+strings.ToLower(wire.Value(h.Name))] = wire.Value(h.Value)
	}
}

// runGroup evaluates a rule group. A rule that ends the evaluation does so for the web ACL, unless the group as a whole only counts.
func (e *evaluation) runGroup(outer *rule, v *Verdict) (ended bool) {
	g := outer.group
	if g.scope != nil && !g.scope(e) {
		return false
	}
	for _, r := range g.rules {
		e.details = nil
		if !e.meets(r) {
			continue
		}
		m := Match{Rule: outer.name, Metric: outer.metric, Kind: outer.kind, Group: g.id, Inner: r.name, Action: r.action.name}
		if m.Action != "COUNT" && g.count {
			m.Overridden, m.Action = m.Action, "COUNT"
			e.finish(v, r, m)
			return false
		}
		if e.finish(v, r, m) {
			return true
		}
	}
	return false
}
