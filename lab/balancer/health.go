package balancer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"storefront/lab/network"
)

// TargetHealth is the state of a target as DescribeTargetHealth tells it.
type TargetHealth struct {
	State       string // "initial", "healthy", "unhealthy", "draining"
	Reason      string // "Target.ResponseCodeMismatch", ...; "" when healthy
	Description string
}

const (
	stateInitial int32 = iota
	stateHealthy
	stateUnhealthy
)

// Descriptions as AWS words them, by reason code.
var (
	initialChecking = TargetHealth{State: "initial", Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}
	drainingHealth  = TargetHealth{State: "draining", Reason: "Target.DeregistrationInProgress", Description: "Target deregistration is in progress"}
)

// checker checks one target until it is stopped.
type checker struct {
	target *target

	mu     sync.Mutex
	check  HealthCheck
	place  network.Place
	cancel context.CancelFunc
	last   TargetHealth // of the latest failure
}

// apply starts the checks, or starts them anew when their settings changed; what was found out so far is kept.
func (c *checker) apply(check HealthCheck, place network.Place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil && c.check == check && c.place == place {
		return
	}
	if c.cancel != nil {
		c.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.check, c.place, c.cancel = check, place, cancel
	go c.run(ctx, check, place)
}

func (c *checker) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
		c.cancel = nil
	}
}

// eager is how often a new target is looked at until it answers. On AWS, a target is checked by every node of the load balancer, each at times of its own,
// so that it is found well before an interval is over; here one checker does it for all.
const eager = 500 * time.Millisecond

// run checks at once and then every interval, and a new target also between. A new one needs a single success ("it must pass one health check"), an
// unhealthy one as many as its threshold says. What fails between does not count: a target has as long to start as its interval and threshold say.
func (c *checker) run(ctx context.Context, check HealthCheck, place network.Place) {
	ticker := time.NewTicker(check.Interval)
	defer ticker.Stop()
	successes, failures := 0, 0
	for counts := true; ; {
		failure, err := c.probe(ctx, check, place)
		if ctx.Err() != nil {
			return
		}
		state := c.target.state.Load()
		if err == nil {
			successes, failures = successes+1, 0
			if state == stateInitial || state == stateUnhealthy && successes >= check.Healthy {
				c.set(ctx, stateHealthy, TargetHealth{})
			}
		} else if counts {
			successes, failures = 0, failures+1
			if state != stateUnhealthy && failures >= check.Unhealthy {
				c.set(ctx, stateUnhealthy, failure)
			}
		}
		var soon <-chan time.Time
		if c.target.state.Load() == stateInitial {
			soon = time.After(eager)
		}
		select {
		case <-ticker.C:
			counts = true
		case <-soon:
			counts = false
		case <-ctx.Done():
			return
		}
	}
}

func (c *checker) set(ctx context.Context, state int32, why TargetHealth) {
	c.mu.Lock()
	if ctx.Err() != nil { // replaced in the meantime
		c.mu.Unlock()
		return
	}
	c.last = why
	if state == stateHealthy {
		c.target.healthySince.Store(time.Now().UnixNano())
	}
	c.target.state.Store(state)
	c.mu.Unlock()
	c.target.group.changed()
}

func (t *target) report() TargetHealth {
	t.checker.mu.Lock()
	defer t.checker.mu.Unlock()
	switch {
	case t.leaving.Load():
		return drainingHealth
	case t.state.Load() == stateHealthy:
		return TargetHealth{State: "healthy"}
	case t.state.Load() == stateUnhealthy:
		return t.checker.last
	}
	return initialChecking
}

// probe makes one health check. On failure it also returns what DescribeTargetHealth says about it.
func (c *checker) probe(ctx context.Context, check HealthCheck, place network.Place) (TargetHealth, error) {
	unhealthy := TargetHealth{State: "unhealthy", Reason: "Target.FailedHealthChecks", Description: "Health checks failed"}
	ctx, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	status, err := c.request(ctx, check, place)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			unhealthy.Reason, unhealthy.Description = "Target.Timeout", "Request timed out"
		}
		return unhealthy, err
	}
	matcher, err := parseMatcher(check.Codes)
	if err != nil {
		return unhealthy, err
	}
	if !matcher.matches(status) {
		unhealthy.Reason = "Target.ResponseCodeMismatch"
		unhealthy.Description = fmt.Sprintf("Health checks failed with these codes: [%d]", status)
		return unhealthy, errors.New(unhealthy.Description)
	}
	return TargetHealth{State: "healthy"}, nil
}

// request sends the health check's GET on a connection of its own and returns the status of the answer.
func (c *checker) request(ctx context.Context, check HealthCheck, place network.Place) (int, error) {
	address := c.target.Address
	if check.Port != 0 {
		address = netip.AddrPortFrom(address.Addr(), uint16(check.Port))
	}
	conn, err := c.target.group.network.Dial(ctx, place, "tcp", address.String())
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if check.TLS {
		conn = tls.Client(conn, targetTLS())
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n", check.Path, address)
	if err != nil {
		return 0, err
	}
	return readStatus(conn)
}

func readStatus(conn net.Conn) (int, error) {
	limited := &source{Conn: conn, left: maxResponseHeader}
	response, err := http.ReadResponse(bufio.NewReader(limited), nil)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, nil
}

// matcher is a set of status codes, as inclusive ranges.
type matcher [][2]int

// parseMatcher reads a health check matcher: codes and ranges between 200 and 599, such as "200-299,301". An empty one is "200".
func parseMatcher(codes string) (matcher, error) {
	if codes == "" {
		return matcher{{200, 200}}, nil
	}
	var m matcher
	for part := range strings.SplitSeq(codes, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || low < 200 || high > 599 || low > high {
			return nil, fmt.Errorf("matcher %q: %q is no status code or range between 200 and 599", codes, part)
		}
		m = append(m, [2]int{low, high})
	}
	return m, nil
}

func (m matcher) matches(status int) bool {
	for _, r := range m {
		if status >= r[0] && status <= r[1] {
			return true
		}
	}
	return false
}
