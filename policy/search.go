package policy

import (
	"slices"
	"strings"
)

func searchEncrypted(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		f.on(d, "encryptAtRest.enabled", "is not encrypted at rest: set encryptAtRest")
		f.want(d, d.ownKey("encryptAtRest.kmsKeyId"), "is encrypted with a key of AWS's: set encryptAtRest.kmsKeyId")
		f.on(d, "nodeToNodeEncryption.enabled", "its nodes speak in the clear: set nodeToNodeEncryption")
	}
}

func searchInVPC(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		f.given(d, "vpcOptions.subnetIds", "is on the internet: set vpcOptions")
		f.given(d, "vpcOptions.securityGroupIds", "is in the default security group: give it its own")
	}
}

func searchTLS(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		f.on(d, "domainEndpointOptions.enforceHttps", "serves plain HTTP: set domainEndpointOptions.enforceHttps")
		f.want(d, strings.HasPrefix(d.text("domainEndpointOptions.tlsSecurityPolicy"), "Policy-Min-TLS-1-2"),
			"accepts TLS before 1.2: set domainEndpointOptions.tlsSecurityPolicy", "domainEndpointOptions.tlsSecurityPolicy")
	}
}

func searchLogs(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		var kinds []string
		for _, v := range d.list("logPublishingOptions") {
			if enabled := at(v, "enabled"); enabled.IsNull() || isTrue(enabled) {
				kinds = append(kinds, text(at(v, "logType")))
			}
		}
		f.want(d, slices.Contains(kinds, "ES_APPLICATION_LOGS"), "publishes no error logs: add ES_APPLICATION_LOGS", "logPublishingOptions")
		f.want(d, slices.Contains(kinds, "AUDIT_LOGS"), "publishes no audit logs: add AUDIT_LOGS", "logPublishingOptions")
	}
}

func searchNodes(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		f.want(d, d.atLeast("clusterConfig.instanceCount", 3) && d.on("clusterConfig.zoneAwarenessEnabled"),
			"has fewer than three data nodes over the zones: add some", "clusterConfig")
		f.want(d, d.on("clusterConfig.dedicatedMasterEnabled") && d.atLeast("clusterConfig.dedicatedMasterCount", 3),
			"has no three dedicated masters: add them", "clusterConfig")
	}
}

func searchAccess(s *Stack, f *findings) {
	for _, d := range s.all(elasticsearch, openSearch) {
		f.on(d, "advancedSecurityOptions.enabled", "lets whoever gets in read everything: set advancedSecurityOptions")
	}
}
