package balancer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"storefront/lab/network"
)

// ErrConfig is wrapped by every error about a Config that Apply refuses.
var ErrConfig = errors.New("load balancer configuration")

// Config is everything a load balancer does. Apply swaps one for the next.
type Config struct {
	Name         string // "app/web/50dc6c495c0c9188"
	Attributes   Attributes
	Nodes        []Node
	Listeners    []Listener
	TargetGroups []TargetGroup
	Firewall     Firewall // nil: none
}

// Attributes are the load balancer attributes that shape traffic. Zero durations mean AWS's defaults.
type Attributes struct {
	IdleTimeout        time.Duration // 1 s..4000 s, default 60 s
	ClientKeepAlive    time.Duration // longest life of a client connection, 60 s..7 days, default 1 h
	DropInvalidHeaders bool          // drop header fields whose names are not letters, digits and hyphens
	PreserveHost       bool          // leave Host alone; else a listener port other than 80 and 443 is appended when Host has none
	DisableHTTP2       bool
	ClientPort         bool             // append the client's port in X-Forwarded-For
	ForwardedFor       ForwardedForMode // default ForwardedForAppend
	Desync             DesyncMode       // default DesyncDefensive
	TLSHeaders         bool             // add X-Amzn-Tls-Version and X-Amzn-Tls-Cipher-Suite
	AccessLogs         bool             // write an access log to the LogSink
	FailOpen           bool             // let requests pass that the Firewall cannot tell about; else they are answered 500
}

// ForwardedForMode is the attribute routing.http.xff_header_processing.mode.
type ForwardedForMode string

// The ways to treat X-Forwarded-For.
const (
	ForwardedForAppend   ForwardedForMode = "append"
	ForwardedForPreserve ForwardedForMode = "preserve"
	ForwardedForRemove   ForwardedForMode = "remove"
)

// DesyncMode is the attribute routing.http.desync_mitigation_mode.
type DesyncMode string

// The modes of desync mitigation.
const (
	DesyncMonitor   DesyncMode = "monitor"
	DesyncDefensive DesyncMode = "defensive"
	DesyncStrictest DesyncMode = "strictest"
)

// Node is the load balancer in one subnet.
type Node struct {
	Zone    string        // availability zone name
	Place   network.Place // where it listens and dials from
	Address netip.Addr    // the private address it listens on
}

// Listener accepts connections on one port of every node.
type Listener struct {
	ARN   string
	Port  int    // 1..65535; 0 picks a free one, for tests
	TLS   *TLS   // nil is HTTP
	Rules []Rule // in order of priority; the last is the default rule, without conditions
}

// TLS is what an HTTPS listener presents.
type TLS struct {
	Certificates           []Certificate // the first is the default one, the others are chosen by SNI
	MinVersion, MaxVersion uint16        // tls.VersionTLS12...; 0 is Go's default
	CipherSuites           []uint16      // for TLS 1.2 and older; nil is Go's default
}

// Certificate is a certificate with its private key.
type Certificate struct {
	ARN string // for access logs
	*tls.Certificate
}

// Rule forwards, redirects or answers the requests that meet all its conditions.
type Rule struct {
	Priority   int // 0 is the default rule
	Conditions []Condition
	Action     Action
}

// Condition is met when any of its values matches. Exactly one of the fields is set, except that HeaderName goes with HeaderValues.
type Condition struct {
	Hosts        []string // host-header, with * and ?, in any case
	Paths        []string // path-pattern, with * and ?, case counts
	HeaderName   string   // http-header
	HeaderValues []string
	Methods      []string // http-request-method, case counts
	Query        []QueryPair
	Sources      []netip.Prefix // source-ip, of the connection
}

// QueryPair matches a key and value of the query string; an empty Key matches any key.
type QueryPair struct{ Key, Value string }

// Action is what a rule does. Exactly one field is set.
type Action struct {
	Forward  *Forward
	Redirect *Redirect
	Fixed    *FixedResponse
}

// Forward sends the request to one of the groups, by weight.
type Forward struct {
	Groups     []WeightedGroup
	Stickiness time.Duration // 0: none; else a client stays with its group for that long
}

// WeightedGroup is a target group of a forward action.
type WeightedGroup struct {
	ARN    string
	Weight int // 0..999; 0 gets nothing
}

// Redirect answers with a URL whose parts may hold #{protocol}, #{host}, #{port}, #{path} and #{query}. Empty parts keep the request's.
type Redirect struct {
	Protocol, Host, Port, Path, Query string
	Status                            int // 301 or 302
}

