// Package secret makes a random secret in Secrets Manager, for what the servers of a fleet must share and nobody must know: a
// JSON object with one field of letters and digits, drawn by AWS, encrypted with the caller's key.
//
// Left out: rotation, which needs a program that knows both ends of the secret; resource policies; replicas in other regions.
package secret

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
	"storefront/components/internal/secret"
)

// Type is the component's type token.
const Type = "storefront:secret:Secret"

// ErrArgs says that the arguments cannot make a secret; the text tells which and why.
var ErrArgs = errors.New("secret arguments")

// Args describe a secret.
type Args struct {
	Description  string
	Field        string             // of the JSON object: letters, digits and _
	Length       int                // characters, 16 to 4096; 0 means 64, 380 bits
	KeyARN       pulumi.StringInput // KMS key
	RecoveryDays int                // how long a deleted secret can be restored, 7 to 30; 0 deletes it at once
}

// Secret is a secret with a value.
type Secret struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput `pulumi:"arn"` // known once there is a value to read

	args Args
}

var fieldForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// New makes a secret. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Secret, error) {
	a := *args
	if a.Length == 0 {
		a.Length = 64
	}
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	s := &Secret{args: a}
	if err := ctx.RegisterComponentResource(Type, name, s, opts...); err != nil {
		return nil, err
	}
	made, err := secret.New(ctx, name, &secret.Args{
		Description: a.Description, Field: a.Field, Length: a.Length, KeyARN: a.KeyARN, RecoveryDays: a.RecoveryDays,
	}, pulumi.Parent(s))
	if err != nil {
		return nil, err
	}
	s.ARN = made.ARN
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"arn": s.ARN})
}

func check(a *Args) error {
	switch {
	case !fieldForm.MatchString(a.Field):
		return fmt.Errorf("%w: field %q: want letters, digits and _, a letter first", ErrArgs, a.Field)
	case a.Length < 16 || a.Length > 4096:
		return fmt.Errorf("%w: %d characters: 16 to 4096 are allowed", ErrArgs, a.Length)
	case a.RecoveryDays != 0 && (a.RecoveryDays < 7 || a.RecoveryDays > 30):
		return fmt.Errorf("%w: recovery within %d days: 0, or 7 to 30, are allowed", ErrArgs, a.RecoveryDays)
	}
	return nil
}

// GrantRead returns the policy document that lets a role read the secret, and use the key for that only.
func (s *Secret) GrantRead() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document { return policy.ReadSecret(v[0], v[1]) }, s.ARN, s.args.KeyARN)
}
