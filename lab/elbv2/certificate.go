package elbv2

import (
	"context"
	"slices"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// AddListenerCertificates adds certificates that an HTTPS listener chooses from by SNI.
func (s *Service) AddListenerCertificates(_ context.Context, in *api.AddListenerCertificatesInput) (*api.AddListenerCertificatesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.AddListenerCertificatesOutput) error {
		l, err := secureListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		for _, c := range in.Certificates {
			arn := wire.Value(c.CertificateArn)
			if c.IsDefault != nil {
				return invalid("'IsDefault' cannot be specified when adding certificates")
			}
			if err := s.checkCertificate(tx, arn); err != nil {
				return err
			}
			if !slices.Contains(l.Certificates, arn) {
				l.Certificates = append(l.Certificates, arn)
			}
		}
		if len(l.Certificates) > 26 { // 25 besides the default one
			return fault("TooManyCertificates", "The maximum number of certificates for listener '%s' has been reached", l.ARN)
		}
		out.Certificates = describeCertificates(l)[1:]
		return listeners.Put(tx, l.ARN, l)
	})
}

// RemoveListenerCertificates removes certificates other than the default one.
func (s *Service) RemoveListenerCertificates(_ context.Context, in *api.RemoveListenerCertificatesInput) (*api.RemoveListenerCertificatesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveListenerCertificatesOutput) error {
		l, err := secureListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		for _, c := range in.Certificates {
			arn := wire.Value(c.CertificateArn)
			if l.Certificates[0] == arn {
				return fault("OperationNotPermitted", "Default certificate '%s' cannot be removed", arn)
			}
			l.Certificates = slices.DeleteFunc(l.Certificates, func(have string) bool { return have == arn })
		}
		return listeners.Put(tx, l.ARN, l)
	})
}

// DescribeListenerCertificates describes the default certificate of a listener and those added to it.
func (s *Service) DescribeListenerCertificates(_ context.Context, in *api.DescribeListenerCertificatesInput) (*api.DescribeListenerCertificatesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeListenerCertificatesOutput) error {
		l, err := secureListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		out.Certificates, out.NextMarker, err = paged(describeCertificates(l), in.Marker, in.PageSize)
		return err
	})
}

func secureListener(tx *state.Tx, arn string) (Listener, error) {
	l, err := findListener(tx, arn)
	if err == nil && l.Protocol != "HTTPS" {
		err = invalid("Certificates cannot be specified for listener '%s' of protocol '%s'", arn, l.Protocol)
	}
	return l, err
}

func describeCertificates(l Listener) []api.Certificate {
	var out []api.Certificate
	for i, arn := range l.Certificates {
		out = append(out, api.Certificate{CertificateArn: &arn, IsDefault: new(i == 0)})
	}
	return out
}
