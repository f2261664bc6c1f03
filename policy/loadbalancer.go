package policy

import (
	"slices"
	"strings"
)

func redirectsToHTTPS(s *Stack, f *findings) {
	for _, l := range s.all(listener) {
		if l.text("protocol") != "HTTP" {
			continue
		}
		f.want(l, l.text("defaultActions.0.type") == "redirect" && l.text("defaultActions.0.redirect.protocol") == "HTTPS",
			"serves plain HTTP: redirect to HTTPS, which a certificate turns on")
	}
}

// modern are the beginnings of the names of the security policies that accept nothing before TLS 1.2.
var modern = []string{"ELBSecurityPolicy-TLS13-1-2", "ELBSecurityPolicy-TLS13-1-3", "ELBSecurityPolicy-FS-1-2", "ELBSecurityPolicy-TLS-1-2"}

func modernTLS(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		served := false
		for _, l := range s.about(b, listener, "loadBalancerArn") {
			if l.text("protocol") != "HTTPS" {
				continue
			}
			served = true
			ok := slices.ContainsFunc(modern, func(begin string) bool { return strings.HasPrefix(l.text("sslPolicy"), begin) })
			f.want(l, ok, "accepts TLS before 1.2: choose a policy like ELBSecurityPolicy-TLS13-1-2-2021-06", "sslPolicy")
		}
		f.want(b, served, "serves no HTTPS: give it a listener with a certificate")
	}
}

func dropsInvalidHeaders(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		f.on(b, "dropInvalidHeaderFields", "passes invalid headers on: set dropInvalidHeaderFields")
	}
}

func balancerLogs(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		f.on(b, "accessLogs.enabled", "keeps no access logs: set accessLogs")
	}
}

func balancerProtected(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		f.on(b, "enableDeletionProtection", "can be deleted by one call: set enableDeletionProtection")
	}
}

func desyncMitigated(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		mode := b.text("desyncMitigationMode")
		f.want(b, mode == "defensive" || mode == "strictest", "does not say that ambiguous requests are refused: set desyncMitigationMode to defensive",
			"desyncMitigationMode")
	}
}

func balancerZones(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		f.want(b, s.zones(b, "subnets") >= 2, "is not known to be in two zones: give it subnets of several", "subnets")
	}
}

func balancerHasWebACL(s *Stack, f *findings) {
	for _, b := range s.all(loadBalancer) {
		f.want(b, len(s.about(b, webACLAssociation, "resourceArn")) > 0, "has no web ACL: associate one")
	}
}
