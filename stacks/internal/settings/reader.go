package settings

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"storefront/components/network"
)

// reader takes values out of the map as they are read, so that what is left at the end is unknown. It keeps the first error.
type reader struct {
	values map[string]string
	root   string
	err    error
}

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[1-9]$`)
	versionForm = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+)?$`)
	adminForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	imageForm   = regexp.MustCompile(`^(ami-[0-9a-f]{8,17})?$`)
	typeForm    = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
	classForm   = regexp.MustCompile(`^db\.[a-z0-9-]+\.[a-z0-9-]+$`)
	nodeForm    = regexp.MustCompile(`^cache\.[a-z0-9-]+\.[a-z0-9-]+$`)
	cacheForm   = regexp.MustCompile(`^(7\.[0-9]|8\.[0-9])$`)
	searchForm  = regexp.MustCompile(`^[1-9]\.[0-9]{1,2}$`)
	masterForm  = regexp.MustCompile(`^([a-z0-9-]+\.[a-z0-9-]+)?$`)
	countForm   = regexp.MustCompile(`^(reputation|common|bad-inputs|sqli)(/[A-Za-z0-9_]+)?$`)
	serviceForm = regexp.MustCompile(`^[a-z0-9.-]+$`)
	ownerForm   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/[A-Za-z0-9+=,.@_/-]+$`)
	certForm    = regexp.MustCompile(`^(arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+)?$`)
)

// read overwrites the profile's values with those that are set, in the order of the fields.
func (r *reader) read(s *Settings) {
	s.Region = r.match("region", s.Region, regionForm, "an AWS region like us-east-1")
	s.Endpoint = r.endpoint()
	if s.Endpoint != "" {
		s.awayFromAWS()
	}
	s.Zones = r.zones(s)
	s.CIDR = r.cidr("cidr", s.CIDR)
	s.NAT = r.oneOf("nat", s.NAT, "none", "single", "per-zone")
	s.InterfaceEndpoints = r.list("interfaceEndpoints", s.InterfaceEndpoints, serviceForm, `a list of AWS services like ["secretsmanager"]`)
	s.CertificateARN = r.match("certificateArn", s.CertificateARN, certForm, "the ARN of an ACM certificate")
	s.AllowedCIDRs = r.clients("allowedCidrs")
	r.firewall(s)
	s.Image = r.match("image", s.Image, imageForm, "an AMI like ami-0123456789abcdef0")
	s.InstanceTypes = r.list("instanceTypes", s.InstanceTypes, typeForm, `a list of instance types like ["t3.small"]`)
	s.MinInstances = r.number("minInstances", s.MinInstances, 1, 1000)
	s.MaxInstances = r.number("maxInstances", max(s.MaxInstances, s.MinInstances), s.MinInstances, 1000)
	s.OnDemandBase = r.number("onDemandBase", s.OnDemandBase, 0, 1000)
	s.OnDemandPercentage = r.number("onDemandPercentage", s.OnDemandPercentage, 0, 100)
	s.SummaryMinInstances = r.number("summaryMinInstances", s.SummaryMinInstances, 1, 1000)
	s.SummaryMaxInstances = r.number("summaryMaxInstances", max(s.SummaryMaxInstances, s.SummaryMinInstances), s.SummaryMinInstances, 1000)
	s.BacklogPerInstance = r.number("backlogPerInstance", s.BacklogPerInstance, 1, 100000)
	s.QueueMaxReceives = r.number("queueMaxReceives", s.QueueMaxReceives, 1, 1000)
	s.Artifact = r.file("artifact", s.Artifact, "the path of the shop's program; `make build` makes bin/shopd")
	s.DatabaseVersion = r.match("databaseVersion", s.DatabaseVersion, versionForm, "an Aurora PostgreSQL version like 16.6, or 16 to follow minor versions")
	s.DatabaseClass = r.match("databaseClass", s.DatabaseClass, classForm, "a database instance class like db.r6g.large")
	s.DatabasePort = r.number("databasePort", s.DatabasePort, 1150, 65535)
	s.DatabaseAdmin = r.match("databaseAdmin", s.DatabaseAdmin, adminForm, "lower case letters, digits and _, a letter first")
	s.DatabaseCA = r.file("databaseCA", s.DatabaseCA, "the path of a bundle; Amazon's is https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem")
	s.Readers = r.number("readers", s.Readers, 1, 15)
	s.MaxReaders = r.number("maxReaders", max(s.MaxReaders, s.Readers), s.Readers, 15)
	r.cache(s)
	r.search(s)
	s.KeyAdmins = r.list("keyAdmins", nil, ownerForm, `a list of ARNs of users and roles like ["arn:aws:iam::123456789012:role/security"]`)
	s.BackupLock = r.oneOf("backupLock", s.BackupLock, "governance", "compliance")
	s.BackupLockDays = r.number("backupLockDays", s.BackupLockDays, 1, 365)
	s.BackupDays = r.number("backupDays", s.BackupDays, 1, 35)
	s.LogDays = r.logDays(s.LogDays)
	s.Protect = r.flag("protect", s.Protect)
	s.Monitoring = r.flag("monitoring", s.Monitoring)
	s.Account = r.flag("account", s.Account)
	s.Audit = r.flag("audit", s.Audit)
	s.HealthInterval = r.number("healthInterval", s.HealthInterval, 5, 300)
	s.DrainSeconds = r.number("drainSeconds", s.DrainSeconds, 1, 3600)
	s.GraceSeconds = r.number("graceSeconds", s.GraceSeconds, 10, 3600)
	s.WarmupSeconds = r.number("warmupSeconds", s.WarmupSeconds, 1, 3600)
}

func (r *reader) firewall(s *Settings) {
	s.Firewall = r.flag("firewall", s.Firewall)
	s.FirewallCount = r.list("firewallCount", s.FirewallCount, countForm, `a list of managed groups, or rules of them, like ["sqli","common/SizeRestrictions_BODY"]; the groups are reputation, common, bad-inputs and sqli`)
	s.FirewallRate = r.number("firewallRate", s.FirewallRate, 100, 2_000_000_000)
	s.FirewallBlocked = r.clients("firewallBlocked")
	s.FirewallManager = r.oneOf("firewallManager", s.FirewallManager, "auto", "off")
	s.ShieldAdvanced = r.flag("shieldAdvanced", s.ShieldAdvanced)
}

func (r *reader) cache(s *Settings) {
	s.CacheEngine = r.oneOf("cacheEngine", s.CacheEngine, "redis", "valkey")
	newest := map[string]string{"redis": "7.1", "valkey": "8.0"}[s.CacheEngine]
	s.CacheVersion = r.match("cacheVersion", newest, cacheForm, "7.0 and 7.1 of redis, 7.2 and 8.0 of valkey")
	s.CacheNodeType = r.match("cacheNodeType", s.CacheNodeType, nodeForm, "a cache node type like cache.r7g.large")
	s.CacheReplicas = r.number("cacheReplicas", s.CacheReplicas, 0, 5)
}

func (r *reader) search(s *Settings) {
	s.SearchEngine = r.oneOf("searchEngine", s.SearchEngine, "elasticsearch", "opensearch")
	newest := map[string]string{"elasticsearch": "7.10", "opensearch": "2.17"}[s.SearchEngine]
	s.SearchVersion = r.match("searchVersion", newest, searchForm, "a version like 7.10 of elasticsearch or 2.17 of opensearch")
	s.SearchInstanceType = r.match("searchInstanceType", s.SearchInstanceType, typeForm, "an instance type without the engine, like r6g.large")
	s.SearchMasterType = r.match("searchMasterType", s.SearchMasterType, masterForm, "an instance type without the engine, like m6g.large, or nothing")
	zones := max(len(s.Zones), 1)
	s.SearchNodes = r.number("searchNodes", zones, 1, 80)
	if s.SearchNodes%zones != 0 {
		r.refuse("searchNodes", strconv.Itoa(s.SearchNodes), fmt.Sprintf("multiples of the %d zones", zones))
	}
	s.SearchVolumeGiB = r.number("searchVolumeGiB", s.SearchVolumeGiB, 10, 16384)
	s.SearchRole = r.oneOf("searchRole", s.SearchRole, "create", "exists")
}

func (r *reader) take(key string) (string, bool) {
	v, ok := r.values[key]
	delete(r.values, key)
	return v, ok
}

func (r *reader) refuse(key, value, allowed string) {
	if r.err == nil {
		r.err = refuse(key, value, allowed)
	}
}

func (r *reader) text(key, otherwise string) string {
	if v, ok := r.take(key); ok {
		return v
	}
	return otherwise
}

func (r *reader) match(key, otherwise string, form *regexp.Regexp, allowed string) string {
	v := r.text(key, otherwise)
	if !form.MatchString(v) {
		r.refuse(key, v, allowed)
	}
	return v
}

func (r *reader) oneOf(key, otherwise string, allowed ...string) string {
	v := r.text(key, otherwise)
	if !slices.Contains(allowed, v) {
		r.refuse(key, v, strings.Join(allowed, ", "))
	}
	return v
}

func (r *reader) number(key string, otherwise, least, most int) int {
	v := r.text(key, strconv.Itoa(otherwise))
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		r.refuse(key, v, fmt.Sprintf("%d to %d", least, most))
	}
	return n
}

func (r *reader) flag(key string, otherwise bool) bool {
	v := r.text(key, strconv.FormatBool(otherwise))
	if v != "true" && v != "false" {
		r.refuse(key, v, "true and false")
	}
	return v == "true"
}

func (r *reader) list(key string, otherwise []string, form *regexp.Regexp, allowed string) []string {
	v, ok := r.take(key)
	if !ok {
		return otherwise
	}
	var list []string
	if err := json.Unmarshal([]byte(v), &list); err != nil || slices.ContainsFunc(list, func(e string) bool { return !form.MatchString(e) }) {
		r.refuse(key, v, allowed)
	}
	return list
}

// zones returns the names of the zones: those listed, or as many as asked for, lettered from a.
func (r *reader) zones(s *Settings) []string {
	count := r.number("zones", zoneCount(s.Profile), 2, 3) // a load balancer and a database need two
	form := regexp.MustCompile("^" + regexp.QuoteMeta(s.Region) + "[a-h]$")
	allowed := fmt.Sprintf(`two or three different zones of the region, like ["%sa","%sb"]`, s.Region, s.Region)
	raw := r.values["zoneNames"]
	names := r.list("zoneNames", nil, form, allowed)
	if raw == "" {
		for i := range min(max(count, 0), 3) {
			names = append(names, s.Region+string(rune('a'+i)))
		}
		return names
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(names)))); n != len(names) || n < 2 || n > 3 {
		r.refuse("zoneNames", raw, allowed)
	}
	return names
}

func (r *reader) cidr(key, otherwise string) string {
	v := r.text(key, otherwise)
	if _, err := network.ParseVPC(v); err != nil {
		r.refuse(key, v, "a private IPv4 block from /16 to /21 like 10.0.0.0/16")
	}
	return v
}

func (r *reader) clients(key string) []string {
	raw := r.values[key]
	list := r.list(key, nil, regexp.MustCompile(``), `a list of IPv4 blocks like ["203.0.113.0/24"]`)
	for _, v := range list {
		if p, err := netip.ParsePrefix(v); err != nil || !p.Addr().Is4() || p.Masked() != p {
			r.refuse(key, raw, `a list of IPv4 blocks like ["203.0.113.0/24"]`)
		}
	}
	return list
}

func (r *reader) endpoint() string {
	v := r.text("endpoint", "")
	if v == "" {
		return v
	}
	if u, err := url.Parse(v); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		r.refuse("endpoint", v, "a URL like http://127.0.0.1:4566")
	}
	return v
}

// file returns the absolute path of a file that must be there; an empty path stays empty.
func (r *reader) file(key, otherwise, allowed string) string {
	v := r.text(key, otherwise)
	if v == "" && key != "artifact" {
		return v
	}
	path := v
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.root, path)
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		r.refuse(key, v, allowed+" (there is no such file)")
	}
	return path
}

// logDays are the retentions that CloudWatch Logs knows.
func (r *reader) logDays(otherwise int) int {
	known := []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	v := r.text("logDays", strconv.Itoa(otherwise))
	n, err := strconv.Atoi(v)
	if err != nil || !slices.Contains(known, n) {
		r.refuse("logDays", v, strings.Trim(fmt.Sprint(known), "[]"))
	}
	return n
}
