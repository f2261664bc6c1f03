package rds

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/wire"
)

const engineName = "aurora-postgresql"

// minors are the releases of Aurora PostgreSQL by major version ("Release Notes for Aurora PostgreSQL"). The lab runs the machine's own minor
// version for all of them.
func minors(major int) []int {
	switch major {
	case 15:
		return []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15}
	case 16:
		return []int{1, 2, 3, 4, 5, 6, 8, 9, 10, 11}
	case 17:
		return []int{4, 5, 6, 7}
	default:
		return nil
	}
}

// versions lists what the machine can run, oldest first.
func (s *Service) versions() []string {
	major := s.Engine.Version().Major
	var list []string
	for _, minor := range minors(major) {
		list = append(list, fmt.Sprintf("%d.%d", major, minor))
	}
	return list
}

// version resolves what a request names: an exact version, a major version for its newest, or nothing for the newest of all.
func (s *Service) version(given *string) (string, error) {
	list := s.versions()
	if len(list) == 0 {
		return "", fmt.Errorf("no release of %s is known for PostgreSQL %s", engineName, s.Engine.Version())
	}
	want := wire.Or(given, strconv.Itoa(s.Engine.Version().Major))
	if slices.Contains(list, want) {
		return want, nil
	}
	if want == strconv.Itoa(s.Engine.Version().Major) {
		return list[len(list)-1], nil
	}
	return "", invalidCombination("Cannot find version %s for %s", want, engineName)
}

func checkEngine(engine *string) error {
	if wire.Value(engine) != engineName {
		return invalidValue("Invalid DB engine: %s. This region offers %s.", wire.Value(engine), engineName)
	}
	return nil
}

// DescribeDBEngineVersions lists the versions that clusters can have.
func (s *Service) DescribeDBEngineVersions(_ context.Context, in *api.DescribeDBEngineVersionsInput) (*api.DescribeDBEngineVersionsOutput, error) {
	out := &api.DescribeDBEngineVersionsOutput{DBEngineVersions: []api.DBEngineVersion{}}
	if err := checkPage(in.Marker, in.MaxRecords); err != nil {
		return nil, err
	}
	if e := wire.Or(in.Engine, engineName); e != engineName || wire.Or(in.DBParameterGroupFamily, s.family()) != s.family() {
		return out, nil
	}
	list := s.versions()
	if wire.Value(in.DefaultOnly) && len(list) > 0 {
		list = list[len(list)-1:]
	}
	for i, v := range list {
		if want := wire.Or(in.EngineVersion, v); want != v && want != strconv.Itoa(s.Engine.Version().Major) {
			continue
		}
		out.DBEngineVersions = append(out.DBEngineVersions, s.showVersion(v, list[i+1:]))
	}
	var err error
	out.DBEngineVersions, err = filter(out.DBEngineVersions, in.Filters, map[string]func(api.DBEngineVersion) []string{
		"engine":                    one(func(v api.DBEngineVersion) string { return *v.Engine }),
		"engine-version":            one(func(v api.DBEngineVersion) string { return *v.EngineVersion }),
		"db-parameter-group-family": one(func(v api.DBEngineVersion) string { return *v.DBParameterGroupFamily }),
		"engine-mode":               func(api.DBEngineVersion) []string { return []string{"provisioned"} },
		"status":                    one(func(v api.DBEngineVersion) string { return *v.Status }),
	})
	return out, err
}

