package firewall

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// rates counts the requests of each client over a sliding window, exact to the second. AWS looks at its counts every few seconds; this looks at every request.
type rates struct {
	limit, window int64
	key           func(*evaluation) (string, bool)
	scope         matcher // nil: every request counts
	forwarded     *api.ForwardedIPConfig
	counts        *counts
}

// counts are the counts of a rate-based rule. They outlive a change of the web ACL's other rules.
type counts struct {
	mu    sync.Mutex
	by    map[string][]second
	swept int64 // when what is out of the window was last forgotten
}

// second is how many requests a client sent in one second.
type second struct{ at, number int64 }

func (c *compiler) rate(s *api.RateBasedStatement) (*rates, error) {
	r := &rates{limit: wire.Value(s.Limit), window: wire.Or(s.EvaluationWindowSec, 300), forwarded: s.ForwardedIPConfig, counts: &counts{by: map[string][]second{}}}
	if r.limit < 10 || !slices.Contains([]int64{60, 120, 300, 600}, r.window) {
		return nil, fmt.Errorf("%w: rate limits are at least 10 in 60, 120, 300 or 600 seconds", ErrInvalid)
	}
	switch kind := wire.Value(s.AggregateKeyType); kind {
	case "IP":
		r.key = func(e *evaluation) (string, bool) { return networkOf(e.Client), true }
	case "FORWARDED_IP":
		if r.forwarded == nil {
			return nil, fmt.Errorf("%w: FORWARDED_IP needs a ForwardedIPConfig", ErrInvalid)
		}
		r.key = r.forwardedKey
	case "CONSTANT":
		if s.ScopeDownStatement == nil {
			return nil, fmt.Errorf("%w: CONSTANT needs a scope-down statement", ErrInvalid)
		}
		r.key = func(*evaluation) (string, bool) { return "", true }
	default:
		return nil, fmt.Errorf("%w: rate limits by %s", ErrUnsupported, kind)
	}
	if s.ScopeDownStatement == nil {
		return r, nil
	}
	var err error
	r.scope, err = c.statement(s.ScopeDownStatement)
	return r, err
}

// forwardedKey is the client that a header field tells; without the field the rule does not apply, and with a broken one the fallback decides.
func (r *rates) forwardedKey(e *evaluation) (string, bool) {
	value := e.Header.Get(wire.Value(r.forwarded.HeaderName))
	if value == "" {
		return "", false
	}
	first, _, _ := strings.Cut(value, ",")
	address, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return "", false
	}
	return networkOf(address), true
}

// networkOf is what counts as one client: an IPv4 address, or a /64 of IPv6.
func networkOf(a netip.Addr) string {
	if a = a.Unmap(); a.Is6() {
		p, _ := a.Prefix(64) // never fails
		return p.String()
	}
	return a.String()
}

// exceeded counts a request, and reports whether its client is now above the limit.
func (r *rates) exceeded(e *evaluation) bool {
	if r.scope != nil && !r.scope(e) {
		return false
	}
	key, ok := r.key(e)
	if !ok {
		f := r.forwarded
		return f != nil && wire.Value(f.FallbackBehavior) == "MATCH" && e.Header.Get(wire.Value(f.HeaderName)) != ""
	}
	return r.counts.add(key, e.inspector.now().Unix(), r.window) > r.limit
}

// add counts one more request and returns how many the window holds.
func (c *counts) add(key string, now, window int64) (total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now-c.swept >= window {
		c.swept = now
		for k, list := range c.by {
			if list[len(list)-1].at <= now-window {
				delete(c.by, k)
			}
		}
	}
	list := slices.DeleteFunc(c.by[key], func(s second) bool { return s.at <= now-window })
	if n := len(list); n > 0 && list[n-1].at == now {
		list[n-1].number++
	} else {
		list = append(list, second{now, 1})
	}
	c.by[key] = list
	for _, s := range list {
		total += s.number
	}
	return total
}

// Limited returns the clients that a rate-based rule holds above its limit now, in order; ok is false for no rule of that name.
func (i *Inspector) Limited(rule string) (clients []string, ok bool) {
	for _, r := range i.rules {
		if r.name == rule && r.rate != nil {
			return r.rate.above(i.now().Unix()), true
		}
	}
	return nil, false
}

func (r *rates) above(now int64) (clients []string) {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	for key, list := range r.counts.by {
		total := int64(0)
		for _, s := range list {
			if s.at > now-r.window {
				total += s.number
			}
		}
		if total > r.limit {
			clients = append(clients, key)
		}
	}
	slices.Sort(clients)
	return clients
}
