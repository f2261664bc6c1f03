package acm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/acm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const (
	maxNames      = 10 // of a certificate, see "Quotas"
	sameRequest   = time.Hour
	validatedBy   = "DNS"
	validationsAt = ".acm-validations.aws."
)

// RequestCertificate implements the operation of that name for validation by DNS. The certificate stays pending: see the package comment.
func (s *Service) RequestCertificate(_ context.Context, in *api.RequestCertificateInput) (*api.RequestCertificateOutput, error) {
	names := []string{strings.ToLower(*in.DomainName)}
	for _, n := range in.SubjectAlternativeNames {
		if n = strings.ToLower(n); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	switch {
	case in.CertificateAuthorityArn != nil:
		return nil, fault("InvalidArnException", "Private certificate authorities are not supported in this region: %s.", *in.CertificateAuthorityArn)
	case wire.Or(in.ValidationMethod, "EMAIL") != validatedBy || len(in.DomainValidationOptions) > 0: // email is what a request without a method means
		return nil, fault("InvalidParameterException", "Validation by email is not supported in this region: set ValidationMethod to DNS.")
	case len(names) > maxNames:
		return nil, fault("LimitExceededException", "A certificate can have at most %d domain names.", maxNames)
	}
	for _, n := range names {
		if labels := strings.Split(strings.TrimPrefix(n, "*."), "."); len(labels) < 2 || slices.Contains(labels, "") || strings.ContainsAny(strings.TrimPrefix(n, "*."), "* ") {
			return nil, fault("InvalidDomainValidationOptionsException", "The domain name %s is not valid.", n)
		}
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.RequestCertificateOutput) error {
		c := certificate{Type: api.CertificateTypeAmazonIssued, Names: names, Created: s.Now().UTC(), Keys: wire.Or(in.KeyAlgorithm, api.KeyAlgorithmRsa2048),
			Logging: api.CertificateTransparencyLoggingPreferenceEnabled, Token: wire.Value(in.IdempotencyToken)}
		if in.Options != nil {
			c.Logging = wire.Or(in.Options.CertificateTransparencyLoggingPreference, c.Logging)
		}
		for _, known := range certificates.All(tx) {
			if c.Token != "" && known.Token == c.Token && slices.Equal(known.Names, names) && c.Created.Sub(known.Created) < sameRequest {
				out.CertificateArn = &known.ARN
				return nil
			}
		}
		var err error
		if c.ARN, err = s.newARN(tx); err != nil {
			return err
		}
		if err := c.tag(in.Tags); err != nil {
			return err
		}
		out.CertificateArn = &c.ARN
		return certificates.Put(tx, c.ARN, c)
	})
}

// validations are the records that would prove a request's domains. They are the same for every request of the account, and a wildcard's is that of its domain.
func (s *Service) validations(c certificate) []api.DomainValidation {
	status := api.DomainStatusPendingValidation
	if s.status(c) != api.CertificateStatusPendingValidation {
		status = api.DomainStatusFailed
	}
	var list []api.DomainValidation
	for _, name := range c.Names {
		domain := strings.TrimPrefix(name, "*.")
		sum := sha256.Sum256([]byte(s.Region.Account + " " + domain))
		list = append(list, api.DomainValidation{DomainName: &name, ValidationDomain: &name, ValidationMethod: new(validatedBy), ValidationStatus: &status, ResourceRecord: &api.ResourceRecord{
			Name: new("_" + hex.EncodeToString(sum[:16]) + "." + domain + "."), Type: new("CNAME"), Value: new("_" + hex.EncodeToString(sum[16:]) + "." + lettersOf(sum) + validationsAt)}})
	}
	return list
}

// lettersOf makes ten lower-case letters of a digest, as the names of validation hosts have.
func lettersOf(sum [32]byte) string {
	letters := make([]byte, 10)
	for i := range letters {
		letters[i] = 'a' + sum[i]%26
	}
	return string(letters)
}
