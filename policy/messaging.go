package policy

func queuesEncrypted(s *Stack, f *findings) {
	for _, q := range s.all(queue) {
		f.want(q, q.ownKey("kmsMasterKeyId"), "is not encrypted with a key of the account's own: set kmsMasterKeyId")
		if q.given("policy") && q.Inputs.Get("policy").IsString() {
			f.noPublic(q, "policy")
		}
	}
	for _, p := range s.all(queuePolicy) {
		f.noPublic(p, "policy")
	}
}

func topicsEncrypted(s *Stack, f *findings) {
	for _, t := range s.all(topic) {
		f.given(t, "kmsMasterKeyId", "is not encrypted: set kmsMasterKeyId")
		if t.Inputs.Get("policy").IsString() {
			f.noPublic(t, "policy")
		}
	}
	for _, p := range s.all(topicPolicy) {
		f.noPublic(p, "policy")
	}
}
