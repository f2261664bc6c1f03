package policy

import "storefront/internal/inventory"

func logGroups(s *inventory.Stack, f *findings) {
	for _, g := range s.All(logGroup) {
		f.want(g, g.OwnKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
		f.want(g, g.AtLeast("retentionInDays", 365), "does not keep a year: set retentionInDays to 365 or more", "retentionInDays")
	}
}
