package acm

import (
	"context"
	"crypto/x509"
	"slices"

	api "storefront/lab/api/acm"
	"storefront/lab/state"
)

// ImportCertificate implements the operation of that name. With an ARN it replaces what was imported under it, and those who use it present the new certificate from then on.
func (s *Service) ImportCertificate(_ context.Context, in *api.ImportCertificateInput) (*api.ImportCertificateOutput, error) {
	leaf, err := readLeaf(in.Certificate, s.Now())
	if err != nil {
		return nil, err
	}
	if err := checkKey(leaf, in.PrivateKey); err != nil {
		return nil, err
	}
	if err := checkChain(leaf, in.CertificateChain); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.ImportCertificateOutput) error {
		c, err := s.imported(tx, in, leaf)
		if err != nil {
			return err
		}
		c.Names, c.Keys, c.Imported, c.Body, c.Chain = namesOf(leaf), algorithm(leaf), s.Now().UTC(), in.Certificate, in.CertificateChain
		if c.Key, _, err = s.Keys.Seal(tx, managedKey, sealContext(c.ARN), in.PrivateKey); err != nil {
			return err
		}
		out.CertificateArn = &c.ARN
		return certificates.Put(tx, c.ARN, c)
	})
}

// imported is a new certificate, or the one that is to be replaced, by the rules of "Reimporting a certificate".
func (s *Service) imported(tx *state.Tx, in *api.ImportCertificateInput, leaf *x509.Certificate) (c certificate, err error) {
	if in.CertificateArn == nil {
		c = certificate{Type: api.CertificateTypeImported, Created: s.Now().UTC(), Logging: api.CertificateTransparencyLoggingPreferenceDisabled}
		if c.ARN, err = s.newARN(tx); err != nil {
			return c, err
		}
		return c, c.tag(in.Tags)
	}
	if c, err = s.find(tx, in.CertificateArn); err != nil {
		return c, err
	}
	switch {
	case len(in.Tags) > 0:
		return c, invalid("Tagging is not permitted on re-import.")
	case c.Type != api.CertificateTypeImported:
		return c, invalid("The certificate %s was not imported, and cannot be re-imported.", c.ARN)
	case c.Keys != algorithm(leaf):
		return c, invalid("The key algorithm and size of a certificate cannot change on re-import: it is %s.", c.Keys)
	}
	before, err := c.leaf()
	if err != nil {
		return c, err
	}
	if kept := extendedUsages(leaf); before.KeyUsage&^leaf.KeyUsage != 0 || slices.ContainsFunc(extendedUsages(before), func(u api.ExtendedKeyUsage) bool {
		return !slices.ContainsFunc(kept, func(k api.ExtendedKeyUsage) bool { return *k.OID == *u.OID })
	}) {
		return c, invalid("Key usages and extended key usages cannot be removed on re-import.")
	}
	return c, nil
}
