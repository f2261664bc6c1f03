package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"storefront/services/shop/shoptest"
)

const firstToken = "first-token-of-the-test"

// server is a redis-server of the test's own, with TLS and AUTH as ElastiCache has them.
type server struct {
	address     string
	certificate *x509.Certificate // its own authority
	roots       *x509.CertPool
	cmd         *exec.Cmd
}

// startServer runs redis-server until the test ends.
func startServer(t *testing.T) *server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("this test needs redis-server: apt-get install redis-server (%v)", err)
	}
	dir := t.TempDir()
	s := &server{certificate: certify(t, dir), roots: x509.NewCertPool()}
	s.roots.AddCert(s.certificate)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.address = l.Addr().String()
	must(t, l.Close())
	_, port, _ := net.SplitHostPort(s.address)
	s.cmd = exec.Command(program, "--port", "0", "--bind", "127.0.0.1", "--tls-port", port, "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem",
		"--tls-auth-clients", "no", "--tls-replication", "yes", "--tls-ca-cert-file", "cert.pem", "--requirepass", firstToken, "--save", "", "--dir", dir, "--databases", "64")
	s.cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	t.Cleanup(func() { _ = log.Close() })
	s.cmd.Stdout, s.cmd.Stderr = log, log
	must(t, s.cmd.Start())
	t.Cleanup(func() { s.stop() })
	admin := s.admin(t, firstToken)
	shoptest.Eventually(t, "redis-server answers", func() bool { return admin.Ping(t.Context()).Err() == nil })
	return s
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// admin returns a client of the test's own.
func (s *server) admin(t *testing.T, token string) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: s.address, Password: token, TLSConfig: s.tls(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *server) tls() *tls.Config {
	return &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// tlsAnd trusts another server as well.
func (s *server) tlsAnd(other *server) *tls.Config {
	both := s.roots.Clone()
	both.AddCert(other.certificate)
	return &tls.Config{RootCAs: both, MinVersion: tls.VersionTLS12}
}

func (s *server) port() int {
	_, port, _ := net.SplitHostPort(s.address)
	n, _ := strconv.Atoi(port)
	return n
}

// certify writes cert.pem and key.pem for 127.0.0.1 into dir and returns the certificate, which vouches for itself.
func certify(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis of a test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	return parsed
}

// endpoint is a name that can move from one server to another, as that of a primary does in a failover.
type endpoint struct {
	address string
	target  atomic.Pointer[server]
}

func newEndpoint(t *testing.T, target *server) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	e := &endpoint{address: l.Addr().String()}
	e.target.Store(target)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go e.forward(in)
		}
	}()
	return e
}

func (e *endpoint) forward(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", e.target.Load().address)
	if err != nil {
		return
	}
	defer out.Close()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	_, _ = io.Copy(in, out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
