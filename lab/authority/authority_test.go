package authority_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"storefront/lab/authority"
)

func open(t *testing.T, dir string) *authority.Authority {
	t.Helper()
	a, err := authority.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheAuthorityIsCreatedOnce(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir).CertificatePEM()
	if !bytes.Equal(first, open(t, dir).CertificatePEM()) {
		t.Error("the second Open made a new authority")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("got %d files, want the authority's one: %v", len(entries), entries)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", e.Name(), info.Mode(), err)
		}
	}
}

func TestConcurrentOpensAgree(t *testing.T) {
	dir := t.TempDir()
	roots := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range roots {
		wg.Go(func() {
			if a, err := authority.Open(dir); err != nil {
				t.Error(err)
			} else {
				roots[i] = a.CertificatePEM()
			}
		})
	}
	wg.Wait()
	for _, root := range roots {
		if !bytes.Equal(root, roots[0]) {
			t.Fatal("two processes opened different authorities")
		}
	}
}

func TestADamagedFileIsRefusedAndKept(t *testing.T) {
	good := t.TempDir()
	open(t, good)
	other := t.TempDir()
	open(t, other)
	read := func(dir string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, "authority.pem"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	certificate, _ := pem.Decode(read(good))
	_, key := pem.Decode(read(other))
	for name, data := range map[string][]byte{
		"empty":           {},
		"no key":          pem.EncodeToMemory(certificate),
		"another's key":   append(pem.EncodeToMemory(certificate), key...),
		"not PEM":         []byte("hello"),
		"certificate cut": append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Bytes[:40]}), key...),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "authority.pem")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := authority.Open(dir); err == nil {
				t.Error("opened")
			}
			if got, _ := os.ReadFile(path); !bytes.Equal(got, data) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestIssue(t *testing.T) {
	a := open(t, t.TempDir())
	pair, err := a.Issue([]string{"db.example", "*.s3.example"}, []netip.Addr{netip.MustParseAddr("10.0.0.7")})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, trusted := range map[string]bool{"db.example": true, "bucket.s3.example": true, "10.0.0.7": true, "other.example": false, "10.0.0.8": false} {
		_, err := certificate.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: a.Pool()})
		if (err == nil) != trusted {
			t.Errorf("%s: trusted is %v (%v), want %v", name, err == nil, err, trusted)
		}
	}
	if _, err := certificate.Leaf.Verify(x509.VerifyOptions{Roots: open(t, t.TempDir()).Pool()}); err == nil {
		t.Error("another lab's authority vouches for it")
	}
	if _, err := a.Issue(nil, nil); err == nil {
		t.Error("issued a certificate for nothing")
	}
}

func TestHandshakes(t *testing.T) {
	a := open(t, t.TempDir())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.TLSConfig(func(name string) bool { return name == "sqs.us-east-1.amazonaws.com" }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake() // fails for the names that are refused
			_ = conn.Close()
		}
	}()
	dial := func(name string) (*x509.Certificate, error) {
		conn, err := tls.DialWithDialer(&net.Dialer{}, "tcp", listener.Addr().String(), &tls.Config{ServerName: name, RootCAs: a.Pool()})
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0], nil
	}
	first, err := dial("sqs.us-east-1.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := dial("SQS.us-east-1.amazonaws.com"); err != nil || !again.Equal(first) {
		t.Errorf("a second client got another certificate, or none: %v", err)
	}
	if _, err := dial("127.0.0.1"); err != nil { // Go sends no server name for an address
		t.Errorf("a client that connects by address: %v", err)
	}
	if _, err := dial("evil.example"); err == nil {
		t.Error("signed a name that the endpoint does not serve")
	}
}
