//go:build linux

package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"storefront/lab/wire"
)

// maxSlow is the longest that a fault may hold up a call: SDKs give up soon after.
const maxSlow = time.Minute

// disturbances are the faults in force against the calls of AWS services. The zero value disturbs nothing.
type disturbances struct {
	mu      sync.Mutex
	refused map[string]int           // percent of the calls, by service
	delay   map[string]time.Duration // by service
}

// disturb is wire.Options.Disturb.
func (d *disturbances) disturb(ctx context.Context, service string) error {
	d.mu.Lock()
	refused, delay := d.refused[service], d.delay[service]
	d.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if rand.IntN(100) < refused {
		return wire.ErrThrottled
	}
	return nil
}

func (l *lab) throttle(_ context.Context, target string) error {
	service, share, given := strings.Cut(target, ":")
	percent := 100
	if given {
		var err error
		if percent, err = strconv.Atoi(share); err != nil || percent < 1 || percent > 100 {
			return fmt.Errorf("the share %q is no number of percent from 1 to 100", share)
		}
	}
	return l.disturbed(service, func(d *disturbances) { put(&d.refused, service, percent) })
}

func (l *lab) unthrottle(_ context.Context, service string) error {
	return l.disturbed(service, func(d *disturbances) { delete(d.refused, service) })
}

func (l *lab) slow(_ context.Context, target string) error {
	service, text, _ := strings.Cut(target, ":")
	ms, err := strconv.ParseInt(text, 10, 32)
	delay := time.Duration(ms) * time.Millisecond
	if err != nil || delay <= 0 || delay > maxSlow {
		return fmt.Errorf("the delay %q is no number of milliseconds from 1 to %d: slow takes SERVICE:MILLISECONDS", text, maxSlow.Milliseconds())
	}
	return l.disturbed(service, func(d *disturbances) { put(&d.delay, service, delay) })
}

func (l *lab) unslow(_ context.Context, service string) error {
	return l.disturbed(service, func(d *disturbances) { delete(d.delay, service) })
}

// disturbed changes what disturbs a service that there is.
func (l *lab) disturbed(service string, change func(*disturbances)) error {
	if !slices.Contains(endpointNames(), service) {
		return fmt.Errorf("the lab has no service %q; it has %s", service, strings.Join(endpointNames(), ", "))
	}
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	change(&l.calls)
	return nil
}

func (l *lab) throttled() (targets []string, _ error) {
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	for service, percent := range l.calls.refused {
		targets = append(targets, fmt.Sprintf("%s:%d", service, percent))
	}
	slices.Sort(targets)
	return targets, nil
}

func (l *lab) slowed() (targets []string, _ error) {
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	for service, delay := range l.calls.delay {
		targets = append(targets, fmt.Sprintf("%s:%d", service, delay.Milliseconds()))
	}
	slices.Sort(targets)
	return targets, nil
}

// put puts into a map that may not be made yet.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}