// FixedResponse is answered by the load balancer itself.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

// Algorithm is the attribute load_balancing.algorithm.type.
type Algorithm string

// The algorithms that choose a target.
const (
	RoundRobin       Algorithm = "round_robin"
	LeastOutstanding Algorithm = "least_outstanding_requests"
	WeightedRandom   Algorithm = "weighted_random" // every target has the same weight, as anomaly mitigation is not served
)

// TargetGroup is a set of targets that serve the same thing.
type TargetGroup struct {
	ARN            string
	TLS            bool // HTTPS to the targets; certificates are not verified, as on AWS
	Algorithm      Algorithm
	SlowStart      time.Duration // 0 or 30 s..900 s
	Stickiness     Stickiness
	ZoneLocal      bool // cross-zone load balancing is off: a node uses targets of its own zone only
	MinimumHealthy int  // fewer healthy targets than this, and requests go to all targets; at least 1
	HealthCheck    HealthCheck
	Targets        []Target
}

// Stickiness keeps a client with its target by cookie.
type Stickiness struct {
	Type     StickinessType // "" is off
	Duration time.Duration
	Cookie   string // the application's cookie, for AppCookie
}

// StickinessType is the attribute stickiness.type.
type StickinessType string

// The kinds of stickiness of an Application Load Balancer.
const (
	LBCookie  StickinessType = "lb_cookie"
	AppCookie StickinessType = "app_cookie"
)

// HealthCheck says how the targets of a group are checked.
type HealthCheck struct {
	TLS                bool
	Port               int    // 0 is the port that the target receives traffic on
	Path               string // "/healthz"
	Codes              string // matcher, such as "200", "200,202" or "200-299,301"
	Interval, Timeout  time.Duration
	Healthy, Unhealthy int // consecutive results that change the state
}

// Target is one destination of a target group.
type Target struct {
	ID       string // instance ID or IP address, as registered
	Address  netip.AddrPort
	Zone     string // "all" outside the VPC's zones
	Draining bool   // deregistered: finishes what is in flight, gets nothing new
}

func (c *Config) validate() error {
	groups := map[string]bool{}
	for _, g := range c.TargetGroups {
		groups[g.ARN] = true
		if _, err := parseMatcher(g.HealthCheck.Codes); err != nil {
			return fmt.Errorf("%w: target group %s: %w", ErrConfig, g.ARN, err)
		}
		if h := g.HealthCheck; h.Interval <= 0 || h.Timeout <= 0 || h.Healthy < 1 || h.Unhealthy < 1 {
			return fmt.Errorf("%w: target group %s: health check needs an interval, a timeout and thresholds above zero", ErrConfig, g.ARN)
		}
	}
	for _, l := range c.Listeners {
		if len(l.Rules) == 0 || len(l.Rules[len(l.Rules)-1].Conditions) != 0 {
			return fmt.Errorf("%w: listener %d: the last rule must be the default one, without conditions", ErrConfig, l.Port)
		}
		if l.TLS != nil && len(l.TLS.Certificates) == 0 {
			return fmt.Errorf("%w: listener %d: HTTPS without a certificate", ErrConfig, l.Port)
		}
		for _, r := range l.Rules {
			if err := r.Action.validate(groups); err != nil {
				return fmt.Errorf("%w: listener %d, rule %d: %w", ErrConfig, l.Port, r.Priority, err)
			}
		}
	}
	return nil
}

func (a Action) validate(groups map[string]bool) error {
	switch {
	case a.Forward != nil:
		for _, g := range a.Forward.Groups {
			if !groups[g.ARN] {
				return fmt.Errorf("forwards to target group %q, which is not in the configuration", g.ARN)
			}
		}
	case a.Redirect != nil:
		if s := a.Redirect.Status; s != 301 && s != 302 {
			return fmt.Errorf("redirects with status %d, want 301 or 302", s)
		}
	case a.Fixed != nil:
		if s := a.Fixed.Status; s < 200 || s > 599 {
			return fmt.Errorf("answers with status %d, want 200..599", s)
		}
	default:
		return errors.New("does nothing")
	}
	return nil
}

func (a Attributes) withDefaults() Attributes {
	if a.IdleTimeout == 0 {
		a.IdleTimeout = time.Minute
	}
	if a.ClientKeepAlive == 0 {
		a.ClientKeepAlive = time.Hour
	}
	if a.ForwardedFor == "" {
		a.ForwardedFor = ForwardedForAppend
	}
	if a.Desync == "" {
		a.Desync = DesyncDefensive
	}
	return a
}
