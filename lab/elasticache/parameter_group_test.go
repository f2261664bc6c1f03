package elasticache_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func TestParameterGroups(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreateCacheParameterGroup(t.Context(), &elasticache.CreateCacheParameterGroupInput{CacheParameterGroupName: new("shop"), CacheParameterGroupFamily: new("redis7"), Description: new("d")})
	f.must(err)
	_, err = f.CreateCacheParameterGroup(t.Context(), &elasticache.CreateCacheParameterGroupInput{CacheParameterGroupName: new("new"), CacheParameterGroupFamily: new("valkey7"), Description: new("d")})
	f.refused(err, "InvalidParameterValue")
	modify := func(group, name, value string) error {
		_, err := f.ModifyCacheParameterGroup(t.Context(), &elasticache.ModifyCacheParameterGroupInput{
			CacheParameterGroupName: &group, ParameterNameValues: []types.ParameterNameValue{{ParameterName: &name, ParameterValue: &value}}})
		return err
	}
	f.must(modify("shop", "maxmemory-policy", "allkeys-lru"))
	f.must(modify("shop", "list-max-listpack-size", "-3"))
	f.must(modify("shop", "notify-keyspace-events", "Ex"))
	f.must(modify("shop", "timeout", "20"))
	for _, bad := range [][3]string{{"shop", "maxmemory-policy", "random"}, {"shop", "list-max-listpack-size", "0"}, {"shop", "timeout", "5"}, {"shop", "nosuch", "1"}, {"shop", "cluster-enabled", "yes"},
		{"shop", "notify-keyspace-events", "E\nsave 1 1"}, {"shop", "active-defrag-cycle-max", "76"}, {"shop", "hash-max-ziplist-entries", "1"}, {"default.redis7", "timeout", "20"}} {
		f.refused(modify(bad[0], bad[1], bad[2]), "InvalidParameterValue")
	}
	user := func() int {
		out, err := f.DescribeCacheParameters(t.Context(), &elasticache.DescribeCacheParametersInput{CacheParameterGroupName: new("shop"), Source: new("user")})
		f.must(err)
		return len(out.Parameters)
	}
	if n := user(); n != 4 {
		t.Errorf("%d parameters are the user's, want 4", n)
	}
	in := request()
	in.CacheParameterGroupName = new("shop")
	_, err = f.CreateReplicationGroup(t.Context(), in)
	f.must(err)
	if s := f.declared().Settings; s["maxmemory-policy"] != "allkeys-lru" || s["timeout"] != "20" || s["reserved-memory-percent"] != "" {
		t.Errorf("the servers are told %v", s)
	}
	_, err = f.DeleteCacheParameterGroup(t.Context(), &elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: new("shop")})
	f.refused(err, "InvalidCacheParameterGroupState")
	_, err = f.ResetCacheParameterGroup(t.Context(), &elasticache.ResetCacheParameterGroupInput{CacheParameterGroupName: new("shop"), ParameterNameValues: []types.ParameterNameValue{{ParameterName: new("timeout")}}})
	f.must(err)
	if n := user(); n != 3 {
		t.Errorf("%d parameters are the user's after a reset, want 3", n)
	}
	defaults, err := f.DescribeEngineDefaultParameters(t.Context(), &elasticache.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: new("redis6.x")})
	f.must(err)
	if len(defaults.EngineDefaults.Parameters) < 30 || len(defaults.EngineDefaults.CacheNodeTypeSpecificParameters) != 1 {
		t.Errorf("the defaults are %d parameters", len(defaults.EngineDefaults.Parameters))
	}
}

func TestVersionsAndNodeTypes(t *testing.T) {
	f := newGroup(t)
	all, err := f.DescribeCacheEngineVersions(t.Context(), &elasticache.DescribeCacheEngineVersionsInput{})
	f.must(err)
	newest, err := f.DescribeCacheEngineVersions(t.Context(), &elasticache.DescribeCacheEngineVersionsInput{Engine: new("redis"), DefaultOnly: new(true)})
	f.must(err)
	if len(all.CacheEngineVersions) != 3 || len(newest.CacheEngineVersions) != 1 || *newest.CacheEngineVersions[0].EngineVersion != "7.1.0" {
		t.Errorf("got %v, of which the default is %v", all.CacheEngineVersions, newest.CacheEngineVersions)
	}
	types, err := f.ListAllowedNodeTypeModifications(t.Context(), &elasticache.ListAllowedNodeTypeModificationsInput{ReplicationGroupId: new("shop")})
	f.must(err)
	if len(types.ScaleUpModifications) < 20 {
		t.Errorf("the group can grow to %v", types.ScaleUpModifications)
	}
}
