package policy

import "storefront/internal/inventory"

func cacheEncrypted(s *inventory.Stack, f *findings) {
	for _, c := range s.All(replicationGroup) {
		f.on(c, "atRestEncryptionEnabled", "is not encrypted at rest: set atRestEncryptionEnabled")
		f.want(c, c.OwnKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
	}
}

func cacheTransit(s *inventory.Stack, f *findings) {
	for _, c := range s.All(replicationGroup) {
		f.on(c, "transitEncryptionEnabled", "speaks in the clear: set transitEncryptionEnabled")
		f.want(c, c.Given("authToken") || c.Given("userGroupIds"), "asks nobody who they are: set authToken or userGroupIds")
	}
}

func cacheFailover(s *inventory.Stack, f *findings) {
	for _, c := range s.All(replicationGroup) {
		f.on(c, "automaticFailoverEnabled", "stops with its primary: set automaticFailoverEnabled")
		f.on(c, "multiAzEnabled", "may be in one zone: set multiAzEnabled")
	}
}

func cacheUpkeep(s *inventory.Stack, f *findings) {
	for _, c := range s.All(replicationGroup) {
		f.want(c, c.AtLeast("snapshotRetentionLimit", 1), "is not backed up: set snapshotRetentionLimit", "snapshotRetentionLimit")
		f.on(c, "autoMinorVersionUpgrade", "waits for somebody to mend known faults: set autoMinorVersionUpgrade")
		f.want(c, c.Given("subnetGroupName") && c.Text("subnetGroupName") != "default", "is in the default subnet group: give it its own")
	}
}
