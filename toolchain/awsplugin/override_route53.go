package main

import "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

func route53() resources {
	plural := func(name string) *tfbridge.SchemaInfo {
		return &tfbridge.SchemaInfo{Name: name, MaxItemsOne: tfbridge.False()}
	}
	return resources{
		"aws_route53_record": with(fields{
			"name":                       ownName(),
			"alias":                      plural("aliases"),
			"failover_routing_policy":    plural("failoverRoutingPolicies"),
			"geolocation_routing_policy": plural("geolocationRoutingPolicies"),
			"latency_routing_policy":     plural("latencyRoutingPolicies"),
			"weighted_routing_policy":    plural("weightedRoutingPolicies"),
		}),
		"aws_route53_zone": with(fields{"comment": described()}),
	}
}
