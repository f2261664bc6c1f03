package elbv2

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const defaultSSLPolicy = "ELBSecurityPolicy-2016-08"

// CreateListener opens a port of a load balancer.
func (s *Service) CreateListener(_ context.Context, in *api.CreateListenerInput) (*api.CreateListenerOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateListenerOutput) error {
		lb, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		l := Listener{LoadBalancer: lb.ARN, Port: int(wire.Value(in.Port)), Protocol: wire.Value(in.Protocol), SSLPolicy: wire.Value(in.SslPolicy), Created: s.Now().UTC()}
		if in.Port == nil || in.Protocol == nil {
			return invalid("A listener needs a port and a protocol")
		}
		if err := s.secure(tx, &l, in.Certificates, in.AlpnPolicy, in.MutualAuthentication); err != nil {
			return err
		}
		actions, err := s.checkActions(tx, lb, in.DefaultActions)
		if err != nil {
			return err
		}
		id, err := newID(tx, "listener")
		if err != nil {
			return err
		}
		l.ARN = strings.Replace(lb.ARN, ":loadbalancer/", ":listener/", 1) + "/" + id
		if err := claimPort(tx, l); err != nil {
			return err
		}
		if err := setTags(tx, l.ARN, in.Tags); err != nil {
			return err
		}
		r := Rule{Listener: l.ARN, Actions: actions}
		if r.ARN, err = newRuleARN(tx, l.ARN); err != nil {
			return err
		}
		if err := rules.Put(tx, r.ARN, r); err != nil {
			return err
		}
		out.Listeners = []api.Listener{describeListener(tx, l)}
		return listeners.Put(tx, l.ARN, l)
	})
}

// claimPort fails when another listener of the load balancer has the port.
func claimPort(tx *state.Tx, l Listener) error {
	for _, other := range listenersOf(tx, l.LoadBalancer) {
		if other.Port == l.Port && other.ARN != l.ARN {
			return fault("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.LoadBalancer)
		}
	}
	return nil
}

// secure checks the listener's protocol and completes what belongs to TLS.
func (s *Service) secure(tx *state.Tx, l *Listener, certificates []api.Certificate, alpn []string, mutual *api.MutualAuthenticationAttributes) error {
	switch {
	case l.Protocol != "HTTP" && l.Protocol != "HTTPS":
		return invalid("Listener protocol '%s' must be one of 'HTTPS, HTTP'", l.Protocol)
	case len(alpn) > 0:
		return invalid("An ALPN policy is for TLS listeners")
	case mutual != nil && wire.Or(mutual.Mode, "off") != "off":
		return unsupported("Mutual authentication")
	case l.Protocol == "HTTP" && (len(certificates) > 0 || l.SSLPolicy != ""):
		return invalid("A certificate or security policy cannot be specified for HTTP listeners")
	case l.Protocol == "HTTP":
		l.Certificates = nil
		return nil
	}
	if len(certificates) > 1 {
		return invalid("You can specify only one default certificate for a listener")
	}
	if len(certificates) == 1 {
		arn := wire.Value(certificates[0].CertificateArn)
		if err := s.checkCertificate(tx, arn); err != nil {
			return err
		}
		rest := slices.DeleteFunc(slices.Clone(l.Certificates[min(1, len(l.Certificates)):]), func(other string) bool { return other == arn })
		l.Certificates = append([]string{arn}, rest...)
	}
	if len(l.Certificates) == 0 {
		return invalid("A certificate must be specified for HTTPS listeners")
	}
	if l.SSLPolicy == "" {
		l.SSLPolicy = defaultSSLPolicy
	}
	if _, ok := SSLPolicy(l.SSLPolicy); !ok {
		return fault("SSLPolicyNotFound", "SSL policy '%s' not found", l.SSLPolicy)
	}
	return nil
}

func (s *Service) checkCertificate(tx *state.Tx, arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return invalid("Certificate ARN '%s' is not valid", arn)
	}
	if s.Certificate == nil {
		return fault("CertificateNotFound", "Certificate '%s' not found", arn)
	}
	c, ok, err := s.Certificate(tx, arn)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault("CertificateNotFound", "Certificate '%s' not found", arn)
	case c == nil:
		return fault("UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size.", arn)
	}
	return nil
}

func describeListener(tx *state.Tx, l Listener) api.Listener {
	out := api.Listener{ListenerArn: &l.ARN, LoadBalancerArn: &l.LoadBalancer, Port: new(int64(l.Port)), Protocol: &l.Protocol}
	for _, r := range rulesOf(tx, l.ARN) {
		if r.Priority == 0 {
			out.DefaultActions = r.Actions
		}
	}
	if l.Protocol == "HTTPS" {
		out.SslPolicy = &l.SSLPolicy
		out.Certificates = []api.Certificate{{CertificateArn: &l.Certificates[0]}}
		out.MutualAuthentication = &api.MutualAuthenticationAttributes{Mode: new("off")}
	}
	return out
}

