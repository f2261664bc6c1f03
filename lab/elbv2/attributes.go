package elbv2

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// attribute is one attribute of a load balancer or target group: its default and what it may be.
type attribute struct {
	initial string
	allowed func(value string) bool
}

const deletionProtection = "deletion_protection.enabled"

// loadBalancerAttributes are those of an application load balancer, see "LoadBalancerAttribute" in the API reference.
var loadBalancerAttributes = map[string]attribute{
	"access_logs.s3.enabled":                                   {"false", boolean},
	"access_logs.s3.bucket":                                    {"", anything},
	"access_logs.s3.prefix":                                    {"", logPrefix},
	"connection_logs.s3.enabled":                               {"false", only("false")},
	"connection_logs.s3.bucket":                                {"", anything},
	"connection_logs.s3.prefix":                                {"", logPrefix},
	deletionProtection:                                         {"false", boolean},
	"load_balancing.cross_zone.enabled":                        {"true", only("true")},
	"idle_timeout.timeout_seconds":                             {"60", between(1, 4000)},
	"client_keep_alive.seconds":                                {"3600", between(60, 604800)},
	"ipv6.deny_all_igw_traffic":                                {"false", boolean},
	"routing.http.desync_mitigation_mode":                      {"defensive", only("monitor", "defensive", "strictest")},
	"routing.http.drop_invalid_header_fields.enabled":          {"false", boolean},
	"routing.http.preserve_host_header.enabled":                {"false", boolean},
	"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": {"false", boolean},
	"routing.http.xff_client_port.enabled":                     {"false", boolean},
	"routing.http.xff_header_processing.mode":                  {"append", only("append", "preserve", "remove")},
	"routing.http2.enabled":                                    {"true", boolean},
	"waf.fail_open.enabled":                                    {"false", boolean},
	"zonal_shift.config.enabled":                               {"false", boolean},
}

// targetGroupAttributes are those of instance and ip target groups of an application load balancer, see "TargetGroupAttribute".
var targetGroupAttributes = map[string]attribute{
	"deregistration_delay.timeout_seconds":                                           {"300", between(0, 3600)},
	"stickiness.enabled":                                                             {"false", boolean},
	"stickiness.type":                                                                {"lb_cookie", only("lb_cookie", "app_cookie")},
	"stickiness.lb_cookie.duration_seconds":                                          {"86400", between(1, 604800)},
	"stickiness.app_cookie.cookie_name":                                              {"", applicationCookie},
	"stickiness.app_cookie.duration_seconds":                                         {"86400", between(1, 604800)},
	"load_balancing.algorithm.type":                                                  {"round_robin", only("round_robin", "least_outstanding_requests", "weighted_random")},
	"load_balancing.algorithm.anomaly_mitigation":                                    {"off", only("off")},
	"load_balancing.cross_zone.enabled":                                              {"use_load_balancer_configuration", only("true", "false", "use_load_balancer_configuration")},
	"slow_start.duration_seconds":                                                    {"0", func(v string) bool { return v == "0" || between(30, 900)(v) }},
	"target_group_health.dns_failover.minimum_healthy_targets.count":                 {"1", offOr(1, 1000)},
	"target_group_health.dns_failover.minimum_healthy_targets.percentage":            {"off", offOr(1, 100)},
	"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      {"1", between(1, 1000)},
	"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": {"off", offOr(1, 100)},
}

// listenerAttributes are those of HTTP and HTTPS listeners.
var listenerAttributes = map[string]attribute{"routing.http.response.server.enabled": {"true", only("true")}}

func anything(string) bool { return true }

func boolean(v string) bool { return v == "true" || v == "false" }

func only(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func between(low, high int) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= low && n <= high
	}
}

func offOr(low, high int) func(string) bool {
	return func(v string) bool { return v == "off" || between(low, high)(v) }
}

// logPrefix must not hold the folder name that AWS adds, nor end in a slash.
func logPrefix(v string) bool { return !strings.Contains(v, "AWSLogs") && !strings.HasSuffix(v, "/") }

// applicationCookie must not be one of the load balancer's own.
func applicationCookie(v string) bool {
	return !slices.Contains([]string{"AWSALB", "AWSALBAPP", "AWSALBTG"}, v)
}

func defaults(of map[string]attribute) map[string]string {
	values := make(map[string]string, len(of))
	for key, a := range of {
		values[key] = a.initial
	}
	return values
}

// setAttributes changes values as asked, or fails on the first key (in order) that is unknown or whose value is not allowed.
func setAttributes(noun string, of map[string]attribute, values, asked map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		a, ok := of[key]
		if !ok {
			return invalid("%s attribute key '%s' is not recognized", noun, key)
		}
		if !a.allowed(asked[key]) {
			return invalid("%s attribute value '%s' is not valid for key '%s'", noun, asked[key], key)
		}
		values[key] = asked[key]
	}
	return nil
}
