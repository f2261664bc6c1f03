package secret_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/secret"
)

const (
	key     = "arn:aws:kms:us-east-1:123456789012:key/k"
	version = "aws:secretsmanager/secretVersion:SecretVersion"
)

func args() *secret.Args {
	return &secret.Args{Description: "Seals the IDs of orders", Field: "key", KeyARN: pulumi.String(key)}
}

func TestSecret(t *testing.T) {
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		s, err := secret.New(ctx, "order-key", args(), pulumi.Provider(p))
		if err != nil {
			return err
		}
		s.GrantRead().ApplyT(func(got string) error {
			const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue",` +
				`"Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:order-key-AbCdEf"},` +
				`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `","Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}}}]}`
			if got != want {
				t.Errorf("grant:\ngot  %s\nwant %s", got, want)
			}
			return nil
		})
		return nil
	})
	r.CheckTree(t, "order-key")
	r.GoldenURNs(t, "testdata/urns.txt")
	if diff := cmp.Diff(map[string]int{"aws:secretsmanager/secret:Secret": 1, version: 1}, r.Counts()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	s := r.One(t, "aws:secretsmanager/secret:Secret", "order-key")
	if s.Input("kmsKeyId") != key || s.Input("recoveryWindowInDays") != 0.0 || s.Input("name") != nil {
		t.Errorf("secret: %v", s.Inputs)
	}
	v := r.One(t, version, "order-key")
	if got := v.Input("secretString"); got != `{"key":"`+componenttest.Drawn+`"}` || !v.Secret("secretString") {
		t.Errorf("value: %v, marked as a secret: %v", got, v.Secret("secretString"))
	}
	// Another value is drawn in each run of the program.
	if !slices.Equal(v.Options.IgnoreChanges, []string{"secretString"}) {
		t.Errorf("the value changes with each update: %v", v.Options)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*secret.Args){
		"field":    func(a *secret.Args) { a.Field = `k"` },
		"no field": func(a *secret.Args) { a.Field = "" },
		"length":   func(a *secret.Args) { a.Length = 15 },
		"recovery": func(a *secret.Args) { a.RecoveryDays = 6 },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, secret.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := secret.New(ctx, "order-key", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
