package acm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/acm"
)

// What follows reads what customers import, by the rules of "Prerequisites for importing ACM certificates".

// readAll reads the certificates of a PEM text, which must have nothing else in it.
func readAll(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----")) {
			block, rest = pem.Decode(rest)
		}
		if block == nil {
			return nil, invalid("Unable to parse certificate. Please ensure the certificate is in PEM format.")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, invalid("Unable to parse certificate. Please ensure the certificate is in PEM format.")
		}
		all = append(all, c)
	}
	return all, nil
}

// readLeaf reads the certificate itself, and checks that it is one of a server, valid at that time.
func readLeaf(text []byte, now time.Time) (*x509.Certificate, error) {
	all, err := readAll(text)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, invalid("Unable to parse certificate. Please ensure the certificate is in PEM format.")
	case len(all) > 1:
		return nil, invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	c := all[0]
	switch {
	case c.Version != 3:
		return nil, invalid("The certificate is not an X.509 version 3 certificate.")
	case now.Before(c.NotBefore) || now.After(c.NotAfter):
		return nil, invalid("The certificate is not valid at this time: it is valid from %s until %s.", c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339))
	case len(namesOf(c)) == 0:
		return nil, invalid("The certificate must contain a fully qualified domain name or an IP address.")
	case algorithm(c) == "":
		return nil, invalid("The certificate's key algorithm and size are not supported.")
	}
	return c, nil
}

// checkChain checks that each certificate of the chain certifies the one before it.
func checkChain(leaf *x509.Certificate, text []byte) error {
	chain, err := readAll(text)
	if err != nil {
		return err
	}
	for _, issuer := range chain {
		if leaf.CheckSignatureFrom(issuer) != nil {
			return invalid("Could not validate the certificate with the certificate chain.")
		}
		leaf = issuer
	}
	return nil
}

// checkKey checks that a private key is readable, and that of the certificate.
func checkKey(leaf *x509.Certificate, text []byte) error {
	block, rest := pem.Decode(bytes.TrimSpace(text))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return invalid("Unable to parse the private key. Please ensure the private key is in PEM format.")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	}
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if err != nil || !ok {
		return invalid("The private key is not supported. It must be an unencrypted RSA or ECDSA key.")
	}
	if public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(leaf.PublicKey) {
		return invalid("The private key does not match the certificate.")
	}
	return nil
}

// algorithm is the name of a certificate's key algorithm; "" for one that ACM does not import.
func algorithm(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return map[int]string{1024: api.KeyAlgorithmRsa1024, 2048: api.KeyAlgorithmRsa2048, 3072: api.KeyAlgorithmRsa3072, 4096: api.KeyAlgorithmRsa4096}[key.N.BitLen()]
	case *ecdsa.PublicKey:
		return map[string]string{"P-256": api.KeyAlgorithmEcPrime256v1, "P-384": api.KeyAlgorithmEcSecp384r1, "P-521": api.KeyAlgorithmEcSecp521r1}[key.Curve.Params().Name]
	}
	return ""
}

// namesOf are the names and addresses that a certificate is for, its common name first.
func namesOf(c *x509.Certificate) []string {
	var names []string
	if c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	names = append(names, c.DNSNames...)
	for _, a := range c.IPAddresses {
		names = append(names, a.String())
	}
	var unique []string
	for _, n := range names {
		if !slices.ContainsFunc(unique, func(have string) bool { return strings.EqualFold(have, n) }) {
			unique = append(unique, n)
		}
	}
	return unique
}
