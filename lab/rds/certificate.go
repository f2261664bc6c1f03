package rds

import (
	"context"
	"slices"
	"time"

	api "storefront/lab/api/rds"
	"storefront/lab/wire"
)

const defaultAuthority = "rds-ca-rsa2048-g1"

// certificateAuthorities lists the names of RDS's authorities. In the lab all of them stand for its own one.
func certificateAuthorities() []string {
	return []string{"rds-ca-ecc384-g1", defaultAuthority, "rds-ca-rsa4096-g1"}
}

func authorityExpires() time.Time { return time.Date(2061, 5, 25, 23, 34, 57, 0, time.UTC) }

func checkAuthority(name string) error {
	if !slices.Contains(certificateAuthorities(), name) {
		return missing("CertificateNotFound", "Certificate not found: %s", name)
	}
	return nil
}

// DescribeCertificates lists the certificate authorities that instances can be given.
func (s *Service) DescribeCertificates(_ context.Context, in *api.DescribeCertificatesInput) (*api.DescribeCertificatesOutput, error) {
	out := &api.DescribeCertificatesOutput{DefaultCertificateForNewLaunches: new(defaultAuthority)}
	if in.CertificateIdentifier != nil {
		if err := checkAuthority(*in.CertificateIdentifier); err != nil {
			return nil, err
		}
	}
	for _, name := range certificateAuthorities() {
		if wire.Or(in.CertificateIdentifier, name) == name {
			out.Certificates = append(out.Certificates, api.Certificate{
				CertificateIdentifier: &name, CertificateType: new("CA"), CertificateArn: new("arn:aws:rds:" + s.Region.Name + "::cert:" + name),
				ValidFrom: new(time.Date(2021, 5, 25, 22, 34, 57, 0, time.UTC)), ValidTill: new(authorityExpires()), CustomerOverride: new(false),
			})
		}
	}
	return out, nil
}
