package acm

import (
	"encoding/pem"
	"testing"
	"time"
)

// Whatever is sent as a certificate, chain or key is refused or understood, and what is understood names somebody.
func FuzzImport(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0x03, 0x02, 0x01, 0x02}}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte{0x30, 0x00}}))
	f.Add([]byte(" \n"), []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, body, key []byte) {
		all, err := readAll(body)
		if err != nil {
			return
		}
		leaf, err := readLeaf(body, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			return
		}
		if len(all) != 1 || len(namesOf(leaf)) == 0 || algorithm(leaf) == "" {
			t.Errorf("accepted %q", body)
		}
		_ = checkKey(leaf, key)
		_ = checkChain(leaf, body)
	})
}
