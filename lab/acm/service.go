// Package acm is the lab's AWS Certificate Manager: certificates that customers import, and requests for certificates of Amazon.
//
// Private keys are sealed under the region's key aws/acm, and only load balancers get at them. Nothing in the lab owns a domain, and nobody can create the records that prove
// it: a request stays pending, and times out after 72 hours, as on AWS. Validation by email, private certificate authorities and what belongs to them are refused.
package acm

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	api "storefront/lab/api/acm"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Keys seals private keys. kms.Service implements it.
type Keys interface {
	Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error)
	Unseal(tx *state.Tx, encryptionContext map[string]string, ciphertext []byte) (plaintext []byte, keyARN string, err error)
}

// Config is what a Service is built from. All fields are required.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time
	Keys   Keys
	Users  func(tx *state.Tx, arn string) []string // the ARNs of the load balancers that use a certificate
}

// Service answers the ACM API.
type Service struct {
	Config

	mu    sync.Mutex // guards pairs
	pairs map[string]pair
}

// pair is a certificate as load balancers present it. The same import gives the same pair.
type pair struct {
	imported time.Time
	*tls.Certificate
}

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{Config: c, pairs: map[string]pair{}} }

// certificate is what the store keeps of a certificate.
type certificate struct {
	ARN      string
	Type     string   // api.CertificateTypeImported or ...AmazonIssued
	Names    []string // its subject alternative names; the first one is its domain name
	Created  time.Time
	Imported time.Time // zero while it is only requested
	Body     []byte    // PEM, as imported
	Chain    []byte    // PEM, as imported; nil without
	Key      []byte    // the private key, sealed
	Keys     string    // its algorithm, such as api.KeyAlgorithmRsa2048
	Logging  string    // preference for certificate transparency logging
	Token    string    // of the request
	Tags     map[string]string
}

var certificates = state.NewTable[certificate]("acm.certificate") // by ARN

// managedKey is the key of private keys ("Security for certificate private keys").
const managedKey = "alias/aws/acm"

// validationTime is how long Amazon waits for the proof that a domain is the customer's.
const validationTime = 72 * time.Hour

func fault(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) error {
	return fault("ValidationException", format, args...)
}

// find finds a certificate by its ARN.
func (s *Service) find(tx *state.Tx, arn *string) (certificate, error) {
	if !strings.HasPrefix(*arn, "arn:") || !strings.Contains(*arn, ":acm:") || !strings.Contains(*arn, ":certificate/") {
		return certificate{}, fault("InvalidArnException", "The ARN %s is not the ARN of a certificate.", *arn)
	}
	c, ok, err := certificates.Get(tx, *arn)
	if err == nil && !ok {
		err = fault("ResourceNotFoundException", "Could not find certificate %s.", *arn)
	}
	return c, err
}

// newARN names a certificate.
func (s *Service) newARN(tx *state.Tx) (string, error) {
	id, err := region.NewUUID(tx, "acm.certificate")
	return s.Region.ARN("acm", "certificate/"+id), err
}

// Certificate returns a certificate with its private key, for load balancers: nil while it is not issued. ok is false for an ARN of none.
func (s *Service) Certificate(tx *state.Tx, arn string) (_ *tls.Certificate, ok bool, err error) {
	c, ok, err := certificates.Get(tx, arn)
	if err != nil || !ok || c.Body == nil {
		return nil, ok, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.pairs[arn]; ok && known.imported.Equal(c.Imported) {
		return known.Certificate, true, nil
	}
	key, _, err := s.Keys.Unseal(tx, sealContext(arn), c.Key)
	if err != nil {
		return nil, true, fmt.Errorf("unsealing the private key of %s: %w", arn, err)
	}
	made, err := tls.X509KeyPair(append(append(c.Body[:len(c.Body):len(c.Body)], '\n'), c.Chain...), key)
	if err != nil {
		return nil, true, fmt.Errorf("reading certificate %s: %w", arn, err)
	}
	s.pairs[arn] = pair{c.Imported, &made}
	return &made, true, nil
}

func sealContext(arn string) map[string]string { return map[string]string{"aws:acm:arn": arn} }