func (s *Service) showVersion(version string, newer []string) api.DBEngineVersion {
	out := api.DBEngineVersion{
		Engine: new(engineName), EngineVersion: &version, MajorEngineVersion: new(strconv.Itoa(s.Engine.Version().Major)), DBParameterGroupFamily: new(s.family()),
		DBEngineDescription: new("Aurora PostgreSQL"), DBEngineVersionDescription: new("Aurora PostgreSQL (compatible with PostgreSQL " + version + ")"), Status: new("available"),
		ExportableLogTypes: []string{"postgresql"}, SupportedEngineModes: []string{"provisioned"}, SupportedCACertificateIdentifiers: certificateAuthorities(),
		SupportsLogExportsToCloudwatchLogs: new(true), SupportsCertificateRotationWithoutRestart: new(true), SupportsReadReplica: new(false),
		SupportsGlobalDatabases: new(false), SupportsBabelfish: new(false), SupportsParallelQuery: new(false), SupportsIntegrations: new(false),
		SupportsLimitlessDatabase: new(false), SupportsLocalWriteForwarding: new(false),
	}
	for _, v := range newer {
		out.ValidUpgradeTarget = append(out.ValidUpgradeTarget, api.UpgradeTarget{
			Engine: new(engineName), EngineVersion: &v, Description: new("Aurora PostgreSQL (compatible with PostgreSQL " + v + ")"), AutoUpgrade: new(false), IsMajorVersionUpgrade: new(false),
		})
	}
	return out
}

// classes lists the instance classes that Aurora PostgreSQL runs on.
func classes() []string {
	list := []string{"db.serverless", "db.t3.medium", "db.t3.large", "db.t4g.medium", "db.t4g.large"}
	for _, family := range []string{"r5", "r6g", "r6i", "r7g", "r7i", "r8g"} {
		for _, size := range []string{"large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"} {
			list = append(list, "db."+family+"."+size)
		}
	}
	return list
}

func checkClass(class string) error {
	if !strings.HasPrefix(class, "db.") {
		return invalidValue("Invalid DB Instance class: %s", class)
	}
	if !slices.Contains(classes(), class) {
		return invalidCombination("RDS does not support creating a DB instance with the following combination: DBInstanceClass=%s, Engine=%s. For supported combinations of instance class and database engine version, see the documentation.", class, engineName)
	}
	return nil
}

// DescribeOrderableDBInstanceOptions lists instance classes by version.
func (s *Service) DescribeOrderableDBInstanceOptions(_ context.Context, in *api.DescribeOrderableDBInstanceOptionsInput) (*api.DescribeOrderableDBInstanceOptionsOutput, error) {
	out := &api.DescribeOrderableDBInstanceOptionsOutput{}
	list := []api.OrderableDBInstanceOption{}
	var zones []api.AvailabilityZone
	for _, z := range s.Region.Zones() {
		zones = append(zones, api.AvailabilityZone{Name: &z.Name})
	}
	for _, version := range s.versions() {
		for _, class := range classes() {
			if wire.Value(in.Engine) != engineName || wire.Or(in.EngineVersion, version) != version || wire.Or(in.DBInstanceClass, class) != class || !wire.Or(in.Vpc, true) {
				continue
			}
			list = append(list, api.OrderableDBInstanceOption{
				Engine: new(engineName), EngineVersion: &version, DBInstanceClass: &class, LicenseModel: new(licence), AvailabilityZones: zones, StorageType: new("aurora"),
				Vpc: new(true), SupportsClusters: new(true), SupportsStorageEncryption: new(true), SupportsIAMDatabaseAuthentication: new(true),
				SupportsPerformanceInsights: new(true), SupportsEnhancedMonitoring: new(true), SupportedEngineModes: []string{"provisioned"}, SupportedNetworkTypes: []string{"IPV4"},
				MultiAZCapable: new(false), ReadReplicaCapable: new(false), OutpostCapable: new(false), SupportsGlobalDatabases: new(false), SupportsIops: new(false),
				SupportsStorageAutoscaling: new(false), SupportsKerberosAuthentication: new(false), SupportsStorageThroughput: new(false), SupportsDedicatedLogVolume: new(false),
			})
		}
	}
	key := func(o api.OrderableDBInstanceOption) string { return *o.EngineVersion + " " + *o.DBInstanceClass }
	slices.SortFunc(list, func(a, b api.OrderableDBInstanceOption) int { return strings.Compare(key(a), key(b)) })
	var err error
	out.OrderableDBInstanceOptions, out.Marker, err = page(list, key, in.Marker, in.MaxRecords)
	return out, err
}
