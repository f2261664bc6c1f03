package elbv2

import (
	"context"
	"crypto/tls"
	"slices"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
)

// Policy is a predefined security policy, see "Security policies for your Application Load Balancer".
type Policy struct {
	Name                   string
	MinVersion, MaxVersion uint16
	ciphers                []string // by their OpenSSL names, in order of preference
}

// SSLPolicy returns the policy of a name.
func SSLPolicy(name string) (Policy, bool) {
	all := sslPolicies()
	i := slices.IndexFunc(all, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Policy{}, false
	}
	return all[i], true
}

func sslPolicies() []Policy {
	tls13 := []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	gcm := []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
	cbc2 := []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	cbc1 := []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"}
	static2 := []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
	static1 := []string{"AES128-SHA", "AES256-SHA"}
	policy := func(name string, low, high uint16, sets ...[]string) Policy {
		return Policy{Name: "ELBSecurityPolicy-" + name, MinVersion: low, MaxVersion: high, ciphers: slices.Concat(sets...)}
	}
	return []Policy{
		policy("2016-08", tls.VersionTLS10, tls.VersionTLS12, gcm, cbc2, cbc1, static2, static1),
		policy("TLS13-1-2-2021-06", tls.VersionTLS12, tls.VersionTLS13, tls13, gcm, cbc2),
		policy("TLS13-1-2-Res-2021-06", tls.VersionTLS12, tls.VersionTLS13, tls13, gcm),
		policy("TLS13-1-2-Ext1-2021-06", tls.VersionTLS12, tls.VersionTLS13, tls13, gcm, cbc2, static2),
		policy("TLS13-1-2-Ext2-2021-06", tls.VersionTLS12, tls.VersionTLS13, tls13, gcm, cbc2, cbc1, static2, static1),
		policy("TLS13-1-3-2021-06", tls.VersionTLS13, tls.VersionTLS13, tls13),
		policy("TLS13-1-1-2021-06", tls.VersionTLS11, tls.VersionTLS13, tls13, gcm, cbc2, cbc1, static2, static1),
		policy("TLS13-1-0-2021-06", tls.VersionTLS10, tls.VersionTLS13, tls13, gcm, cbc2, cbc1, static2, static1),
		policy("TLS-1-2-2017-01", tls.VersionTLS12, tls.VersionTLS12, gcm, cbc2, static2),
		policy("TLS-1-2-Ext-2018-06", tls.VersionTLS12, tls.VersionTLS12, gcm, cbc2, cbc1, static2, static1),
		policy("TLS-1-1-2017-01", tls.VersionTLS11, tls.VersionTLS12, gcm, cbc2, cbc1, static2, static1),
		policy("FS-1-2-Res-2020-10", tls.VersionTLS12, tls.VersionTLS12, gcm),
		policy("FS-1-2-Res-2019-08", tls.VersionTLS12, tls.VersionTLS12, gcm, cbc2),
		policy("FS-1-2-2019-08", tls.VersionTLS12, tls.VersionTLS12, gcm, cbc2, cbc1),
		policy("FS-1-1-2019-08", tls.VersionTLS11, tls.VersionTLS12, gcm, cbc2, cbc1),
		policy("FS-2018-06", tls.VersionTLS10, tls.VersionTLS12, gcm, cbc2, cbc1),
		policy("2015-05", tls.VersionTLS10, tls.VersionTLS12, gcm, cbc2, cbc1, static2, static1),
	}
}

// CipherSuites returns the policy's suites of TLS 1.2 and older that crypto/tls has; it has no CBC suites with SHA-384 and no AES256-SHA256.
func (p Policy) CipherSuites() []uint16 {
	suites := map[string]uint16{
		"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256": tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384": tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-ECDSA-AES128-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256": tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
		"ECDHE-ECDSA-AES128-SHA": tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA": tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		"ECDHE-RSA-AES256-SHA": tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA": tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
		"AES128-GCM-SHA256": tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-SHA256": tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
		"AES256-GCM-SHA384": tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES128-SHA": tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES256-SHA": tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	}
	var ids []uint16
	for _, name := range p.ciphers {
		if id, ok := suites[name]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p Policy) describe() api.SslPolicy {
	out := api.SslPolicy{Name: new(p.Name), SupportedLoadBalancerTypes: []string{"application", "network"}}
	for version, name := range []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"} {
		if v := uint16(tls.VersionTLS10 + version); v >= p.MinVersion && v <= p.MaxVersion {
			out.SslProtocols = append(out.SslProtocols, name)
		}
	}
	for i, name := range p.ciphers {
		out.Ciphers = append(out.Ciphers, api.Cipher{Name: &name, Priority: new(int64(i + 1))})
	}
	return out
}

// DescribeSSLPolicies describes predefined security policies by name, or all.
func (s *Service) DescribeSSLPolicies(_ context.Context, in *api.DescribeSSLPoliciesInput) (*api.DescribeSSLPoliciesOutput, error) {
	return state.Read(s.Store, func(_ *state.Tx, out *api.DescribeSSLPoliciesOutput) error {
		var found []api.SslPolicy
		for _, name := range in.Names {
			p, ok := SSLPolicy(name)
			if !ok {
				return fault("SSLPolicyNotFound", "One or more SSL policies not found")
			}
			found = append(found, p.describe())
		}
		if in.Names == nil {
			for _, p := range sslPolicies() {
				found = append(found, p.describe())
			}
		}
		var err error
		out.SslPolicies, out.NextMarker, err = paged(found, in.Marker, in.PageSize)
		return err
	})
}
