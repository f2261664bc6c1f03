package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"
)

func redirectsToHTTPS(s *inventory.Stack, f *findings) {
	for _, l := range s.All(listener) {
		if l.Text("protocol") != "HTTP" {
			continue
		}
		f.want(l, l.Text("defaultActions.0.type") == "redirect" && l.Text("defaultActions.0.redirect.protocol") == "HTTPS",
			"serves plain HTTP: redirect to HTTPS, which a certificate turns on")
	}
}

// modern are the beginnings of the names of the security policies that accept nothing before TLS 1.2.
var modern = []string{"ELBSecurityPolicy-TLS13-1-2", "ELBSecurityPolicy-TLS13-1-3", "ELBSecurityPolicy-FS-1-2", "ELBSecurityPolicy-TLS-1-2"}

func modernTLS(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		served := false
		for _, l := range s.About(b, listener, "loadBalancerArn") {
			if l.Text("protocol") != "HTTPS" {
				continue
			}
			served = true
			ok := slices.ContainsFunc(modern, func(begin string) bool { return strings.HasPrefix(l.Text("sslPolicy"), begin) })
			f.want(l, ok, "accepts TLS before 1.2: choose a policy like ELBSecurityPolicy-TLS13-1-2-2021-06", "sslPolicy")
		}
		f.want(b, served, "serves no HTTPS: give it a listener with a certificate")
	}
}

func dropsInvalidHeaders(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		f.on(b, "dropInvalidHeaderFields", "passes invalid headers on: set dropInvalidHeaderFields")
	}
}

func balancerLogs(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		f.on(b, "accessLogs.enabled", "keeps no access logs: set accessLogs")
	}
}

func balancerProtected(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		f.on(b, "enableDeletionProtection", "can be deleted by one call: set enableDeletionProtection")
	}
}

func desyncMitigated(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		mode := b.Text("desyncMitigationMode")
		f.want(b, mode == "defensive" || mode == "strictest", "does not say that ambiguous requests are refused: set desyncMitigationMode to defensive",
			"desyncMitigationMode")
	}
}

func balancerZones(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		f.want(b, s.Zones(b, "subnets") >= 2, "is not known to be in two zones: give it subnets of several", "subnets")
	}
}

func balancerHasWebACL(s *inventory.Stack, f *findings) {
	for _, b := range s.All(loadBalancer) {
		f.want(b, len(s.About(b, webACLAssociation, "resourceArn")) > 0, "has no web ACL: associate one")
	}
}
