package kms_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	kmsapi "storefront/lab/api/kms"
	lab "storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// start serves KMS; the test moves the clock.
func start(t *testing.T) (*kms.Client, *time.Time) {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	now := new(time.Now())
	s := wiretest.New(t, kmsapi.New(lab.New(store, region.Default(), func() time.Time { return *now })))
	return kms.NewFromConfig(s.Config()), now
}

func newKey(t *testing.T, c *kms.Client) *string {
	t.Helper()
	return wiretest.Must(c.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata.KeyId
}

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`

func TestKeyReadsBackAsCreated(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	made := wiretest.Must(c.CreateKey(ctx, &kms.CreateKeyInput{Description: new("orders"), Policy: new(policy), Tags: []types.Tag{{TagKey: new("a"), TagValue: new("1")}}}))
	id := made.KeyMetadata.KeyId
	if m := wiretest.Must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: made.KeyMetadata.Arn})).KeyMetadata; *m.KeyId != *id || *m.Description != "orders" || !m.Enabled || m.KeyManager != types.KeyManagerTypeCustomer {
		t.Errorf("got %+v", m)
	}
	if p := wiretest.Must(c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id})); *p.Policy != policy || *p.PolicyName != "default" {
		t.Errorf("got policy %q", *p.Policy)
	}
	wiretest.Must(c.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: id, Description: new("new")}))
	wiretest.Must(c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: new(strings.Replace(policy, "kms:*", "kms:Decrypt", 1))}))
	wiretest.Must(c.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: []types.Tag{{TagKey: new("b"), TagValue: new("2")}}}))
	wiretest.Must(c.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"a"}}))
	if tags := wiretest.Must(c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: id})).Tags; len(tags) != 1 || *tags[0].TagKey != "b" {
		t.Errorf("got tags %v", tags)
	}
	if names := wiretest.Must(c.ListKeyPolicies(ctx, &kms.ListKeyPoliciesInput{KeyId: id})).PolicyNames; len(names) != 1 {
		t.Errorf("got policies %v", names)
	}
	other := newKey(t, c)
	first := wiretest.Must(c.ListKeys(ctx, &kms.ListKeysInput{Limit: new(int32(1))}))
	second := wiretest.Must(c.ListKeys(ctx, &kms.ListKeysInput{Limit: new(int32(1)), Marker: first.NextMarker}))
	if !first.Truncated || second.Truncated || *first.Keys[0].KeyId != *id || *second.Keys[0].KeyId != *other {
		t.Errorf("got pages %+v and %+v", first, second)
	}
}

func TestKeyRefusals(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	id := newKey(t, c)
	for name, tc := range map[string]struct {
		call          func() error
		code, message string
	}{
		"unknown key": {func() error { _, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: new("none")}); return err }, "NotFoundException", "Key 'arn:aws:kms:us-east-1:000000000000:key/none' does not exist"},
		"bad policy": {func() error {
			_, err := c.CreateKey(ctx, &kms.CreateKeyInput{Policy: new(`{"Statement":[]}`)})
			return err
		}, "MalformedPolicyDocumentException", ""},
		"asymmetric": {func() error {
			_, err := c.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048})
			return err
		}, "UnsupportedOperationException", ""},
		"short window": {func() error {
			_, err := c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: new(int32(1))})
			return err
		}, "ValidationException", "between 7 and 30"},
		"AWS managed": {func() error {
			_, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: new("alias/aws/rds")})
			return err
		}, "AccessDeniedException", ""},
		"not pending": {func() error { _, err := c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}); return err }, "KMSInvalidStateException", "not pending deletion"},
		"rotation period": {func() error {
			_, err := c.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: new(int32(1))})
			return err
		}, "ValidationException", "rotationPeriodInDays"},
	} {
		t.Run(name, func(t *testing.T) { wiretest.Refused(t, tc.call(), tc.code, tc.message) })
	}
}

func TestEncryptionContextIsAuthenticated(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	id, other := newKey(t, c), newKey(t, c)
	sealed := wiretest.Must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("card"), EncryptionContext: map[string]string{"order": "1"}})).CiphertextBlob
	open := func(context map[string]string, key *string, blob []byte) (*kms.DecryptOutput, error) {
		return c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: context, KeyId: key})
	}
	if got := wiretest.Must(open(map[string]string{"order": "1"}, id, sealed)); string(got.Plaintext) != "card" {
		t.Errorf("got %q", got.Plaintext)
	}
	_, err := open(map[string]string{"order": "2"}, nil, sealed)
	wiretest.Refused(t, err, "InvalidCiphertextException", "")
	_, err = open(map[string]string{"order": "1"}, other, sealed)
	wiretest.Refused(t, err, "IncorrectKeyException", "")
	_, err = open(map[string]string{"order": "1"}, new("alias/aws/s3"), sealed)
	wiretest.Refused(t, err, "IncorrectKeyException", "")
	broken := append([]byte{}, sealed...)
	broken[len(broken)-1] ^= 1
	_, err = open(map[string]string{"order": "1"}, nil, broken)
	wiretest.Refused(t, err, "InvalidCiphertextException", "")

	moved := wiretest.Must(c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed, SourceEncryptionContext: map[string]string{"order": "1"}, DestinationKeyId: other})).CiphertextBlob
	if got := wiretest.Must(open(nil, other, moved)); string(got.Plaintext) != "card" {
		t.Errorf("got %q after ReEncrypt", got.Plaintext)
	}
	_, err = c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: moved, SourceKeyId: id, DestinationKeyId: id})
	wiretest.Refused(t, err, "IncorrectKeyException", "")
}

func TestRotationKeepsOldCiphertexts(t *testing.T) {
	c, now := start(t)
	ctx := t.Context()
	id := newKey(t, c)
	seal := func() []byte {
		t.Helper()
		return wiretest.Must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})).CiphertextBlob
	}
	old := seal()
	wiretest.Must(c.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id}))
	wiretest.Must(c.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: new(int32(90))}))
	before := seal()
	*now = now.AddDate(0, 0, 91)
	after := seal()
	// The header of a ciphertext names the material: it changes with each rotation.
	if string(old[:41]) == string(before[:41]) || string(before[:41]) == string(after[:41]) {
		t.Error("a rotation did not change the key material")
	}
	for _, blob := range [][]byte{old, before, after} {
		if got := wiretest.Must(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob})); string(got.Plaintext) != "x" {
			t.Errorf("got %q", got.Plaintext)
		}
	}
	status := wiretest.Must(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id}))
	if !status.KeyRotationEnabled || *status.RotationPeriodInDays != 90 || !status.NextRotationDate.After(*now) {
		t.Errorf("got %+v", status)
	}
	wiretest.Must(c.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: id}))
	if wiretest.Must(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id})).KeyRotationEnabled {
		t.Error("rotation is still enabled")
	}
}

func TestDisabledAndPendingKeysAreUnusable(t *testing.T) {
	c, now := start(t)
	ctx := t.Context()
	id := newKey(t, c)
	use := func() error {
		_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
		return err
	}
	wiretest.Must(c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}))
	wiretest.Refused(t, use(), "DisabledException", "is disabled")
	_, err := c.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id})
	wiretest.Refused(t, err, "DisabledException", "is disabled")
	wiretest.Must(c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}))
	if err := use(); err != nil {
		t.Error(err)
	}
	wiretest.Must(c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: new(int32(7))}))
	wiretest.Refused(t, use(), "KMSInvalidStateException", "is pending deletion")
	wiretest.Must(c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}))
	wiretest.Refused(t, use(), "DisabledException", "is disabled")
	wiretest.Must(c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: new(int32(7))}))
	*now = now.Add(7*24*time.Hour + time.Second)
	wiretest.Refused(t, use(), "NotFoundException", "does not exist")
}

func TestAliases(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	first, second := newKey(t, c), newKey(t, c)
	create := func(name string, target *string) error {
		_, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: target})
		return err
	}
	if err := create("alias/orders", first); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, create("alias/orders", second), "AlreadyExistsException", "alias/orders already exists")
	wiretest.Refused(t, create("orders", second), "ValidationException", "")
	wiretest.Refused(t, create("alias/aws/mine", second), "NotAuthorizedException", "")
	wiretest.Refused(t, create("alias/a", new("alias/orders")), "ValidationException", "")
	sealed := wiretest.Must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: new("alias/orders"), Plaintext: []byte("x")}))
	if !strings.HasSuffix(*sealed.KeyId, *first) {
		t.Errorf("got key %s, want %s", *sealed.KeyId, *first)
	}
	wiretest.Must(c.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: new("alias/orders"), TargetKeyId: second}))
	list := wiretest.Must(c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: second})).Aliases
	if len(list) != 1 || *list[0].AliasName != "alias/orders" || *list[0].TargetKeyId != *second {
		t.Errorf("got %+v", list)
	}
	wiretest.Must(c.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: new("alias/orders")}))
	_, err := c.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: new("alias/orders")})
	wiretest.Refused(t, err, "NotFoundException", "is not found")
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: new("alias/aws/none")})
	wiretest.Refused(t, err, "NotFoundException", "is not found")
	if m := wiretest.Must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: new("alias/aws/s3")})).KeyMetadata; m.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("got %+v", m)
	}
}

func TestGrants(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	id := newKey(t, c)
	g := wiretest.Must(c.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: id, GranteePrincipal: new("arn:aws:iam::000000000000:role/a"), Name: new("g"),
		Operations: []types.GrantOperation{types.GrantOperationDecrypt}, Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "b"}}}))
	list := wiretest.Must(c.ListGrants(ctx, &kms.ListGrantsInput{KeyId: id})).Grants
	if len(list) != 1 || *list[0].GrantId != *g.GrantId || *list[0].Name != "g" || list[0].Constraints.EncryptionContextSubset["a"] != "b" {
		t.Errorf("got %+v", list)
	}
	wiretest.Must(c.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: id, GrantId: g.GrantId}))
	_, err := c.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: id, GrantId: g.GrantId})
	wiretest.Refused(t, err, "NotFoundException", "is not found")
}

func TestDataKeys(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	id := newKey(t, c)
	k := wiretest.Must(c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256}))
	if got := wiretest.Must(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: k.CiphertextBlob})); len(k.Plaintext) != 32 || string(got.Plaintext) != string(k.Plaintext) {
		t.Error("the sealed data key is not the plain one")
	}
	w := wiretest.Must(c.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: id, NumberOfBytes: new(int32(64))}))
	if got := wiretest.Must(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: w.CiphertextBlob})); len(got.Plaintext) != 64 {
		t.Errorf("got %d bytes, want 64", len(got.Plaintext))
	}
	_, err := c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: id})
	wiretest.Refused(t, err, "ValidationException", "number of bytes or key spec")
	a, b := wiretest.Must(c.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: new(int32(16))})), wiretest.Must(c.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: new(int32(16))}))
	if len(a.Plaintext) != 16 || string(a.Plaintext) == string(b.Plaintext) {
		t.Error("random bytes are not random")
	}
}
