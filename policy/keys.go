package policy

import (
	"slices"

	"storefront/internal/inventory"
)

func keysRotate(s *inventory.Stack, f *findings) {
	for _, k := range s.All(key) {
		f.on(k, "enableKeyRotation", "is never renewed: set enableKeyRotation")
	}
}

func keysNarrow(s *inventory.Stack, f *findings) {
	for _, k := range s.All(key) {
		f.want(k, k.Inputs.Get("policy").IsString() || k.Inputs.Get("policy").IsComputed(), "has AWS's default policy: write its own")
		f.noPublic(k, "policy")
	}
	if !f.applies {
		return
	}
	for _, p := range identityPolicies(s) {
		d, err := documentOf(p, "policy")
		if err != nil {
			f.want(p, false, err.Error())
			continue
		}
		f.want(p, !slices.ContainsFunc(d, decryptsAll), "may decrypt with every key: name the keys")
	}
}

func decryptsAll(s statement) bool {
	return s.allows() && slices.Contains(s.Resource, "*") && slices.ContainsFunc(s.Action, func(a string) bool {
		return a == "*" || a == "kms:*" || a == "kms:Decrypt" || a == "kms:Decrypt*" || a == "kms:ReEncryptFrom" || a == "kms:ReEncrypt*"
	})
}

func keysStay(s *inventory.Stack, f *findings) {
	for _, k := range s.All(key) {
		f.want(k, !k.Off("isEnabled") && !k.Value("isEnabled").IsComputed(), "is disabled, and what it encrypts cannot be read: enable it", "isEnabled")
	}
}
