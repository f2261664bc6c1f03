package e2e

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// keysAreApart proves that the key of a class of data opens that class alone, whatever IAM allows: an administrator cannot use a key for himself, nor for data of another
// class, and a server's role cannot take to a key what it may do through a service.
func keysAreApart(t *testing.T, d *deployment) {
	session := d.aws
	session.Credentials = d.serverRole(t, d.out.SummaryAutoScalingGroup)
	for _, class := range slices.Sorted(maps.Keys(d.out.KeyARNs)) {
		key := d.out.KeyARNs[class]
		for who, config := range map[string]aws.Config{"the administrator": d.aws, "the summary role": session} {
			_, err := kms.NewFromConfig(config).GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256"})
			if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "AccessDeniedException" {
				t.Errorf("%s uses the key of class %s: %v, want AccessDeniedException", who, class, err)
			}
		}
		secrets := secretsmanager.NewFromConfig(d.aws)
		_, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("key-of-" + class), SecretString: aws.String("x"), KmsKeyId: &key})
		if (err == nil) != (class == "secrets") {
			t.Errorf("a secret under the key of class %s: %v", class, err)
		}
		if err != nil {
			continue
		}
		if _, err := secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("key-of-" + class), ForceDeleteWithoutRecovery: aws.Bool(true)}); err != nil {
			t.Error(err)
		}
	}
}

// askRole prints the credentials of an instance's role, as programs on the instance get them.
const askRole = `at=http://169.254.169.254/latest; token=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 5" $at/api/token)
ask() { curl -sf -H "X-aws-ec2-metadata-token: $token" "$at/meta-data/iam/security-credentials/$1"; }; ask "$(ask)"`

// serverRole returns the credentials of the role of a fleet's servers.
func (d *deployment) serverRole(t *testing.T, group string) aws.CredentialsProvider {
	t.Helper()
	var c struct{ AccessKeyId, SecretAccessKey, Token string }
	if err := json.Unmarshal([]byte(d.mustRun(t, "lab", "exec", d.inService(t, group)[0], "--", "bash", "-c", askRole)), &c); err != nil {
		t.Fatal(err)
	}
	return credentials.NewStaticCredentialsProvider(c.AccessKeyId, c.SecretAccessKey, c.Token)
}
