package policy

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	apiStage     = "aws:apigateway/stage:Stage"
	apiMethod    = "aws:apigateway/method:Method"
	apiSettings  = "aws:apigateway/methodSettings:MethodSettings"
	apiDomain    = "aws:apigateway/domainName:DomainName"
	httpStage    = "aws:apigatewayv2/stage:Stage"
	httpRoute    = "aws:apigatewayv2/route:Route"
	httpDomain   = "aws:apigatewayv2/domainName:DomainName"
	distribution = "aws:cloudfront/distribution:Distribution"
	zone         = "aws:route53/zone:Zone"
	queryLog     = "aws:route53/queryLog:QueryLog"
	zoneSigning  = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"
	stream       = "aws:kinesis/stream:Stream"
	userPool     = "aws:cognito/userPool:UserPool"
)

func apiGateways(s *Stack, f *findings) {
	for _, g := range s.all(apiStage) {
		f.given(g, "accessLogSettings", "keeps no access logs: set accessLogSettings")
		f.on(g, "xrayTracingEnabled", "is not traced: set xrayTracingEnabled")
		f.want(g, len(s.about(g, webACLAssociation, "resourceArn")) > 0, "has no web ACL: associate one")
	}
	for _, g := range s.all(httpStage) {
		f.given(g, "accessLogSettings", "keeps no access logs: set accessLogSettings")
	}
	for _, m := range s.all(apiMethod) {
		auth := m.text("authorization")
		f.want(m, auth != "" && auth != "NONE" || m.on("apiKeyRequired") || m.text("httpMethod") == "OPTIONS", "asks nobody who they are: set authorization", "authorization")
	}
	for _, r := range s.all(httpRoute) {
		auth := r.text("authorizationType")
		f.want(r, auth != "" && auth != "NONE", "asks nobody who they are: set authorizationType", "authorizationType")
	}
	for _, m := range s.all(apiSettings) {
		f.want(m, !m.on("settings.cachingEnabled") || m.on("settings.cacheDataEncrypted"), "its cache is not encrypted: set cacheDataEncrypted")
	}
	for _, d := range s.all(apiDomain) {
		f.want(d, d.text("securityPolicy") == "TLS_1_2", "accepts TLS before 1.2: set securityPolicy", "securityPolicy")
	}
	for _, d := range s.all(httpDomain) {
		f.want(d, d.text("domainNameConfiguration.securityPolicy") == "TLS_1_2", "accepts TLS before 1.2: set securityPolicy", "domainNameConfiguration")
	}
}

func distributionTLS(s *Stack, f *findings) {
	for _, d := range s.all(distribution) {
		behaviours := append(d.list("orderedCacheBehaviors"), d.value("defaultCacheBehavior"))
		plain := slices.ContainsFunc(behaviours, func(v property.Value) bool {
			p := text(at(v, "viewerProtocolPolicy"))
			return p != "redirect-to-https" && p != "https-only"
		})
		f.want(d, !plain, "serves plain HTTP: set viewerProtocolPolicy to redirect-to-https")
		f.given(d, "viewerCertificate.acmCertificateArn", "has CloudFront's certificate: set acmCertificateArn")
		f.want(d, d.text("viewerCertificate.sslSupportMethod") == "sni-only", "pays for addresses of its own: set sslSupportMethod to sni-only")
		f.want(d, strings.HasPrefix(d.text("viewerCertificate.minimumProtocolVersion"), "TLSv1.2"), "accepts TLS before 1.2: set minimumProtocolVersion")
		for _, o := range d.list("origins") {
			if custom := at(o, "customOriginConfig"); custom.IsMap() {
				f.want(d, text(at(custom, "originProtocolPolicy")) == "https-only", "speaks plain HTTP to an origin: set originProtocolPolicy to https-only")
			}
		}
	}
}

func distributionOrigins(s *Stack, f *findings) {
	for _, d := range s.all(distribution) {
		f.given(d, "loggingConfig.bucket", "keeps no logs: set loggingConfig")
		f.given(d, "webAclId", "has no web ACL: set webAclId")
		f.given(d, "defaultRootObject", "its root is undefined: set defaultRootObject")
		f.given(d, "originGroups", "stops with its origin: add an origin group")
		for _, o := range d.list("origins") {
			custom := at(o, "customOriginConfig").IsMap() || at(o, "vpcOriginConfig").IsMap()
			f.want(d, custom || !at(o, "originAccessControlId").IsNull(), "its bucket must be open to be read: set originAccessControlId")
		}
	}
}

// edge holds what no other row has. Detection of threats and the record of settings belong to the account, whatever is in it.
func edge(s *Stack, f *findings) {
	for _, r := range s.all(stream) {
		f.want(r, r.text("encryptionType") == "KMS", "is not encrypted: set encryptionType to KMS", "encryptionType")
	}
	for _, z := range s.all(zone) {
		if z.given("vpcs") {
			continue // private
		}
		f.want(z, len(s.about(z, queryLog, "zoneId")) > 0, "keeps no record of queries: add a query log")
		f.want(z, len(s.about(z, zoneSigning, "hostedZoneId")) > 0, "its answers can be forged: turn DNSSEC on")
	}
	for _, p := range s.all(userPool) {
		f.want(p, p.text("userPoolAddOns.advancedSecurityMode") == "ENFORCED", "does not guard accounts: set advancedSecurityMode to ENFORCED")
	}
	for _, t := range s.all(launchTemplate) {
		f.want(t, t.given("iamInstanceProfile"), "Systems Manager cannot reach its servers: give them a role")
	}
	if s.Len() == 0 {
		return
	}
	f.inAccount(len(s.all(threatDetector)) > 0, "has no GuardDuty detector in this stack: make one, or say who does")
	f.inAccount(len(s.all(settingsRecorder)) > 0, "has no AWS Config recorder in this stack: make one, or say who does")
}
