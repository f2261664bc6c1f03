package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	leafValidity = 397 * 24 * time.Hour // the most that common clients accept
	renewBefore  = 24 * time.Hour
)

// Pair is a server certificate with its private key, both PEM.
type Pair struct {
	Certificate []byte // the leaf followed by the root
	Key         []byte // EC private key: to be kept in files of mode 0600
}

type issued struct {
	certificate *tls.Certificate
	expires     time.Time
}

// Issue signs a new server certificate, valid for 397 days, for DNS names (a leading "*." label is a wildcard) and addresses.
// It fails when there is neither a name nor an address.
func (a *Authority) Issue(names []string, addrs []netip.Addr) (Pair, error) {
	if len(names)+len(addrs) == 0 {
		return Pair{}, errors.New("issuing a certificate: no name and no address to issue it for")
	}
	serial, err := newSerial()
	if err != nil {
		return Pair{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Storefront lab"}}, // no common name: it is limited to 64 characters, and clients read the names below
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafValidity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("issuing a certificate for %v %v: %w", names, addrs, err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Certificate: append(encode("CERTIFICATE", der), a.CertificatePEM()...), Key: encode("EC PRIVATE KEY", keyDER)}, nil
}

// TLSConfig returns a server configuration (TLS 1.2 or newer) that issues certificates on demand for the name a client asks for, and keeps them.
// serves tells which lower-case names this server answers to: a handshake for any other name fails, so that no client can make the lab
// sign at will. A client that sends no name gets a certificate for the address it connected to.
func (a *Authority) TLSConfig(serves func(name string) bool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				addr, err := localAddr(hello.Conn)
				if err != nil {
					return nil, err
				}
				return a.onDemand(addr.String(), nil, []netip.Addr{addr})
			}
			name := strings.ToLower(hello.ServerName)
			if !serves(name) {
				return nil, fmt.Errorf("no certificate for %q: this endpoint does not serve that name", name)
			}
			return a.onDemand(name, []string{name}, nil)
		},
	}
}

// onDemand returns the kept certificate under key, or issues one and keeps it.
func (a *Authority) onDemand(key string, names []string, addrs []netip.Addr) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if kept, ok := a.issued[key]; ok && time.Now().Before(kept.expires.Add(-renewBefore)) {
		return kept.certificate, nil
	}
	pair, err := a.Issue(names, addrs)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		return nil, err
	}
	a.issued[key] = &issued{certificate: &certificate, expires: certificate.Leaf.NotAfter}
	return &certificate, nil
}

func localAddr(conn net.Conn) (netip.Addr, error) {
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("a client sent no server name, and the connection has no address: %w", err)
	}
	return local.Addr().Unmap(), nil
}
