package acm

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/acm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// leaf is the certificate itself; nil while it is only requested.
func (c certificate) leaf() (*x509.Certificate, error) {
	if c.Body == nil {
		return nil, nil
	}
	all, err := readAll(c.Body)
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s: %w", c.ARN, err)
	}
	return all[0], nil
}

// status is what time has made of a certificate.
func (s *Service) status(c certificate) string {
	leaf, err := c.leaf()
	switch {
	case err != nil:
		return api.CertificateStatusInactive
	case leaf == nil && s.Now().Sub(c.Created) < validationTime:
		return api.CertificateStatusPendingValidation
	case leaf == nil:
		return api.CertificateStatusValidationTimedOut
	case s.Now().After(leaf.NotAfter):
		return api.CertificateStatusExpired
	}
	return api.CertificateStatusIssued
}

// DescribeCertificate implements the operation of that name.
func (s *Service) DescribeCertificate(_ context.Context, in *api.DescribeCertificateInput) (*api.DescribeCertificateOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		d := &api.CertificateDetail{CertificateArn: &c.ARN, CreatedAt: &c.Created, DomainName: &c.Names[0], SubjectAlternativeNames: c.Names, Type: &c.Type, Status: new(s.status(c)), KeyAlgorithm: &c.Keys,
			RenewalEligibility: new(api.RenewalEligibilityIneligible), Options: &api.CertificateOptions{CertificateTransparencyLoggingPreference: &c.Logging},
			InUseBy: append([]string{}, s.Users(tx, c.ARN)...)}
		out.Certificate = d
		leaf, err := c.leaf()
		if err != nil {
			return err
		}
		if leaf == nil {
			d.DomainValidationOptions = s.validations(c)
			return nil
		}
		d.ImportedAt, d.NotBefore, d.NotAfter, d.Subject, d.Issuer = &c.Imported, new(leaf.NotBefore.UTC()), new(leaf.NotAfter.UTC()), new(leaf.Subject.String()), new(issuer(leaf))
		d.Serial, d.SignatureAlgorithm, d.KeyUsages, d.ExtendedKeyUsages = new(serial(leaf)), new(signature(leaf)), []api.KeyUsage{}, extendedUsages(leaf)
		for _, u := range usages(leaf) {
			d.KeyUsages = append(d.KeyUsages, api.KeyUsage{Name: &u})
		}
		return nil
	})
}

// ListCertificates implements the operation of that name. Without keyTypes only RSA keys of 1024 and 2048 bits are listed, as on AWS.
func (s *Service) ListCertificates(_ context.Context, in *api.ListCertificatesInput) (*api.ListCertificatesOutput, error) {
	filters := api.Filters{}
	if in.Includes != nil {
		filters = *in.Includes
	}
	if filters.KeyTypes == nil {
		filters.KeyTypes = []string{api.KeyAlgorithmRsa1024, api.KeyAlgorithmRsa2048}
	}
	if (in.SortBy == nil) != (in.SortOrder == nil) {
		return nil, invalid("SortBy and SortOrder must be specified together.")
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListCertificatesOutput) error {
		list := []api.CertificateSummary{}
		for _, c := range certificates.All(tx) {
			sum, err := s.summary(tx, c)
			if err != nil {
				return err
			}
			if slices.Contains(filters.KeyTypes, c.Keys) && among(filters.KeyUsage, sum.KeyUsages) && among(filters.ExtendedKeyUsage, sum.ExtendedKeyUsages) && among(in.CertificateStatuses, []string{*sum.Status}) {
				list = append(list, sum)
			}
		}
		slices.SortStableFunc(list, func(a, b api.CertificateSummary) int { return a.CreatedAt.Compare(*b.CreatedAt) })
		if wire.Value(in.SortOrder) == api.SortOrderDescending {
			slices.Reverse(list)
		}
		start, err := strconv.Atoi(wire.Or(in.NextToken, "0"))
		if err != nil || start < 0 || start > len(list) {
			return invalid("The NextToken %q is not valid.", *in.NextToken)
		}
		end := min(len(list), start+int(wire.Or(in.MaxItems, 1000)))
		if end < len(list) {
			out.NextToken = new(strconv.Itoa(end))
		}
		out.CertificateSummaryList = list[start:end]
		return nil
	})
}

// among reports whether one of the wanted is there; nothing wanted is everything.
func among(wanted, have []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(have, func(h string) bool { return slices.Contains(wanted, h) })
}

