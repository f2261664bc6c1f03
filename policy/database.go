package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"
)

func databaseEncrypted(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		f.on(c, "storageEncrypted", "is not encrypted: set storageEncrypted")
		f.want(c, c.OwnKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
	}
}

func databasePrivate(s *inventory.Stack, f *findings) {
	for _, i := range s.All(clusterInstance) {
		f.want(i, i.Off("publiclyAccessible"), "does not refuse a public address: set publiclyAccessible to false", "publiclyAccessible")
	}
	for _, c := range s.All(clusterSnapshot) {
		f.want(c, !slices.Contains(c.Texts("sharedAccounts"), "all") && !c.Value("sharedAccounts").IsComputed(), "is shared with everyone: name accounts",
			"sharedAccounts")
	}
}

func databaseProtected(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		f.on(c, "deletionProtection", "can be deleted by one call: set deletionProtection")
	}
}

func databaseIAM(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		f.on(c, "iamDatabaseAuthenticationEnabled", "knows passwords only: set iamDatabaseAuthenticationEnabled")
	}
}

func databaseZones(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		zones := map[string]bool{}
		instances := s.About(c, clusterInstance, "clusterIdentifier")
		for _, i := range instances {
			if !i.Value("availabilityZone").IsComputed() {
				zones[i.Text("availabilityZone")] = true
			}
		}
		chosen := len(zones) >= 2 || zones[""] && len(instances) >= 2 // AWS spreads what names no zone
		f.want(c, chosen, "has instances in one zone: give it a reader in another one")
	}
}

func databaseLogs(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		logs := c.Texts("enabledCloudwatchLogsExports")
		f.want(c, slices.Contains(logs, "postgresql") || slices.Contains(logs, "audit"), "publishes no logs: set enabledCloudwatchLogsExports",
			"enabledCloudwatchLogsExports")
		logged := map[string]bool{}
		for _, g := range s.All(databaseGroup) {
			if !inventory.Refers(c, "dbClusterParameterGroupName", g) {
				continue
			}
			for _, p := range g.List("parameters") {
				v := inventory.Text(inventory.At(p, "value"))
				logged[inventory.Text(inventory.At(p, "name"))] = v != "" && v != "none" && v != "-1"
			}
		}
		f.want(c, logged["log_statement"] && logged["log_min_duration_statement"],
			"logs no queries: set the parameters log_statement and log_min_duration_statement")
	}
}

func databaseUpgrades(s *inventory.Stack, f *findings) {
	for _, i := range s.All(clusterInstance) {
		f.on(i, "autoMinorVersionUpgrade", "waits for somebody to mend known faults: set autoMinorVersionUpgrade")
	}
}

func databaseMonitored(s *inventory.Stack, f *findings) {
	for _, i := range s.All(clusterInstance) {
		f.want(i, i.AtLeast("monitoringInterval", 1), "has no enhanced monitoring: set monitoringInterval", "monitoringInterval")
		f.on(i, "performanceInsightsEnabled", "has no performance insights: set performanceInsightsEnabled")
	}
}

func databaseBackups(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		f.on(c, "copyTagsToSnapshot", "its snapshots lose their tags: set copyTagsToSnapshot")
		f.want(c, len(s.About(c, backupSelection, "resources")) > 0, "is in no backup plan: select it in one")
	}
}

// initial are the names and ports that everyone tries first.
var (
	initialAdmins = []string{"", "admin", "administrator", "awsuser", "postgres", "root"}
	initialPorts  = map[string]float64{"aurora-postgresql": 5432, "aurora-mysql": 3306}
)

func databaseNames(s *inventory.Stack, f *findings) {
	for _, c := range s.All(cluster) {
		port, known := c.Number("port")
		f.want(c, known && port != initialPorts[c.Text("engine")], "listens where everyone looks first: choose another port", "port")
		f.want(c, !slices.Contains(initialAdmins, strings.ToLower(c.Text("masterUsername"))), "its administrator has the usual name: choose another one", "masterUsername")
	}
}
