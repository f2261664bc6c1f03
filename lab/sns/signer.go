package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // of signature version 1, which AWS defines so
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"time"

	"storefront/lab/state"
)

// identity is what the region signs messages with. It is made when the first message is signed.
type identity struct {
	Key         []byte // PKCS #1
	Certificate []byte // DER, self-signed
}

const identityKey = "identity"

var identities = state.NewTable[identity]("sns.signing")

// signer signs messages.
type signer struct {
	mu   sync.Mutex
	key  *rsa.PrivateKey
	path string // where the certificate is: "SimpleNotificationService-<hash>.pem"
}

// CertificatePrefix begins the path of every signing certificate. No bucket can have such a name.
const CertificatePrefix = "SimpleNotificationService-"

func certificatePath(der []byte) string {
	sum := sha256.Sum256(der)
	return CertificatePrefix + hex.EncodeToString(sum[:16]) + ".pem"
}

// sign returns a signature of the given version and where its certificate is.
func (s *signer) sign(tx *state.Tx, version, text string) (signature []byte, path string, err error) {
	key, path, err := s.load(tx)
	if err != nil {
		return nil, "", fmt.Errorf("the key that signs notifications: %w", err)
	}
	if version == "1" {
		sum := sha1.Sum([]byte(text))
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256([]byte(text))
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	}
	return signature, path, err
}

// load reads the region's identity, or makes it. It keeps what is in the store, but not what it made: the transaction may yet fail.
func (s *signer) load(tx *state.Tx) (*rsa.PrivateKey, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, s.path, nil
	}
	id, stored, err := identities.Get(tx, identityKey)
	if err == nil && !stored {
		if id, err = newIdentity(); err == nil {
			err = identities.Put(tx, identityKey, id)
		}
	}
	if err != nil {
		return nil, "", err
	}
	key, err := x509.ParsePKCS1PrivateKey(id.Key)
	if err == nil && stored {
		s.key, s.path = key, certificatePath(id.Certificate)
	}
	return key, certificatePath(id.Certificate), err
}

func newIdentity() (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: service}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return identity{x509.MarshalPKCS1PrivateKey(key), der}, err
}

// ServeHTTP serves the certificate of the messages' signatures, which SigningCertURL names, to everyone.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var id identity
	var ok bool
	err := s.Store.View(func(tx *state.Tx) (err error) {
		id, ok, err = identities.Get(tx, identityKey)
		return err
	})
	switch {
	case err != nil:
		s.Log.Error("serving the signing certificate", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	case !ok || r.URL.Path != "/"+certificatePath(id.Certificate):
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "application/x-pem-file")
		_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate})
	}
}
