// Package secret makes random secrets in Secrets Manager: a JSON object with one field, drawn once.
//
// The value is drawn by AWS (GetRandomPassword) at every run of the program, and ignored once a version exists: a secret
// changes when its resource is replaced, never by itself. It is in the state, encrypted, because what needs it there (the AUTH token of a cache) is
// given it by Pulumi; it is never an output.
package secret

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args describe a secret.
type Args struct {
	Description  string
	Field        string             // of the JSON object: "token"
	Length       int                // letters and digits
	KeyARN       pulumi.StringInput // KMS key
	RecoveryDays int                // how long a deleted secret can be restored, 7 to 30; 0 deletes at once
}

// Secret is a secret with its only version.
type Secret struct {
	ARN   pulumi.StringOutput // known once there is a value to read
	Value pulumi.StringOutput // of the field, marked as a secret
}

// New makes a secret below parent.
func New(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOrInvokeOption) (*Secret, error) {
	made, err := secretsmanager.NewSecret(ctx, name, &secretsmanager.SecretArgs{
		Description:          pulumi.String(args.Description),
		KmsKeyId:             args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		RecoveryWindowInDays: pulumi.Int(args.RecoveryDays),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("creating secret %s: %w", name, err)
	}
	drawn := secretsmanager.GetRandomPasswordOutput(ctx, secretsmanager.GetRandomPasswordOutputArgs{
		PasswordLength: pulumi.Int(args.Length), ExcludePunctuation: pulumi.Bool(true), RequireEachIncludedType: pulumi.Bool(true),
	}, parent).RandomPassword()
	object := drawn.ApplyT(func(v string) (string, error) {
		b, err := json.Marshal(map[string]string{args.Field: v})
		return string(b), err
	}).(pulumi.StringOutput)
	version, err := secretsmanager.NewSecretVersion(ctx, name, &secretsmanager.SecretVersionArgs{
		SecretId:     made.ID(),
		SecretString: pulumi.ToSecret(object).(pulumi.StringOutput),
	}, parent, pulumi.IgnoreChanges([]string{"secretString"}))
	if err != nil {
		return nil, fmt.Errorf("creating the value of secret %s: %w", name, err)
	}
	// Out of the version, not out of what was drawn in this run: the value that was stored counts.
	value := version.SecretString.Elem().ApplyT(func(v string) (string, error) {
		var fields map[string]string
		if err := json.Unmarshal([]byte(v), &fields); err != nil || fields[args.Field] == "" {
			return "", fmt.Errorf("secret %s has no field %q", name, args.Field)
		}
		return fields[args.Field], nil
	}).(pulumi.StringOutput)
	return &Secret{ARN: version.Arn, Value: pulumi.ToSecret(value).(pulumi.StringOutput)}, nil
}
