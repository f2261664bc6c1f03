package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"
)

func searchEncrypted(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		f.on(d, "encryptAtRest.enabled", "is not encrypted at rest: set encryptAtRest")
		f.want(d, d.OwnKey("encryptAtRest.kmsKeyId"), "is encrypted with a key of AWS's: set encryptAtRest.kmsKeyId")
		f.on(d, "nodeToNodeEncryption.enabled", "its nodes speak in the clear: set nodeToNodeEncryption")
	}
}

func searchInVPC(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		f.given(d, "vpcOptions.subnetIds", "is on the internet: set vpcOptions")
		f.given(d, "vpcOptions.securityGroupIds", "is in the default security group: give it its own")
	}
}

func searchTLS(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		f.on(d, "domainEndpointOptions.enforceHttps", "serves plain HTTP: set domainEndpointOptions.enforceHttps")
		f.want(d, strings.HasPrefix(d.Text("domainEndpointOptions.tlsSecurityPolicy"), "Policy-Min-TLS-1-2"),
			"accepts TLS before 1.2: set domainEndpointOptions.tlsSecurityPolicy", "domainEndpointOptions.tlsSecurityPolicy")
	}
}

func searchLogs(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		var kinds []string
		for _, v := range d.List("logPublishingOptions") {
			if enabled := inventory.At(v, "enabled"); enabled.IsNull() || inventory.True(enabled) {
				kinds = append(kinds, inventory.Text(inventory.At(v, "logType")))
			}
		}
		f.want(d, slices.Contains(kinds, "ES_APPLICATION_LOGS"), "publishes no error logs: add ES_APPLICATION_LOGS", "logPublishingOptions")
		f.want(d, slices.Contains(kinds, "AUDIT_LOGS"), "publishes no audit logs: add AUDIT_LOGS", "logPublishingOptions")
	}
}

func searchNodes(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		f.want(d, d.AtLeast("clusterConfig.instanceCount", 3) && d.On("clusterConfig.zoneAwarenessEnabled"),
			"has fewer than three data nodes over the zones: add some", "clusterConfig")
		f.want(d, d.On("clusterConfig.dedicatedMasterEnabled") && d.AtLeast("clusterConfig.dedicatedMasterCount", 3),
			"has no three dedicated masters: add them", "clusterConfig")
	}
}

func searchAccess(s *inventory.Stack, f *findings) {
	for _, d := range s.All(elasticsearch, openSearch) {
		f.on(d, "advancedSecurityOptions.enabled", "lets whoever gets in read everything: set advancedSecurityOptions")
	}
}
