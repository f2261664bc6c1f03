package balancer

import "crypto/tls"

// presented is what a port presents to clients: a configuration for each certificate of the listener.
type presented struct {
	certificates []Certificate
	configs      []*tls.Config
}

func newPresented(t *TLS, http2 bool) *presented {
	protocols := []string{"http/1.1"}
	if http2 {
		protocols = []string{"h2", "http/1.1"}
	}
	p := &presented{certificates: t.Certificates}
	for _, c := range t.Certificates {
		p.configs = append(p.configs, &tls.Config{
			Certificates: []tls.Certificate{*c.Certificate}, MinVersion: t.MinVersion, MaxVersion: t.MaxVersion, CipherSuites: t.CipherSuites, NextProtos: protocols,
		})
	}
	return p
}

// choose picks the certificate for a client: the first that is for the name it asks for and that it understands, else the default one ("SSL certificates for your
// Application Load Balancer"). The client's record keeps which.
func (p *presented) choose(hello *tls.ClientHelloInfo) *tls.Config {
	chosen := 0
	for i, c := range p.certificates {
		if hello.ServerName != "" && hello.SupportsCertificate(c.Certificate) == nil {
			chosen = i
			break
		}
	}
	if c, ok := hello.Context().Value(clientKey{}).(*client); ok {
		c.certificate = p.certificates[chosen].ARN
	}
	return p.configs[chosen]
}
