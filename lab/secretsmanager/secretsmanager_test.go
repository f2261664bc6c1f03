package secretsmanager_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/secretsmanager"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

type harness struct {
	*secretsmanager.Client
	service *lab.Service
	store   *state.Store
	file    string
	now     time.Time
}

func start(t *testing.T) *harness {
	t.Helper()
	h := &harness{file: filepath.Join(t.TempDir(), "state"), now: time.Now()}
	h.store = wiretest.Must(state.Open(h.file))
	t.Cleanup(func() { _ = h.store.Close() })
	clock := func() time.Time { return h.now }
	h.service = lab.New(h.store, region.Default(), kms.New(h.store, region.Default(), clock), clock)
	h.Client = secretsmanager.NewFromConfig(wiretest.New(t, api.New(h.service)).Config())
	return h
}

func (h *harness) create(t *testing.T, name, value string) *secretsmanager.CreateSecretOutput {
	t.Helper()
	return wiretest.Must(h.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value, Tags: []types.Tag{{Key: new("a"), Value: new("1")}}}))
}

func TestStagesMoveWithNewValues(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	made := h.create(t, "db", "one")
	second := wiretest.Must(h.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: new("db"), SecretString: new("two")}))
	read := func(stage string) string {
		t.Helper()
		return *wiretest.Must(h.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: made.ARN, VersionStage: &stage})).SecretString
	}
	if read("AWSCURRENT") != "two" || read("AWSPREVIOUS") != "one" {
		t.Error("the stages did not move")
	}
	move := func(from, to *string) error {
		_, err := h.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: new("db"), VersionStage: new("AWSCURRENT"), RemoveFromVersionId: from, MoveToVersionId: to})
		return err
	}
	wiretest.Refused(t, move(nil, made.VersionId), "InvalidParameterException", "RemoveFromVersionId")
	wiretest.Refused(t, move(second.VersionId, nil), "InvalidParameterException", "completely removed")
	if err := move(second.VersionId, made.VersionId); err != nil {
		t.Fatal(err)
	}
	if read("AWSCURRENT") != "one" || read("AWSPREVIOUS") != "two" {
		t.Error("the stages did not move back")
	}
	wiretest.Must(h.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: new("db"), SecretBinary: []byte{0, 1}, Description: new("d")}))
	if got := wiretest.Must(h.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("db")})); got.SecretString != nil || !bytes.Equal(got.SecretBinary, []byte{0, 1}) {
		t.Errorf("got %+v", got)
	}
	if l := wiretest.Must(h.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{SecretId: new("db")})).Versions; len(l) != 2 {
		t.Errorf("got %d versions with stages, want 2", len(l))
	}
	d := wiretest.Must(h.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: new("db")}))
	if *d.ARN != *made.ARN || *d.Description != "d" || len(d.VersionIdsToStages) != 2 || len(d.Tags) != 1 || d.DeletedDate != nil {
		t.Errorf("got %+v", d)
	}
}

func TestRecoveryWindow(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	h.create(t, "db", "x")
	remove := func() {
		t.Helper()
		wiretest.Must(h.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: new("db"), RecoveryWindowInDays: new(int64(7))}))
	}
	get := func() error {
		_, err := h.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("db")})
		return err
	}
	remove()
	wiretest.Refused(t, get(), "InvalidRequestException", "because it was marked for deletion")
	_, err := h.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: new("db")})
	wiretest.Refused(t, err, "InvalidRequestException", "already scheduled for deletion")
	if d := wiretest.Must(h.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: new("db")})); d.DeletedDate == nil {
		t.Error("no deletion date")
	}
	wiretest.Must(h.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: new("db")}))
	if err := get(); err != nil {
		t.Error(err)
	}
	remove()
	h.now = h.now.Add(7*24*time.Hour + time.Second)
	wiretest.Refused(t, get(), "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	h.create(t, "db", "again")
	wiretest.Must(h.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: new("db"), ForceDeleteWithoutRecovery: new(true)}))
	wiretest.Refused(t, get(), "ResourceNotFoundException", "")
}

