// Package settings reads the stack's configuration: the only place that does. Values are typed, checked and defaulted by
// profile before any resource is declared; what is wrong is one line that names the key, the value and what is allowed.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrSetting is the class of all errors of configuration.
var ErrSetting = errors.New("storefront configuration")

// Namespace begins every key of ours: "storefront:profile".
const Namespace = "storefront"

// Profile flips cost against safety, all settings together; each can still be set alone.
type Profile string

// Profiles.
const (
	Lab  Profile = "lab"  // AWS on this machine: small, gone without a trace
	Dev  Profile = "dev"  // cheap, and quick to take away
	Prod Profile = "prod" // survives the loss of a zone, and a careless destroy
)

// Settings are the stack's settings. The comment of each field names its key.
type Settings struct {
	Profile  Profile // profile
	Region   string  // region
	Endpoint string  // endpoint: one URL for all AWS services; empty means AWS itself

	Zones              []string // zones (how many), or zoneNames (which)
	CIDR               string   // cidr
	NAT                string   // nat
	InterfaceEndpoints []string // interfaceEndpoints

	CertificateARN string   // certificateArn
	AllowedCIDRs   []string // allowedCidrs

	Firewall        bool     // firewall: a web ACL in front of the load balancer
	FirewallCount   []string // firewallCount: managed groups, or rules of them, that count what they would block
	FirewallRate    int      // firewallRate: requests of one client in five minutes
	FirewallBlocked []string // firewallBlocked: IPv4 blocks of clients that are refused
	FirewallManager string   // firewallManager: whether its policies are made where the account may: auto, off
	ShieldAdvanced  bool     // shieldAdvanced: a policy of Firewall Manager for an account that is subscribed

	Image              string   // image: an AMI; empty takes the newest at the fleet's creation and keeps it
	InstanceTypes      []string // instanceTypes
	MinInstances       int      // minInstances
	MaxInstances       int      // maxInstances
	OnDemandBase       int      // onDemandBase, of each fleet
	OnDemandPercentage int      // onDemandPercentage, of each fleet
	Artifact           string   // artifact: path of the shop's program

	SummaryMinInstances int // summaryMinInstances
	SummaryMaxInstances int // summaryMaxInstances
	BacklogPerInstance  int // backlogPerInstance: orders that wait for each instance of the summary fleet
	QueueMaxReceives    int // queueMaxReceives: before an order is dead-lettered

	DatabaseVersion string // databaseVersion
	DatabaseClass   string // databaseClass
	DatabasePort    int    // databasePort
	DatabaseAdmin   string // databaseAdmin
	DatabaseCA      string // databaseCA: path of the certificates to trust the database by; empty means the system's
	Readers         int    // readers
	MaxReaders      int    // maxReaders: scaled up to, when more than readers

	CacheEngine   string // cacheEngine
	CacheVersion  string // cacheVersion
	CacheNodeType string // cacheNodeType
	CacheReplicas int    // cacheReplicas; without one nothing takes over from a lost primary

	SearchEngine       string // searchEngine
	SearchVersion      string // searchVersion
	SearchInstanceType string // searchInstanceType, without the engine
	SearchNodes        int    // searchNodes: data nodes, a multiple of the zones
	SearchMasterType   string // searchMasterType: of three dedicated masters; empty means none
	SearchVolumeGiB    int    // searchVolumeGiB, of each data node
	SearchRole         string // searchRole: whether the account's service-linked role exists, or the stack creates it

	KeyAdmins []string // keyAdmins: ARNs of who administers the keys; empty means who the account's IAM policies let

	BackupLock     string // backupLock: who may delete backups early: governance, whom a permission lets; compliance, nobody
	BackupLockDays int    // backupLockDays

	BackupDays int  // backupDays
	LogDays    int  // logDays
	Protect    bool // protect: deletion protection, final snapshot, buckets that are not deleted with their content
	Monitoring bool // monitoring: performance insights and enhanced monitoring
	Account    bool // account: settings of the whole account in this region belong to this stack
	Audit      bool // audit: a trail of the whole account

	HealthInterval int // healthInterval, seconds
	DrainSeconds   int // drainSeconds
	GraceSeconds   int // graceSeconds: how long a new server may fail health checks
	WarmupSeconds  int // warmupSeconds: how long a new server serves before an old one goes
}

