package settings_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/stacks/internal/settings"
)

// root returns a project directory that has the files settings name by default.
func root(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bin/shopd", "certificates/rds.pem"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProfiles(t *testing.T) {
	dir := root(t)
	for _, tt := range []struct {
		profile  settings.Profile
		nat      string
		zones    int
		protect  bool
		readers  int
		databaCA string
	}{
		{settings.Lab, "single", 2, false, 1, ""},
		{settings.Dev, "single", 2, false, 1, filepath.Join(dir, "certificates/rds.pem")},
		{settings.Prod, "per-zone", 3, true, 2, filepath.Join(dir, "certificates/rds.pem")},
	} {
		s, err := settings.Parse(map[string]string{"profile": string(tt.profile), "certificateArn": certificate}, dir)
		if err != nil {
			t.Fatal(err)
		}
		if s.NAT != tt.nat || len(s.Zones) != tt.zones || s.Protect != tt.protect || s.Readers != tt.readers || s.DatabaseCA != tt.databaCA {
			t.Errorf("%s: %+v", tt.profile, s)
		}
		if s.Artifact != filepath.Join(dir, "bin/shopd") || s.Region != "us-east-1" || s.Endpoint != "" {
			t.Errorf("%s: %+v", tt.profile, s)
		}
	}
}

