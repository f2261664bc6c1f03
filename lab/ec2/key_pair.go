package ec2

import (
	"context"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// keyPair is a key pair's public half.
type keyPair struct {
	ID          string
	Name        string
	Type        string // "rsa" or "ed25519"
	Fingerprint string
	Public      string // in the form of authorized_keys
	Created     time.Time
}

func (v keyPair) id() string { return v.ID }

var keyPairs = kind[keyPair]{
	table: state.NewTable[keyPair]("ec2.key-pair"), prefix: "key", tagType: "key-pair", absent: "InvalidKeyPair.NotFound", noun: "key pair ID",
	filters: map[string]func(keyPair) []string{
		"key-pair-id": one(keyPair.id),
		"key-name":    one(func(v keyPair) string { return v.Name }),
		"fingerprint": one(func(v keyPair) string { return v.Fingerprint }),
	},
}

// addKeyPair stores a key pair under a free name.
func (s *Service) addKeyPair(ctx context.Context, tx *state.Tx, v keyPair, specs []api.TagSpecification) (keyPair, error) {
	if v.Name == "" || len(v.Name) > 255 {
		return v, invalid("keyName", v.Name)
	}
	if err := checkSpecifications(specs, "key-pair"); err != nil {
		return v, err
	}
	if keyPairs.any(tx, func(o keyPair) bool { return o.Name == v.Name }) {
		return v, fault("InvalidKeyPair.Duplicate", "The keypair already exists")
	}
	var err error
	if v.ID, err = keyPairs.newID(tx); err != nil {
		return v, err
	}
	v.Created = s.Now().UTC()
	if err := keyPairs.put(tx, v); err != nil {
		return v, err
	}
	return v, tagNew(ctx, tx, v.ID, specs, "key-pair")
}

// ImportKeyPair stores a public key of the user's.
func (s *Service) ImportKeyPair(ctx context.Context, in *api.ImportKeyPairInput) (*api.ImportKeyPairOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ImportKeyPairOutput) error {
		key, _, _, _, err := ssh.ParseAuthorizedKey(in.PublicKeyMaterial)
		if err != nil {
			return fault("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
		}
		v := keyPair{Name: wire.Value(in.KeyName), Public: strings.TrimSpace(string(in.PublicKeyMaterial))}
		switch key.Type() {
		case ssh.KeyAlgoRSA:
			v.Type, v.Fingerprint = "rsa", ssh.FingerprintLegacyMD5(key)
			if public, ok := key.(ssh.CryptoPublicKey); ok {
				der, err := x509.MarshalPKIXPublicKey(public.CryptoPublicKey())
				if err != nil {
					return fault("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
				}
				sum := md5.Sum(der)
				v.Fingerprint = colons(sum[:])
			}
		case ssh.KeyAlgoED25519:
			v.Type, v.Fingerprint = "ed25519", strings.TrimPrefix(ssh.FingerprintSHA256(key), "SHA256:")
		default:
			return fault("InvalidKey.Format", "Keys of type %s are not supported", key.Type())
		}
		if v, err = s.addKeyPair(ctx, tx, v, in.TagSpecifications); err != nil {
			return err
		}
		out.KeyName, out.KeyPairId, out.KeyFingerprint, out.Tags = &v.Name, &v.ID, &v.Fingerprint, showTags(tx, v.ID)
		return nil
	})
}

// CreateKeyPair makes a key pair; the private half is in the answer and nowhere else.
func (s *Service) CreateKeyPair(ctx context.Context, in *api.CreateKeyPairInput) (*api.CreateKeyPairOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateKeyPairOutput) error {
		if f := wire.Or(in.KeyFormat, "pem"); f != "pem" {
			return unsupported("Key format " + f)
		}
		v, material, err := generateKey(wire.Or(in.KeyType, "rsa"))
		if err != nil {
			return err
		}
		v.Name = wire.Value(in.KeyName)
		if v, err = s.addKeyPair(ctx, tx, v, in.TagSpecifications); err != nil {
			return err
		}
		out.KeyName, out.KeyPairId, out.KeyFingerprint, out.KeyMaterial, out.Tags = &v.Name, &v.ID, &v.Fingerprint, &material, showTags(tx, v.ID)
		return nil
	})
}

// generateKey makes a key pair and returns the private half as PEM.
func generateKey(keyType string) (keyPair, string, error) {
	v := keyPair{Type: keyType}
	var private, public any
	switch keyType {
	case "rsa":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return v, "", err
		}
		private, public = key, key.Public()
	case "ed25519":
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return v, "", err
		}
		private, public = key, pub
	default:
		return v, "", invalid("keyType", keyType)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return v, "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return v, "", err
	}
	v.Public = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	v.Fingerprint = strings.TrimPrefix(ssh.FingerprintSHA256(key), "SHA256:")
	if keyType == "rsa" {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return v, "", err
		}
		sum := sha1.Sum(der)
		v.Fingerprint = colons(sum[:])
	}
	return v, string(pem.EncodeToMemory(block)), nil
}

// colons writes bytes as AWS writes fingerprints: 1f:51:ae:...
func colons(b []byte) string {
	var parts []string
	for _, c := range b {
		parts = append(parts, hex.EncodeToString([]byte{c}))
	}
	return strings.Join(parts, ":")
}

// DescribeKeyPairs lists key pairs by ID, name or filter.
func (s *Service) DescribeKeyPairs(_ context.Context, in *api.DescribeKeyPairsInput) (*api.DescribeKeyPairsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeKeyPairsOutput) error {
		ids := slices.Clone(in.KeyPairIds)
		for _, name := range in.KeyNames {
			v, err := findKeyPair(tx, name)
			if err != nil {
				return err
			}
			ids = append(ids, v.ID)
		}
		var err error
		out.KeyPairs, _, err = describe(tx, keyPairs, query{ids: ids, filters: in.Filters}, func(tx *state.Tx, v keyPair) api.KeyPairInfo {
			shown := api.KeyPairInfo{KeyPairId: &v.ID, KeyName: &v.Name, KeyType: &v.Type, KeyFingerprint: &v.Fingerprint, CreateTime: &v.Created, Tags: showTags(tx, v.ID)}
			if wire.Value(in.IncludePublicKey) {
				shown.PublicKey = &v.Public
			}
			return shown
		})
		return err
	})
}

func findKeyPair(tx *state.Tx, name string) (keyPair, error) {
	found := keyPairs.where(tx, func(v keyPair) bool { return v.Name == name })
	if len(found) == 0 {
		return keyPair{}, fault("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
	}
	return found[0], nil
}

// DeleteKeyPair deletes a key pair; one that is not there is no error.
func (s *Service) DeleteKeyPair(_ context.Context, in *api.DeleteKeyPairInput) (*api.DeleteKeyPairOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteKeyPairOutput) error {
		if in.KeyName == nil && in.KeyPairId == nil {
			return missing("KeyName")
		}
		out.Return = new(true)
		for _, v := range keyPairs.where(tx, func(v keyPair) bool { return v.Name == wire.Value(in.KeyName) || v.ID == wire.Value(in.KeyPairId) }) {
			out.KeyPairId = &v.ID
			if err := keyPairs.remove(tx, v.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