// profiles holds what each profile sets where the configuration is silent.
func profile(name Profile) (Settings, bool) {
	s, ok := map[Profile]Settings{
		Lab: {
			NAT: "single", InstanceTypes: []string{"t3.small", "t3a.small"},
			MinInstances: 2, MaxInstances: 4, OnDemandBase: 0,
			DatabaseVersion: "15.10", DatabaseClass: "db.t4g.medium", DatabasePort: 5432, Readers: 1, BackupDays: 1, LogDays: 1, BackupLockDays: 1,
			SummaryMinInstances: 2, SummaryMaxInstances: 4, BacklogPerInstance: 200,
			CacheNodeType: "cache.t4g.micro", CacheReplicas: 1, SearchInstanceType: "t3.small", SearchVolumeGiB: 10,
			Audit:          true,
			HealthInterval: 5, DrainSeconds: 5, GraceSeconds: 60, WarmupSeconds: 10,
			FirewallCount: []string{"common/NoUserAgent_HEADER", "bad-inputs/Host_localhost_HEADER"}, // tools for load name none; and people type localhost

		},
		Dev: {
			NAT: "single", InstanceTypes: []string{"t3.small", "t3a.small", "t2.small"},
			MinInstances: 1, MaxInstances: 3, OnDemandBase: 0,
			DatabaseVersion: "16", DatabaseClass: "db.t4g.medium", DatabasePort: 5433, DatabaseCA: "certificates/rds.pem", Readers: 1, BackupDays: 1, LogDays: 7, BackupLockDays: 1,
			SummaryMinInstances: 1, SummaryMaxInstances: 3, BacklogPerInstance: 200,
			CacheNodeType: "cache.t4g.micro", CacheReplicas: 1, SearchInstanceType: "t3.small", SearchVolumeGiB: 10,
			Audit:          true,
			HealthInterval: 10, DrainSeconds: 30, GraceSeconds: 120, WarmupSeconds: 60,
		},
		Prod: {
			NAT: "per-zone", InterfaceEndpoints: []string{"ec2", "secretsmanager", "sqs"}, InstanceTypes: []string{"m7i.large", "m7a.large", "m6i.large", "m6a.large", "m5.large", "m5a.large"},
			MinInstances: 3, MaxInstances: 30, OnDemandBase: 2, OnDemandPercentage: 20,
			DatabaseVersion: "16", DatabaseClass: "db.r6g.large", DatabasePort: 5433, DatabaseCA: "certificates/rds.pem", Readers: 2, MaxReaders: 6, BackupDays: 14, LogDays: 365, BackupLockDays: 30,
			SummaryMinInstances: 3, SummaryMaxInstances: 30, BacklogPerInstance: 1000,
			CacheNodeType: "cache.r7g.large", CacheReplicas: 2, SearchInstanceType: "r6g.large", SearchMasterType: "m6g.large", SearchVolumeGiB: 100,
			Protect: true, Monitoring: true, Account: true, Audit: true,
			HealthInterval: 10, DrainSeconds: 60, GraceSeconds: 120, WarmupSeconds: 60,
		},
	}[name]
	s.Profile, s.Region, s.CIDR, s.Artifact = name, "us-east-1", "10.0.0.0/16", "bin/shopd"
	s.DatabaseAdmin = "storefront"
	s.Firewall, s.FirewallManager, s.FirewallRate = true, "auto", 2000
	s.QueueMaxReceives, s.CacheEngine, s.SearchEngine, s.SearchRole, s.BackupLock = 5, "redis", "elasticsearch", "create", "governance"
	return s, ok
}

// awayFromAWS replaces what profiles set and only AWS has: PostgreSQL 16, where the lab serves what its machine has, and Amazon's authorities, where servers trust the lab's. And all
// clients have one address there, which may ask as often as it likes.
func (s *Settings) awayFromAWS() {
	s.FirewallRate = 2_000_000_000
	if s.Profile != Lab {
		s.DatabaseVersion, s.DatabaseCA = "15", ""
	}
}

// zoneCount is how many zones a profile uses when neither zones nor zoneNames is set.
func zoneCount(name Profile) int {
	if name == Prod {
		return 3
	}
	return 2
}

// Parse returns the settings in values, whose keys have no namespace. Relative paths are taken from root. The error is
// ErrSetting, for the first thing that is wrong.
func Parse(values map[string]string, root string) (Settings, error) {
	r := reader{values: maps.Clone(values), root: root}
	name := Profile(r.text("profile", ""))
	s, ok := profile(name)
	if !ok {
		return s, refuse("profile", string(name), "lab, dev and prod")
	}
	r.read(&s)
	if r.err != nil {
		return s, r.err
	}
	if s.Profile == Prod && s.Endpoint == "" && s.CertificateARN == "" {
		return s, refuse("certificateArn", "", "the ARN of an ACM certificate: the profile prod serves no plain HTTP")
	}
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		return s, fmt.Errorf("%w: %s:%s: %q: there is no such setting; docs/blocks.md lists them", ErrSetting, Namespace, key, values[key])
	}
	return s, nil
}

func refuse(key, value, allowed string) error {
	return fmt.Errorf("%w: %s:%s: %q: allowed: %s", ErrSetting, Namespace, key, value, allowed)
}
