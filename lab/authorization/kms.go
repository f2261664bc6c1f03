package authorization

import (
	"strings"

	api "storefront/lab/api/kms"
	"storefront/lab/kms"
	"storefront/lab/wire"
)

// kmsAsks tells what the calls of KMS ask for, from "Actions, resources, and condition keys for AWS Key Management Service". What decrypts asks for the key that the
// ciphertext is under, whether or not the request names it.
func (a *Authorizer) kmsAsks(operation string, input any) []Ask {
	ask := func(action, key string, pairs map[string]string) Ask {
		resource := "*"
		if key != "" {
			resource = a.keyARN(key)
		}
		context := encryptionContext(pairs)
		context["kms:calleraccount"] = []string{a.Region.Account}
		return Ask{Action: "kms:" + action, Resource: resource, Context: context}
	}
	alias := func(name string) Ask {
		a := ask(operation, name, nil)
		a.Named = true
		return a
	}
	switch in := input.(type) {
	case *api.DecryptInput:
		return []Ask{ask(operation, kms.KeyOf(in.CiphertextBlob), in.EncryptionContext)}
	case *api.ReEncryptInput:
		return []Ask{ask("ReEncryptFrom", kms.KeyOf(in.CiphertextBlob), in.SourceEncryptionContext), ask("ReEncryptTo", wire.Value(in.DestinationKeyId), in.DestinationEncryptionContext)}
	case *api.EncryptInput:
		return []Ask{ask(operation, *in.KeyId, in.EncryptionContext)}
	case *api.GenerateDataKeyInput:
		return []Ask{ask(operation, *in.KeyId, in.EncryptionContext)}
	case *api.GenerateDataKeyWithoutPlaintextInput:
		return []Ask{ask(operation, *in.KeyId, in.EncryptionContext)}
	case *api.CreateAliasInput:
		return []Ask{alias(*in.AliasName), ask(operation, *in.TargetKeyId, nil)}
	case *api.UpdateAliasInput:
		return []Ask{alias(*in.AliasName), ask(operation, *in.AliasName, nil), ask(operation, *in.TargetKeyId, nil)}
	case *api.DeleteAliasInput:
		return []Ask{alias(*in.AliasName), ask(operation, *in.AliasName, nil)}
	case *api.CreateGrantInput:
		g := ask(operation, *in.KeyId, nil)
		g.Context["kms:grantoperations"], g.Context["kms:granteeprincipal"] = in.Operations, []string{*in.GranteePrincipal}
		g.Context["kms:grantisforawsresource"] = []string{"false"}
		return []Ask{g}
	case *api.ListAliasesInput, *api.ListKeysInput, *api.CreateKeyInput, *api.GenerateRandomInput:
		return []Ask{ask(operation, "", nil)}
	}
	return []Ask{ask(operation, member(input, "KeyId"), nil)}
}

// keyARN is the ARN of a key or an alias in any of the forms in which KMS takes it.
func (a *Authorizer) keyARN(key string) string {
	switch {
	case strings.HasPrefix(key, "arn:"):
		return key
	case strings.HasPrefix(key, "alias/"):
		return a.Region.ARN("kms", key)
	}
	return a.Region.ARN("kms", "key/"+key)
}