// At an endpoint a profile is the same, but for what only AWS has; what is set stays.
func TestProfilesAwayFromAWS(t *testing.T) {
	dir := root(t)
	parse := func(values map[string]string) settings.Settings {
		t.Helper()
		values["profile"], values["certificateArn"] = "prod", certificate
		s, err := settings.Parse(values, dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	onAWS, here := parse(map[string]string{}), parse(map[string]string{"endpoint": "http://127.0.0.1:4566"})
	onAWS.Endpoint, onAWS.DatabaseVersion, onAWS.DatabaseCA, onAWS.FirewallRate = here.Endpoint, "15", "", here.FirewallRate
	if diff := cmp.Diff(onAWS, here); diff != "" {
		t.Error(diff)
	}
	own := parse(map[string]string{"endpoint": "http://127.0.0.1:4566", "databaseVersion": "17.2", "databaseCA": "certificates/rds.pem"})
	if own.DatabaseVersion != "17.2" || own.DatabaseCA == "" {
		t.Errorf("what is set is not kept: %+v", own)
	}
}

func TestEachSwitchStandsAlone(t *testing.T) {
	s, err := settings.Parse(map[string]string{
		"profile": "prod", "region": "eu-west-1", "zoneNames": `["eu-west-1c","eu-west-1a"]`, "nat": "none", "interfaceEndpoints": `["secretsmanager","kms"]`,
		"endpoint": "http://127.0.0.1:4566", "protect": "false", "minInstances": "40", "databasePort": "5433", "databaseAdmin": "owner", "databaseCA": "",
	}, root(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"eu-west-1c", "eu-west-1a"}, s.Zones); diff != "" {
		t.Error(diff)
	}
	if s.NAT != "none" || s.Protect || s.DatabasePort != 5433 || s.DatabaseAdmin != "owner" || s.DatabaseCA != "" || len(s.InterfaceEndpoints) != 2 {
		t.Errorf("got %+v", s)
	}
	if s.SearchNodes != 2 || s.CacheReplicas != 2 || s.SearchEngine != "elasticsearch" || s.SearchVersion != "7.10" || s.CacheVersion != "7.1" {
		t.Errorf("cache and search: %+v", s)
	}
	if s.MaxInstances != 40 {
		t.Errorf("at most %d instances, want no fewer than the least", s.MaxInstances)
	}
}

func TestVersionsFollowEngines(t *testing.T) {
	s, err := settings.Parse(map[string]string{"profile": "dev", "searchEngine": "opensearch", "cacheEngine": "valkey", "zones": "3"}, root(t))
	if err != nil || s.SearchVersion != "2.17" || s.CacheVersion != "8.0" || s.SearchNodes != 3 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// certificate is what prod cannot do without.
const certificate = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"

func TestProdServesNoPlainHTTP(t *testing.T) {
	dir := root(t)
	for _, tt := range []struct {
		values map[string]string
		ok     bool
	}{
		{map[string]string{"profile": "prod"}, false},
		{map[string]string{"profile": "prod", "certificateArn": certificate}, true},
		{map[string]string{"profile": "prod", "endpoint": "http://127.0.0.1:4566"}, true}, // nobody's traffic
		{map[string]string{"profile": "dev"}, true},
	} {
		if _, err := settings.Parse(tt.values, dir); (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "storefront:certificateArn") {
			t.Errorf("%v: %v", tt.values, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := root(t)
	for _, tt := range []struct{ key, value, allowed string }{
		{"profile", "staging", "lab, dev and prod"},
		{"profile", "", "lab, dev and prod"},
		{"region", "east", "an AWS region"},
		{"zones", "4", "2 to 3"},
		{"zones", "1", "2 to 3"},
		{"zones", "two", "2 to 3"},
		{"zoneNames", `["us-east-1a"]`, "two or three"},
		{"zoneNames", `["us-east-1a","us-east-1a"]`, "two or three"},
		{"zoneNames", `["us-east-1a","eu-west-1b"]`, "two or three"},
		{"zoneNames", `us-east-1a`, "two or three"},
		{"cidr", "10.0.0.0/8", "/16 to /21"},
		{"cidr", "10.0.0.1/16", "/16 to /21"},
		{"cidr", "8.8.0.0/16", "/16 to /21"},
		{"cidr", "ten", "/16 to /21"},
		{"nat", "ha", "none, single, per-zone"},
		{"endpoint", "127.0.0.1:4566", "a URL"},
		{"endpoint", "http://127.0.0.1:4566/path", "a URL"},
		{"certificateArn", "cert", "ACM"},
		{"allowedCidrs", `["0.0.0.0"]`, "IPv4 blocks"},
		{"allowedCidrs", `0.0.0.0/0`, "IPv4 blocks"},
		{"firewall", "on", "true and false"},
		{"firewallCount", `["bots"]`, "reputation, common, bad-inputs and sqli"},
		{"firewallCount", `["sqli/"]`, "common/SizeRestrictions_BODY"},
		{"firewallRate", "99", "100 to 2000000000"},
		{"firewallBlocked", `["192.0.2.1/24"]`, "IPv4 blocks"},
		{"firewallManager", "on", "auto, off"},
		{"shieldAdvanced", "auto", "true and false"},
		{"instanceTypes", `["small"]`, "instance types"},
		{"minInstances", "0", "1 to"},
		{"maxInstances", "1", "2 to"},
		{"onDemandPercentage", "101", "0 to 100"},
		{"image", "latest", "AMI"},
		{"artifact", "bin/none", "make build"},
		{"databaseVersion", "16.6.1", "16.6"},
		{"databasePort", "80", "1150 to"},
		{"databaseAdmin", "Admin", "lower case"},
		{"databaseCA", "none.pem", "truststore.pki.rds.amazonaws.com"},
		{"readers", "16", "1 to 15"},
		{"maxReaders", "0", "1 to 15"},
		{"summaryMinInstances", "0", "1 to"},
		{"summaryMaxInstances", "1", "2 to"},
		{"backlogPerInstance", "0", "1 to"},
		{"queueMaxReceives", "1001", "1 to 1000"},
		{"cacheEngine", "memcached", "redis, valkey"},
		{"cacheVersion", "6.2", "8.0 of valkey"},
		{"cacheNodeType", "t4g.micro", "cache.r7g.large"},
		{"cacheReplicas", "6", "0 to 5"},
		{"searchEngine", "solr", "elasticsearch, opensearch"},
		{"searchVersion", "7", "7.10"},
		{"searchInstanceType", "t3.small.search", "without the engine"},
		{"searchMasterType", "large", "or nothing"},
		{"searchNodes", "3", "multiples of the 2 zones"},
		{"searchNodes", "0", "1 to 80"},
		{"searchVolumeGiB", "9", "10 to"},
		{"searchRole", "maybe", "create, exists"},
		{"keyAdmins", `["admin"]`, "ARNs of users and roles"},
		{"keyAdmins", `["arn:aws:iam::123456789012:root"]`, "ARNs of users and roles"},
		{"backupDays", "0", "1 to 35"},
		{"backupLock", "none", "governance, compliance"},
		{"backupLockDays", "0", "1 to 365"},
		{"logDays", "2", "1 3 5 7"},
		{"protect", "yes", "true and false"},
		{"drainSeconds", "-1", "1 to 3600"},
		{"graceSeconds", "9", "10 to 3600"},
		{"warmupSeconds", "0", "1 to 3600"},
		{"colour", "blue", `"blue": there is no such setting`},
	} {
		t.Run(tt.key+"="+tt.value, func(t *testing.T) {
			values := map[string]string{"profile": "lab", tt.key: tt.value}
			_, err := settings.Parse(values, dir)
			if !errors.Is(err, settings.ErrSetting) {
				t.Fatalf("got %v, want ErrSetting", err)
			}
			for _, part := range []string{"storefront:" + tt.key, fmt.Sprintf("%q", tt.value), tt.allowed} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not tell %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := root(t)
	for config, want := range map[string]string{
		`{"storefront:profile":"lab","storefront:zones":"3","aws:region":"x"}`: "",
		`{"storefront:profile":"lab","storefront:zone":"3"}`:                   `storefront:zone: "3"`,
		`not JSON`: "PULUMI_CONFIG",
	} {
		t.Setenv(pulumi.EnvConfig, config)
		t.Setenv(pulumi.EnvPulumiRootDirectory, dir)
		ctx, err := pulumi.NewContext(t.Context(), pulumi.RunInfo{Project: "storefront", Stack: "test", RootDirectory: dir, Mocks: nil})
		if err != nil {
			t.Fatal(err)
		}
		s, err := settings.Load(ctx)
		switch {
		case want == "" && (err != nil || len(s.Zones) != 3):
			t.Errorf("%s: %+v, %v", config, s, err)
		case want != "" && (!errors.Is(err, settings.ErrSetting) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

// No configuration makes Parse fail other than by ErrSetting, and what it accepts has room for itself.
func FuzzParse(f *testing.F) {
	f.Add("zones", "3")
	f.Add("cidr", "10.0.0.0/16")
	f.Add("zoneNames", `["us-east-1a","us-east-1b"]`)
	f.Fuzz(func(t *testing.T, key, value string) {
		s, err := settings.Parse(map[string]string{"profile": "lab", "artifact": "/proc/self/exe", key: value}, "/")
		if err != nil {
			if !errors.Is(err, settings.ErrSetting) {
				t.Errorf("%q=%q: %v", key, value, err)
			}
			return
		}
		if len(s.Zones) < 2 || len(s.Zones) > 3 || s.MinInstances > s.MaxInstances || s.SummaryMinInstances > s.SummaryMaxInstances || s.SearchNodes%len(s.Zones) != 0 || s.Readers > s.MaxReaders {
			t.Errorf("%q=%q: %+v", key, value, s)
		}
	})
}