func TestRefusals(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	h.create(t, "db", "x")
	put := func(in *secretsmanager.CreateSecretInput) error { _, err := h.CreateSecret(ctx, in); return err }
	wiretest.Refused(t, put(&secretsmanager.CreateSecretInput{Name: new("db")}), "ResourceExistsException", "already exists")
	wiretest.Refused(t, put(&secretsmanager.CreateSecretInput{Name: new("a b")}), "ValidationException", "Invalid name")
	wiretest.Refused(t, put(&secretsmanager.CreateSecretInput{Name: new("k"), SecretString: new("x"), KmsKeyId: new("none")}), "EncryptionFailure", "does not exist")
	_, err := h.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: new("db"), RecoveryWindowInDays: new(int64(3))})
	wiretest.Refused(t, err, "InvalidParameterException", "between 7 and 30 days")
	_, err = h.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("db"), VersionStage: new("none")})
	wiretest.Refused(t, err, "ResourceNotFoundException", "staging label: none")
	_, err = h.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: new("db"), ResourcePolicy: new("{}")})
	wiretest.Refused(t, err, "MalformedPolicyDocumentException", "")
}

func TestPolicyTagsAndList(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	h.create(t, "a", "x")
	h.create(t, "b", "x")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"secretsmanager:*","Resource":"*"}]}`
	wiretest.Must(h.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: new("a"), ResourcePolicy: new(policy)}))
	if p := wiretest.Must(h.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: new("a")})); *p.ResourcePolicy != policy {
		t.Errorf("got %s", *p.ResourcePolicy)
	}
	wiretest.Must(h.DeleteResourcePolicy(ctx, &secretsmanager.DeleteResourcePolicyInput{SecretId: new("a")}))
	if p := wiretest.Must(h.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: new("a")})); p.ResourcePolicy != nil {
		t.Errorf("got %s", *p.ResourcePolicy)
	}
	wiretest.Must(h.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: new("a"), Tags: []types.Tag{{Key: new("b"), Value: new("2")}}}))
	wiretest.Must(h.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: new("a"), TagKeys: []string{"a"}}))
	first := wiretest.Must(h.ListSecrets(ctx, &secretsmanager.ListSecretsInput{MaxResults: new(int32(1))}))
	second := wiretest.Must(h.ListSecrets(ctx, &secretsmanager.ListSecretsInput{MaxResults: new(int32(1)), NextToken: first.NextToken}))
	if tags := first.SecretList[0].Tags; len(tags) != 1 || *tags[0].Key != "b" || *second.SecretList[0].Name != "b" || second.NextToken != nil {
		t.Errorf("got %+v, %+v", first, second)
	}
	p := *wiretest.Must(h.GetRandomPassword(ctx, &secretsmanager.GetRandomPasswordInput{PasswordLength: new(int64(20)), ExcludePunctuation: new(true), ExcludeCharacters: new("abc")})).RandomPassword
	if len(p) != 20 || bytes.ContainsAny([]byte(p), "abc!$") {
		t.Errorf("got %q", p)
	}
}

func TestOwnedSecrets(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	var arn string
	if err := h.store.Update(func(tx *state.Tx) (err error) {
		if arn, err = h.service.CreateOwned(tx, "rds", "rds!cluster-1", "", "first"); err != nil {
			return err
		}
		return h.service.ReplaceOwned(tx, arn, "second")
	}); err != nil {
		t.Fatal(err)
	}
	if v := wiretest.Must(h.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})); *v.SecretString != "second" || !slices.Contains(v.VersionStages, "AWSCURRENT") {
		t.Errorf("got %+v", v)
	}
	_, err := h.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &arn})
	wiretest.Refused(t, err, "InvalidRequestException", "managed by rds")
	_, err = h.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &arn, SecretString: new("x")})
	wiretest.Refused(t, err, "InvalidRequestException", "managed by rds")
	_ = h.store.Update(func(tx *state.Tx) error {
		if v, err := h.service.ReadOwned(tx, arn); v != "second" || err != nil {
			t.Errorf("got %q, %v", v, err)
		}
		return h.service.DeleteOwned(tx, arn)
	})
	_, err = h.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &arn})
	wiretest.Refused(t, err, "ResourceNotFoundException", "")
}

func TestValuesAreSealedAtRest(t *testing.T) {
	h := start(t)
	h.create(t, "db", "correct horse battery")
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	file := wiretest.Must(os.ReadFile(h.file))
	if !bytes.Contains(file, []byte("secret:db-")) {
		t.Fatal("the secret is not in the state file")
	}
	for _, plain := range []string{"correct horse battery", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"} {
		if bytes.Contains(file, []byte(plain)) {
			t.Errorf("the state file holds the plain text as %q", plain)
		}
	}
}