// DescribeListeners describes listeners by ARN, or those of a load balancer.
func (s *Service) DescribeListeners(_ context.Context, in *api.DescribeListenersInput) (*api.DescribeListenersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeListenersOutput) error {
		var found []Listener
		switch {
		case in.LoadBalancerArn != nil && in.ListenerArns == nil:
			if _, err := findLoadBalancer(tx, *in.LoadBalancerArn); err != nil {
				return err
			}
			found = listenersOf(tx, *in.LoadBalancerArn)
		case in.ListenerArns != nil && in.LoadBalancerArn == nil:
			for _, arn := range in.ListenerArns {
				l, err := findListener(tx, arn)
				if err != nil {
					return err
				}
				found = append(found, l)
			}
		default:
			return invalid("You must specify either listener ARNs or a load balancer ARN")
		}
		page, next, err := paged(found, in.Marker, in.PageSize)
		for _, l := range page {
			out.Listeners = append(out.Listeners, describeListener(tx, l))
		}
		out.NextMarker = next
		return err
	})
}

// ModifyListener changes what the request names of a listener.
func (s *Service) ModifyListener(_ context.Context, in *api.ModifyListenerInput) (*api.ModifyListenerOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyListenerOutput) error {
		l, err := findListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		lb, err := findLoadBalancer(tx, l.LoadBalancer)
		if err != nil {
			return err
		}
		if protocol := wire.Or(in.Protocol, l.Protocol); protocol != l.Protocol {
			l.Protocol, l.SSLPolicy = protocol, ""
		}
		if in.SslPolicy != nil {
			l.SSLPolicy = *in.SslPolicy
		}
		l.Port = int(wire.Or(in.Port, int64(l.Port)))
		if err := s.secure(tx, &l, in.Certificates, in.AlpnPolicy, in.MutualAuthentication); err != nil {
			return err
		}
		if err := claimPort(tx, l); err != nil {
			return err
		}
		if in.DefaultActions != nil {
			if err := s.setDefaultActions(tx, lb, l, in.DefaultActions); err != nil {
				return err
			}
		}
		out.Listeners = []api.Listener{describeListener(tx, l)}
		return listeners.Put(tx, l.ARN, l)
	})
}

func (s *Service) setDefaultActions(tx *state.Tx, lb LoadBalancer, l Listener, actions []api.Action) error {
	for _, r := range rulesOf(tx, l.ARN) {
		if r.Priority != 0 {
			continue
		}
		var err error
		if r.Actions, err = s.checkActions(tx, lb, actions); err != nil {
			return err
		}
		return rules.Put(tx, r.ARN, r)
	}
	return nil
}

// DeleteListener deletes a listener and its rules.
func (s *Service) DeleteListener(_ context.Context, in *api.DeleteListenerInput) (*api.DeleteListenerOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteListenerOutput) error {
		l, err := findListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		return removeListener(tx, l.ARN)
	})
}

func removeListener(tx *state.Tx, arn string) error {
	for _, r := range rulesOf(tx, arn) {
		if err := removeRule(tx, r.ARN); err != nil {
			return err
		}
	}
	if err := tags.Delete(tx, arn); err != nil {
		return err
	}
	return listeners.Delete(tx, arn)
}

// DescribeListenerAttributes describes the attributes of a listener.
func (s *Service) DescribeListenerAttributes(_ context.Context, in *api.DescribeListenerAttributesInput) (*api.DescribeListenerAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeListenerAttributesOutput) error {
		_, err := findListener(tx, wire.Value(in.ListenerArn))
		out.Attributes = describeListenerAttributes()
		return err
	})
}

// ModifyListenerAttributes accepts the defaults only: the lab's load balancers do not rewrite response headers.
func (s *Service) ModifyListenerAttributes(_ context.Context, in *api.ModifyListenerAttributesInput) (*api.ModifyListenerAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ModifyListenerAttributesOutput) error {
		if _, err := findListener(tx, wire.Value(in.ListenerArn)); err != nil {
			return err
		}
		asked := map[string]string{}
		for _, a := range in.Attributes {
			asked[wire.Value(a.Key)] = wire.Value(a.Value)
		}
		out.Attributes = describeListenerAttributes()
		return setAttributes("Listener", listenerAttributes, map[string]string{}, asked)
	})
}

func describeListenerAttributes() []api.ListenerAttribute {
	var out []api.ListenerAttribute
	for key, value := range defaults(listenerAttributes) {
		out = append(out, api.ListenerAttribute{Key: &key, Value: &value})
	}
	return out
}
