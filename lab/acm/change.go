package acm

import (
	"context"

	api "storefront/lab/api/acm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DeleteCertificate implements the operation of that name. The private key goes with it.
func (s *Service) DeleteCertificate(_ context.Context, in *api.DeleteCertificateInput) (*api.DeleteCertificateOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		if len(s.Users(tx, c.ARN)) > 0 {
			return fault("ResourceInUseException", "Certificate %s in account %s is in use.", c.ARN, s.Region.Account)
		}
		s.mu.Lock()
		delete(s.pairs, c.ARN)
		s.mu.Unlock()
		return certificates.Delete(tx, c.ARN)
	})
}

// UpdateCertificateOptions implements the operation of that name, for certificates of Amazon.
func (s *Service) UpdateCertificateOptions(_ context.Context, in *api.UpdateCertificateOptionsInput) (*api.UpdateCertificateOptionsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UpdateCertificateOptionsOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		if c.Type == api.CertificateTypeImported {
			return fault("InvalidStateException", "The options of the imported certificate %s cannot be updated.", c.ARN)
		}
		c.Logging = wire.Or(in.Options.CertificateTransparencyLoggingPreference, c.Logging)
		return certificates.Put(tx, c.ARN, c)
	})
}

// RenewCertificate implements the operation of that name, which is for exported certificates of private authorities: there are none.
func (s *Service) RenewCertificate(_ context.Context, in *api.RenewCertificateInput) (*api.RenewCertificateOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, _ *api.RenewCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		return invalid("The certificate %s is not eligible for renewal.", c.ARN)
	})
}

// ExportCertificate implements the operation of that name, which is for certificates of private authorities: there are none.
func (s *Service) ExportCertificate(_ context.Context, in *api.ExportCertificateInput) (*api.ExportCertificateOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, _ *api.ExportCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		return invalid("The certificate %s is not a private certificate.", c.ARN)
	})
}

// ResendValidationEmail implements the operation of that name: no certificate is validated by email.
func (s *Service) ResendValidationEmail(_ context.Context, in *api.ResendValidationEmailInput) (*api.ResendValidationEmailOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, _ *api.ResendValidationEmailOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		return fault("InvalidStateException", "The certificate %s is not validated by email.", c.ARN)
	})
}
