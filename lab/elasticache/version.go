package elasticache

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const engineName = "redis"

// version is an engine version of ElastiCache. The machine's Redis serves them all.
type version struct{ Short, Full, Family string }

// versions are those that are served, the default one last ("Supported engine versions").
func versions() []version {
	return []version{{"6.2", "6.2.6", "redis6.x"}, {"7.0", "7.0.7", "redis7"}, {"7.1", "7.1.0", "redis7"}}
}

func families() []string { return []string{"redis6.x", "redis7"} }

// findVersion finds the version that a request names: "7.1", "7.1.0", "7.x" or none for the newest.
func findVersion(given *string) (version, error) {
	all := versions()
	newest := all[len(all)-1]
	name := wire.Value(given)
	if name == "" {
		return newest, nil
	}
	for _, v := range slices.Backward(all) {
		major, _, _ := strings.Cut(v.Short, ".")
		if name == v.Short || name == v.Full || name == major+".x" {
			return v, nil
		}
	}
	return version{}, invalidValue("Cannot find version %s for %s", name, engineName)
}

// checkEngine refuses other engines. Valkey is offered by AWS, and not by the machine.
func checkEngine(given *string) error {
	switch name := strings.ToLower(wire.Or(given, engineName)); name {
	case engineName:
		return nil
	case "valkey", "memcached":
		return invalidValue("The engine %s is not offered in this region.", name)
	default:
		return invalidValue("Invalid engine: %s", name)
	}
}

// DescribeCacheEngineVersions lists the versions.
func (s *Service) DescribeCacheEngineVersions(_ context.Context, in *api.DescribeCacheEngineVersionsInput) (*api.DescribeCacheEngineVersionsOutput, error) {
	list := []api.CacheEngineVersion{}
	for _, v := range versions() {
		if wire.Or(in.Engine, engineName) != engineName || wire.Or(in.CacheParameterGroupFamily, v.Family) != v.Family || wire.Or(in.EngineVersion, v.Short) != v.Short && *in.EngineVersion != v.Full {
			continue
		}
		list = append(list, api.CacheEngineVersion{
			Engine: new(engineName), EngineVersion: &v.Full, CacheParameterGroupFamily: &v.Family, CacheEngineDescription: new("Redis"), CacheEngineVersionDescription: new("redis version " + v.Full),
		})
	}
	if wire.Value(in.DefaultOnly) && len(list) > 0 {
		list = list[len(list)-1:]
	}
	list, marker, err := page(list, func(v api.CacheEngineVersion) string { return *v.EngineVersion }, in.Marker, in.MaxRecords)
	return &api.DescribeCacheEngineVersionsOutput{CacheEngineVersions: list, Marker: marker}, err
}

// nodeTypes maps the node types to their memory in GiB ("Supported node types", the Region's current generations).
func nodeTypes() map[string]float64 {
	types := map[string]float64{"cache.t3.micro": 0.5, "cache.t3.small": 1.37, "cache.t3.medium": 3.09, "cache.t4g.micro": 0.5, "cache.t4g.small": 1.37, "cache.t4g.medium": 3.09,
		"cache.m5.12xlarge": 157.12, "cache.m5.24xlarge": 314.32, "cache.r5.12xlarge": 317.77, "cache.r5.24xlarge": 635.61}
	sizes := []string{"large", "xlarge", "2xlarge", "4xlarge"}
	for _, family := range []string{"m5", "m6g", "m7g"} {
		for i, gib := range []float64{6.38, 12.93, 26.04, 52.26} {
			types["cache."+family+"."+sizes[i]] = gib
		}
	}
	for _, family := range []string{"r5", "r6g", "r7g"} {
		for i, gib := range []float64{13.07, 26.32, 52.82, 105.81} {
			types["cache."+family+"."+sizes[i]] = gib
		}
	}
	for _, generation := range []string{"6g", "7g"} {
		for size, gib := range map[string][2]float64{"8xlarge": {103.68, 209.55}, "12xlarge": {157.12, 317.77}, "16xlarge": {209.55, 419.09}} {
			types["cache.m"+generation+"."+size], types["cache.r"+generation+"."+size] = gib[0], gib[1]
		}
	}
	return types
}

func checkNodeType(name string) error {
	if strings.HasPrefix(name, "cache.r6gd.") {
		return unsupported("Data tiering, which nodes of type " + name + " need,")
	}
	if _, ok := nodeTypes()[name]; !ok {
		return invalidValue("Invalid cache node type: %s", name)
	}
	return nil
}

// maxMemory is a node type's memory in bytes.
func maxMemory(nodeType string) int64 { return int64(nodeTypes()[nodeType] * (1 << 30)) }

// ListAllowedNodeTypeModifications lists the node types that a replication group can change to.
func (s *Service) ListAllowedNodeTypeModifications(_ context.Context, in *api.ListAllowedNodeTypeModificationsInput) (*api.ListAllowedNodeTypeModificationsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListAllowedNodeTypeModificationsOutput) error {
		if in.ReplicationGroupId == nil {
			return invalidCombination("ReplicationGroupId is required: all cache clusters of this region are in replication groups.")
		}
		g, err := findGroup(tx, *in.ReplicationGroupId)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(nodeTypes())) {
			switch has, want := maxMemory(g.NodeType), maxMemory(name); {
			case want > has:
				out.ScaleUpModifications = append(out.ScaleUpModifications, name)
			case name != g.NodeType:
				out.ScaleDownModifications = append(out.ScaleDownModifications, name)
			}
		}
		return nil
	})
}
