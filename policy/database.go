package policy

import (
	"slices"
	"strings"
)

func databaseEncrypted(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		f.on(c, "storageEncrypted", "is not encrypted: set storageEncrypted")
		f.want(c, c.ownKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
	}
}

func databasePrivate(s *Stack, f *findings) {
	for _, i := range s.all(clusterInstance) {
		f.want(i, i.off("publiclyAccessible"), "does not refuse a public address: set publiclyAccessible to false", "publiclyAccessible")
	}
	for _, c := range s.all(clusterSnapshot) {
		f.want(c, !slices.Contains(c.texts("sharedAccounts"), "all") && !c.value("sharedAccounts").IsComputed(), "is shared with everyone: name accounts",
			"sharedAccounts")
	}
}

func databaseProtected(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		f.on(c, "deletionProtection", "can be deleted by one call: set deletionProtection")
	}
}

func databaseIAM(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		f.on(c, "iamDatabaseAuthenticationEnabled", "knows passwords only: set iamDatabaseAuthenticationEnabled")
	}
}

func databaseZones(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		zones := map[string]bool{}
		instances := s.about(c, clusterInstance, "clusterIdentifier")
		for _, i := range instances {
			if !i.value("availabilityZone").IsComputed() {
				zones[i.text("availabilityZone")] = true
			}
		}
		chosen := len(zones) >= 2 || zones[""] && len(instances) >= 2 // AWS spreads what names no zone
		f.want(c, chosen, "has instances in one zone: give it a reader in another one")
	}
}

func databaseLogs(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		logs := c.texts("enabledCloudwatchLogsExports")
		f.want(c, slices.Contains(logs, "postgresql") || slices.Contains(logs, "audit"), "publishes no logs: set enabledCloudwatchLogsExports",
			"enabledCloudwatchLogsExports")
		logged := map[string]bool{}
		for _, g := range s.all(databaseGroup) {
			if !refers(c, "dbClusterParameterGroupName", g) {
				continue
			}
			for _, p := range g.list("parameters") {
				v := text(at(p, "value"))
				logged[text(at(p, "name"))] = v != "" && v != "none" && v != "-1"
			}
		}
		f.want(c, logged["log_statement"] && logged["log_min_duration_statement"],
			"logs no queries: set the parameters log_statement and log_min_duration_statement")
	}
}

func databaseUpgrades(s *Stack, f *findings) {
	for _, i := range s.all(clusterInstance) {
		f.on(i, "autoMinorVersionUpgrade", "waits for somebody to mend known faults: set autoMinorVersionUpgrade")
	}
}

func databaseMonitored(s *Stack, f *findings) {
	for _, i := range s.all(clusterInstance) {
		f.want(i, i.atLeast("monitoringInterval", 1), "has no enhanced monitoring: set monitoringInterval", "monitoringInterval")
		f.on(i, "performanceInsightsEnabled", "has no performance insights: set performanceInsightsEnabled")
	}
}

func databaseBackups(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		f.on(c, "copyTagsToSnapshot", "its snapshots lose their tags: set copyTagsToSnapshot")
		f.want(c, len(s.about(c, backupSelection, "resources")) > 0, "is in no backup plan: select it in one")
	}
}

// initial are the names and ports that everyone tries first.
var (
	initialAdmins = []string{"", "admin", "administrator", "awsuser", "postgres", "root"}
	initialPorts  = map[string]float64{"aurora-postgresql": 5432, "aurora-mysql": 3306}
)

func databaseNames(s *Stack, f *findings) {
	for _, c := range s.all(cluster) {
		port, known := c.number("port")
		f.want(c, known && port != initialPorts[c.text("engine")], "listens where everyone looks first: choose another port", "port")
		f.want(c, !slices.Contains(initialAdmins, strings.ToLower(c.text("masterUsername"))), "its administrator has the usual name: choose another one", "masterUsername")
	}
}