func (s *Service) summary(tx *state.Tx, c certificate) (sum api.CertificateSummary, err error) {
	sum = api.CertificateSummary{CertificateArn: &c.ARN, CreatedAt: &c.Created, DomainName: &c.Names[0], SubjectAlternativeNameSummaries: c.Names, HasAdditionalSubjectAlternativeNames: new(false),
		Type: &c.Type, Status: new(s.status(c)), KeyAlgorithm: &c.Keys, InUse: new(len(s.Users(tx, c.ARN)) > 0), RenewalEligibility: new(api.RenewalEligibilityIneligible)}
	leaf, err := c.leaf()
	if err != nil || leaf == nil {
		return sum, err
	}
	sum.ImportedAt, sum.NotBefore, sum.NotAfter, sum.KeyUsages = &c.Imported, new(leaf.NotBefore.UTC()), new(leaf.NotAfter.UTC()), usages(leaf)
	for _, u := range extendedUsages(leaf) {
		sum.ExtendedKeyUsages = append(sum.ExtendedKeyUsages, *u.Name)
	}
	return sum, nil
}

// GetCertificate implements the operation of that name: the certificate and its chain, never the private key.
func (s *Service) GetCertificate(_ context.Context, in *api.GetCertificateInput) (*api.GetCertificateOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		if c.Body == nil {
			return fault("RequestInProgressException", "The certificate %s is not issued: its status is %s.", c.ARN, s.status(c))
		}
		out.Certificate, out.CertificateChain = new(string(c.Body)), wire.Optional(string(c.Chain))
		return nil
	})
}

// serial is the serial number as ACM writes it: "0a:1b:...".
func serial(c *x509.Certificate) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", c.SerialNumber.Bytes()), " ", ":")
}

// issuer is the name of the authority that signed a certificate.
func issuer(c *x509.Certificate) string {
	return cmp.Or(strings.Join(c.Issuer.Organization, ", "), c.Issuer.CommonName)
}

// signature is the name of a signature algorithm as ACM writes it: "SHA256WITHRSA".
func signature(c *x509.Certificate) string {
	if method, hash, ok := strings.Cut(c.SignatureAlgorithm.String(), "-"); ok && !strings.HasPrefix(hash, "RSAPSS") {
		return hash + "WITH" + method
	}
	return c.SignatureAlgorithm.String()
}

// usages are the names of a certificate's key usages, in the order of their bits.
func usages(c *x509.Certificate) []string {
	var list []string
	for bit, name := range []string{api.KeyUsageNameDigitalSignature, api.KeyUsageNameNonRepudiation, api.KeyUsageNameKeyEncipherment, api.KeyUsageNameDataEncipherment, api.KeyUsageNameKeyAgreement,
		api.KeyUsageNameCertificateSigning, api.KeyUsageNameCrlSigning, api.KeyUsageNameEncipherOnly, api.KeyUsageNameDecipherOnly} {
		if c.KeyUsage&(1<<bit) != 0 {
			list = append(list, name)
		}
	}
	return list
}

// extendedUsages are the extended key usages of a certificate (RFC 5280, section 4.2.1.12).
func extendedUsages(c *x509.Certificate) []api.ExtendedKeyUsage {
	list := []api.ExtendedKeyUsage{}
	for _, u := range c.ExtKeyUsage {
		list = append(list, extendedUsage(u.OID().String()))
	}
	for _, oid := range c.UnknownExtKeyUsage {
		list = append(list, extendedUsage(oid.String()))
	}
	return list
}

func extendedUsage(oid string) api.ExtendedKeyUsage {
	name := map[string]string{
		"1.3.6.1.5.5.7.3.1": api.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.2": api.ExtendedKeyUsageNameTlsWebClientAuthentication,
		"1.3.6.1.5.5.7.3.3": api.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.4": api.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.8": api.ExtendedKeyUsageNameTimeStamping,
		"1.3.6.1.5.5.7.3.9": api.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.5": api.ExtendedKeyUsageNameIpsecEndSystem, "1.3.6.1.5.5.7.3.6": api.ExtendedKeyUsageNameIpsecTunnel,
		"1.3.6.1.5.5.7.3.7": api.ExtendedKeyUsageNameIpsecUser, "2.5.29.37.0": api.ExtendedKeyUsageNameAny,
	}[oid]
	return api.ExtendedKeyUsage{Name: new(cmp.Or(name, api.ExtendedKeyUsageNameCustom)), OID: &oid}
}
