// Package authority is the lab's certificate authority. It signs what a client of the region must be able to trust: the AWS service
// endpoints, load balancers and databases. Instances trust it from their first boot; nothing outside the lab does.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// file holds the certificate and its key together, so that no crash can leave one without the other.
	file         = "authority.pem"
	rootValidity = 10 * 365 * 24 * time.Hour
	backdate     = time.Hour // for clients whose clock runs behind
)

// Authority issues certificates under one root. It is safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey

	mu     sync.Mutex
	issued map[string]*issued // by the name that a client asked for
}

// Open returns the authority kept in dir, which it creates on first use: ECDSA P-256, in a file that only its owner can read.
// dir must exist. A file that is not ours, damaged or expired is an error and is never replaced: clients may trust what is in it.
func Open(dir string) (*Authority, error) {
	path := filepath.Join(dir, file)
	a, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(dir, path); err == nil {
			a, err = load(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the lab's certificate authority %s: %w", path, err)
	}
	return a, nil
}

// CertificatePEM returns the root certificate, for the trust stores of clients.
func (a *Authority) CertificatePEM() []byte { return encode("CERTIFICATE", a.certificate.Raw) }

// Pool returns a trust store that holds the root certificate alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func load(path string) (*Authority, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	certBlock, rest := pem.Decode(data)
	keyBlock, _ := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil {
		return nil, errors.New("does not hold a certificate followed by a key; remove the file to start with a new authority")
	}
	certificate, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("the key does not belong to the certificate; remove the file to start with a new authority")
	}
	if time.Now().After(certificate.NotAfter) {
		return nil, fmt.Errorf("expired on %s; remove the file to start with a new authority", certificate.NotAfter.Format(time.DateOnly))
	}
	return &Authority{certificate: certificate, key: key, issued: map[string]*issued{}}, nil
}

// create writes a new authority to path. When another process was faster, its authority stays.
func create(dir, path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"Storefront lab"}, CommonName: "Storefront lab root"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(rootValidity),
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs servers, never another authority
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writeOnce(dir, path, append(encode("CERTIFICATE", der), encode("EC PRIVATE KEY", keyDER)...))
}

// writeOnce creates path with data whole or not at all; a file that is already there wins.
func writeOnce(dir, path string, data []byte) error {
	temp, err := os.CreateTemp(dir, file+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280, 4.1.2.2: positive, at most 20 octets
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
