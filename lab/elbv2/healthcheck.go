package elbv2

import (
	"strconv"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/wire"
)

// trafficPort makes health checks use the port that a target receives traffic on.
const trafficPort = "traffic-port"

// healthCheckInput is what create and modify requests say about health checks.
type healthCheckInput struct {
	enabled              *bool
	protocol, port, path *string
	matcher              *api.Matcher
	interval, timeout    *int64
	healthy, unhealthy   *int64
}

// set changes what the request names, and checks the result.
func (h *HealthCheck) set(in healthCheckInput) error {
	if !wire.Or(in.enabled, true) {
		return invalid("Health checks cannot be disabled for target groups with target type 'instance' or 'ip'")
	}
	h.Protocol = wire.Or(in.protocol, h.Protocol)
	h.Port = wire.Or(in.port, h.Port)
	h.Path = wire.Or(in.path, h.Path)
	h.Interval, h.Timeout = int(wire.Or(in.interval, int64(h.Interval))), int(wire.Or(in.timeout, int64(h.Timeout)))
	h.Healthy, h.Unhealthy = int(wire.Or(in.healthy, int64(h.Healthy))), int(wire.Or(in.unhealthy, int64(h.Unhealthy)))
	if in.matcher != nil {
		if in.matcher.GrpcCode != nil {
			return invalid("A gRPC code matcher is for target groups with protocol version 'GRPC'")
		}
		h.Codes = wire.Or(in.matcher.HttpCode, h.Codes)
	}
	return h.check()
}

func (h *HealthCheck) check() error {
	if h.Protocol != "HTTP" && h.Protocol != "HTTPS" {
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", h.Protocol)
	}
	if h.Port != trafficPort {
		if n, err := strconv.Atoi(h.Port); err != nil || n < 1 || n > 65535 {
			return invalid("Health check port '%s' must be 'traffic-port' or an integer between 1 and 65535", h.Port)
		}
	}
	if !strings.HasPrefix(h.Path, "/") || strings.ContainsAny(h.Path, " \r\n\t") {
		return invalid("Health check path '%s' must begin with a '/' character and hold no white space", h.Path)
	}
	if h.Interval <= h.Timeout {
		return invalid("Health check interval must be greater than the timeout.")
	}
	for part := range strings.SplitSeq(h.Codes, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || low < 200 || high > 499 || low > high {
			return invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", h.Codes)
		}
	}
	return nil
}
