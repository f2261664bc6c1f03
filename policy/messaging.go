package policy

import "storefront/internal/inventory"

func queuesEncrypted(s *inventory.Stack, f *findings) {
	for _, q := range s.All(queue) {
		f.want(q, q.OwnKey("kmsMasterKeyId"), "is not encrypted with a key of the account's own: set kmsMasterKeyId")
		if q.Given("policy") && q.Inputs.Get("policy").IsString() {
			f.noPublic(q, "policy")
		}
	}
	for _, p := range s.All(queuePolicy) {
		f.noPublic(p, "policy")
	}
}

func topicsEncrypted(s *inventory.Stack, f *findings) {
	for _, t := range s.All(topic) {
		f.given(t, "kmsMasterKeyId", "is not encrypted: set kmsMasterKeyId")
		if t.Inputs.Get("policy").IsString() {
			f.noPublic(t, "policy")
		}
	}
	for _, p := range s.All(topicPolicy) {
		f.noPublic(p, "policy")
	}
}
