package policy

func logGroups(s *Stack, f *findings) {
	for _, g := range s.all(logGroup) {
		f.want(g, g.ownKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
		f.want(g, g.atLeast("retentionInDays", 365), "does not keep a year: set retentionInDays to 365 or more", "retentionInDays")
	}
}
