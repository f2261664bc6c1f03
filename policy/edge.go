package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"

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

func apiGateways(s *inventory.Stack, f *findings) {
	for _, g := range s.All(apiStage) {
		f.given(g, "accessLogSettings", "keeps no access logs: set accessLogSettings")
		f.on(g, "xrayTracingEnabled", "is not traced: set xrayTracingEnabled")
		f.want(g, len(s.About(g, webACLAssociation, "resourceArn")) > 0, "has no web ACL: associate one")
	}
	for _, g := range s.All(httpStage) {
		f.given(g, "accessLogSettings", "keeps no access logs: set accessLogSettings")
	}
	for _, m := range s.All(apiMethod) {
		auth := m.Text("authorization")
		f.want(m, auth != "" && auth != "NONE" || m.On("apiKeyRequired") || m.Text("httpMethod") == "OPTIONS", "asks nobody who they are: set authorization", "authorization")
	}
	for _, r := range s.All(httpRoute) {
		auth := r.Text("authorizationType")
		f.want(r, auth != "" && auth != "NONE", "asks nobody who they are: set authorizationType", "authorizationType")
	}
	for _, m := range s.All(apiSettings) {
		f.want(m, !m.On("settings.cachingEnabled") || m.On("settings.cacheDataEncrypted"), "its cache is not encrypted: set cacheDataEncrypted")
	}
	for _, d := range s.All(apiDomain) {
		f.want(d, d.Text("securityPolicy") == "TLS_1_2", "accepts TLS before 1.2: set securityPolicy", "securityPolicy")
	}
	for _, d := range s.All(httpDomain) {
		f.want(d, d.Text("domainNameConfiguration.securityPolicy") == "TLS_1_2", "accepts TLS before 1.2: set securityPolicy", "domainNameConfiguration")
	}
}

func distributionTLS(s *inventory.Stack, f *findings) {
	for _, d := range s.All(distribution) {
		behaviours := append(d.List("orderedCacheBehaviors"), d.Value("defaultCacheBehavior"))
		plain := slices.ContainsFunc(behaviours, func(v property.Value) bool {
			p := inventory.Text(inventory.At(v, "viewerProtocolPolicy"))
			return p != "redirect-to-https" && p != "https-only"
		})
		f.want(d, !plain, "serves plain HTTP: set viewerProtocolPolicy to redirect-to-https")
		f.given(d, "viewerCertificate.acmCertificateArn", "has CloudFront's certificate: set acmCertificateArn")
		f.want(d, d.Text("viewerCertificate.sslSupportMethod") == "sni-only", "pays for addresses of its own: set sslSupportMethod to sni-only")
		f.want(d, strings.HasPrefix(d.Text("viewerCertificate.minimumProtocolVersion"), "TLSv1.2"), "accepts TLS before 1.2: set minimumProtocolVersion")
		for _, o := range d.List("origins") {
			if custom := inventory.At(o, "customOriginConfig"); custom.IsMap() {
				f.want(d, inventory.Text(inventory.At(custom, "originProtocolPolicy")) == "https-only", "speaks plain HTTP to an origin: set originProtocolPolicy to https-only")
			}
		}
	}
}

func distributionOrigins(s *inventory.Stack, f *findings) {
	for _, d := range s.All(distribution) {
		f.given(d, "loggingConfig.bucket", "keeps no logs: set loggingConfig")
		f.given(d, "webAclId", "has no web ACL: set webAclId")
		f.given(d, "defaultRootObject", "its root is undefined: set defaultRootObject")
		f.given(d, "originGroups", "stops with its origin: add an origin group")
		for _, o := range d.List("origins") {
			custom := inventory.At(o, "customOriginConfig").IsMap() || inventory.At(o, "vpcOriginConfig").IsMap()
			f.want(d, custom || !inventory.At(o, "originAccessControlId").IsNull(), "its bucket must be open to be read: set originAccessControlId")
		}
	}
}

// edge holds what no other row has. Detection of threats and the record of settings belong to the account, whatever is in it.
func edge(s *inventory.Stack, f *findings) {
	for _, r := range s.All(stream) {
		f.want(r, r.Text("encryptionType") == "KMS", "is not encrypted: set encryptionType to KMS", "encryptionType")
	}
	for _, z := range s.All(zone) {
		if z.Given("vpcs") {
			continue // private
		}
		f.want(z, len(s.About(z, queryLog, "zoneId")) > 0, "keeps no record of queries: add a query log")
		f.want(z, len(s.About(z, zoneSigning, "hostedZoneId")) > 0, "its answers can be forged: turn DNSSEC on")
	}
	for _, p := range s.All(userPool) {
		f.want(p, p.Text("userPoolAddOns.advancedSecurityMode") == "ENFORCED", "does not guard accounts: set advancedSecurityMode to ENFORCED")
	}
	for _, t := range s.All(launchTemplate) {
		f.want(t, t.Given("iamInstanceProfile"), "Systems Manager cannot reach its servers: give them a role")
	}
	if s.Len() == 0 {
		return
	}
	f.inAccount(len(s.All(threatDetector)) > 0, "has no GuardDuty detector in this stack: make one, or say who does")
	f.inAccount(len(s.All(settingsRecorder)) > 0, "has no AWS Config recorder in this stack: make one, or say who does")
}
