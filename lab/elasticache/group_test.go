package elasticache_test

import (
	"os"
	"strings"
	"testing"
	"time"

	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"

	"storefront/lab/redis"
)

func TestGroupAsTheProviderReadsIt(t *testing.T) {
	f := newFixture(t)
	key, err := f.kms.CreateKey(t.Context(), &sdkkms.CreateKeyInput{})
	f.must(err)
	in := request()
	in.KmsKeyId = key.KeyMetadata.KeyId
	in.Tags = []types.Tag{{Key: new("stack"), Value: new("test")}}
	in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{LogType: types.LogTypeSlowLog, LogFormat: types.LogFormatJson, DestinationType: types.DestinationTypeCloudWatchLogs,
		DestinationDetails: &types.DestinationDetails{CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: new("/cache/slow")}}}}
	created, err := f.CreateReplicationGroup(t.Context(), in)
	f.must(err)
	if s := *created.ReplicationGroup.Status; s != "creating" {
		t.Errorf("the new group is %s", s)
	}
	f.settle()
	g := f.group()
	shard := g.NodeGroups[0]
	if *g.Status != "available" || g.AutomaticFailover != types.AutomaticFailoverStatusEnabled || g.MultiAZ != types.MultiAZStatusEnabled || !*g.AuthTokenEnabled ||
		!strings.HasPrefix(*shard.PrimaryEndpoint.Address, "master.shop.") || !strings.HasSuffix(*shard.ReaderEndpoint.Address, ".use1.cache.amazonaws.com") || *shard.PrimaryEndpoint.Port != 6379 ||
		*shard.NodeGroupMembers[0].CurrentRole != "primary" || *shard.NodeGroupMembers[1].CurrentRole != "replica" ||
		*shard.NodeGroupMembers[0].PreferredAvailabilityZone == *shard.NodeGroupMembers[1].PreferredAvailabilityZone {
		t.Errorf("got %+v", g)
	}
	if *g.KmsKeyId != *key.KeyMetadata.Arn {
		t.Errorf("the key is %s, want its ARN", *g.KmsKeyId)
	}
	if d := g.LogDeliveryConfigurations; len(d) != 1 || *d[0].DestinationDetails.CloudWatchLogsDetails.LogGroup != "/cache/slow" {
		t.Errorf("log deliveries: %+v", d)
	}
	out, err := f.DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{CacheClusterId: new("shop-001"), ShowCacheNodeInfo: new(true)})
	f.must(err)
	c := out.CacheClusters[0]
	if *c.EngineVersion != "7.1.0" || *c.CacheParameterGroup.CacheParameterGroupName != "default.redis7" || *c.CacheSubnetGroupName != "data" || len(c.SecurityGroups) != 1 ||
		*c.PreferredMaintenanceWindow == "" || c.TransitEncryptionMode != types.TransitEncryptionModeRequired || !*c.AutoMinorVersionUpgrade || *c.CacheNodes[0].Endpoint.Address == "" {
		t.Errorf("got %+v", c)
	}
	tags, err := f.ListTagsForResource(t.Context(), &elasticache.ListTagsForResourceInput{ResourceName: g.ARN})
	f.must(err)
	if len(tags.TagList) != 1 || *tags.TagList[0].Value != "test" {
		t.Errorf("tags: %+v", tags.TagList)
	}
	if d := f.declared(); d.MaxMemory != 512<<20*3/4 || d.Settings["maxmemory-policy"] != "volatile-lru" || !d.TLS {
		t.Errorf("the data plane is told %+v", d)
	}
}

func TestCreateRefuses(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreateCacheParameterGroup(t.Context(), &elasticache.CreateCacheParameterGroupInput{CacheParameterGroupName: new("old"), CacheParameterGroupFamily: new("redis6.x"), Description: new("d")})
	f.must(err)
	other, err := f.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: new("10.1.0.0/16")})
	f.must(err)
	foreign, err := f.ec2.CreateSecurityGroup(t.Context(), &sdkec2.CreateSecurityGroupInput{VpcId: other.Vpc.VpcId, GroupName: new("foreign"), Description: new("d")})
	f.must(err)
	type in = elasticache.CreateReplicationGroupInput
	const value, combination = "InvalidParameterValue", "InvalidParameterCombination"
	for name, c := range map[string]struct {
		code string
		edit func(*in)
	}{
		"a name with an underscore":       {value, func(i *in) { i.ReplicationGroupId = new("my_shop") }},
		"a long name":                     {value, func(i *in) { i.ReplicationGroupId = new(strings.Repeat("a", 41)) }},
		"valkey":                          {value, func(i *in) { i.Engine = new("valkey") }},
		"an unknown version":              {value, func(i *in) { i.EngineVersion = new("7.9") }},
		"an unknown node type":            {value, func(i *in) { i.CacheNodeType = new("cache.x1.huge") }},
		"failover without a replica":      {combination, func(i *in) { i.NumCacheClusters, i.MultiAZEnabled = new(int32(1)), nil }},
		"Multi-AZ without failover":       {combination, func(i *in) { i.AutomaticFailoverEnabled = nil }},
		"Multi-AZ in one zone":            {combination, func(i *in) { i.PreferredCacheClusterAZs = []string{"us-east-1a", "us-east-1a"} }},
		"too few zones":                   {combination, func(i *in) { i.PreferredCacheClusterAZs = []string{"us-east-1a"} }},
		"a zone that is not there":        {value, func(i *in) { i.PreferredCacheClusterAZs = []string{"us-east-1a", "us-east-1z"} }},
		"a zone without a subnet":         {"InvalidVPCNetworkStateFault", func(i *in) { i.PreferredCacheClusterAZs = []string{"us-east-1a", "us-east-1c"} }},
		"a token without TLS":             {combination, func(i *in) { i.TransitEncryptionEnabled = nil }},
		"a short token":                   {value, func(i *in) { i.AuthToken = new("short") }},
		"a long token":                    {value, func(i *in) { i.AuthToken = new(strings.Repeat("a", 129)) }},
		"a token with a slash":            {value, func(i *in) { i.AuthToken = new("0123456789/abcdef") }},
		"seven nodes":                     {value, func(i *in) { i.NumCacheClusters = new(int32(7)) }},
		"two shards":                      {value, func(i *in) { i.NumNodeGroups, i.NumCacheClusters = new(int32(2)), nil }},
		"a global datastore":              {value, func(i *in) { i.GlobalReplicationGroupId = new("g") }},
		"data tiering":                    {value, func(i *in) { i.DataTieringEnabled = new(true) }},
		"nodes counted twice":             {combination, func(i *in) { i.ReplicasPerNodeGroup = new(int32(1)) }},
		"no subnet group":                 {"CacheSubnetGroupNotFoundFault", func(i *in) { i.CacheSubnetGroupName = nil }},
		"a security group of another VPC": {value, func(i *in) { i.SecurityGroupIds = []string{*foreign.GroupId} }},
		"parameters that are not there":   {"CacheParameterGroupNotFound", func(i *in) { i.CacheParameterGroupName = new("nothing") }},
		"parameters of another family":    {combination, func(i *in) { i.CacheParameterGroupName = new("old") }},
		"a key without encryption":        {combination, func(i *in) { i.AtRestEncryptionEnabled, i.KmsKeyId = nil, new("alias/x") }},
		"a key that is not there":         {"InvalidKMSKeyFault", func(i *in) { i.KmsKeyId = new("alias/nothing") }},
		"a short maintenance window":      {value, func(i *in) { i.PreferredMaintenanceWindow = new("sun:05:00-sun:05:30") }},
		"a malformed maintenance window":  {value, func(i *in) { i.PreferredMaintenanceWindow = new("someday") }},
		"windows that overlap": {combination, func(i *in) {
			i.PreferredMaintenanceWindow, i.SnapshotWindow = new("sun:05:00-sun:07:00"), new("06:00-08:00")
		}},
		"a user group that is not there": {"UserGroupNotFound", func(i *in) { i.AuthToken, i.UserGroupIds = nil, []string{"nobody"} }},
		"a token and a user group":       {combination, func(i *in) { i.UserGroupIds = []string{"nobody"} }},
		"TLS and none alike":             {value, func(i *in) { i.TransitEncryptionMode = types.TransitEncryptionModePreferred }},
		"snapshots for a year":           {value, func(i *in) { i.SnapshotRetentionLimit = new(int32(365)) }},
		"logs to Firehose": {value, func(i *in) {
			i.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{LogType: "slow-log", LogFormat: "json", DestinationType: "kinesis-firehose"}}
		}},
		"logs to nowhere": {combination, func(i *in) {
			i.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{LogType: "slow-log", LogFormat: "json", DestinationType: "cloudwatch-logs"}}
		}},
		"a snapshot that is not there": {value, func(i *in) { i.SnapshotName = new("s") }},
	} {
		t.Run(name, func(t *testing.T) {
			i := request()
			c.edit(i)
			_, err := f.CreateReplicationGroup(t.Context(), i)
			f.T = t
			f.refused(err, c.code)
		})
	}
	f.T = t
	list, err := f.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{})
	f.must(err)
	interfaces, err := f.ec2.DescribeNetworkInterfaces(t.Context(), &sdkec2.DescribeNetworkInterfacesInput{})
	f.must(err)
	if len(list.ReplicationGroups)+len(interfaces.NetworkInterfaces) > 0 {
		t.Error("a refused request left something behind")
	}
}

func TestTokensAreKeptAsDigests(t *testing.T) {
	f := newGroup(t)
	const next = "another-token-of-the-test"
	modify := func(token, strategy string) error {
		_, err := f.ModifyReplicationGroup(t.Context(), &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: new("shop"), AuthToken: &token, AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyType(strategy), ApplyImmediately: new(true)})
		f.settle()
		return err
	}
	f.must(modify(next, "ROTATE"))
	if rules := f.defaultRules(); !strings.Contains(rules, "#"+redis.Digest(token)) || !strings.Contains(rules, "#"+redis.Digest(next)) {
		t.Errorf("while tokens rotate the rules are %s", rules)
	}
	f.must(modify(next, "SET"))
	if rules := f.defaultRules(); strings.Contains(rules, redis.Digest(token)) || !strings.Contains(rules, redis.Digest(next)) {
		t.Errorf("with the new token set the rules are %s", rules)
	}
	f.refused(modify("", "SET"), "InvalidParameterValue")
	f.refused(modify("x", "DELETE"), "InvalidParameterCombination")
	data, err := os.ReadFile(f.path)
	f.must(err)
	if strings.Contains(string(data), token) || strings.Contains(string(data), next) {
		t.Error("the state holds a token")
	}
}

func TestModify(t *testing.T) {
	f := newGroup(t)
	modify := func(in *elasticache.ModifyReplicationGroupInput) error {
		in.ReplicationGroupId = new("shop")
		_, err := f.ModifyReplicationGroup(t.Context(), in)
		return err
	}
	f.must(modify(&elasticache.ModifyReplicationGroupInput{CacheNodeType: new("cache.t4g.small"), PreferredMaintenanceWindow: new("Thu:01:00-Thu:02:00")}))
	f.refused(modify(&elasticache.ModifyReplicationGroupInput{ReplicationGroupDescription: new("x")}), "InvalidReplicationGroupState")
	f.settle()
	if g := f.group(); *g.CacheNodeType != "cache.t4g.micro" {
		t.Error("the node type did not wait for the window")
	}
	f.now = time.Date(2026, 11, 19, 1, 30, 0, 0, time.UTC) // in the window
	f.must(f.store.Update(f.service.ApplyMaintenance))
	f.settle()
	if g := f.group(); *g.CacheNodeType != "cache.t4g.small" || f.declared().MaxMemory < 1<<30 {
		t.Errorf("in the window the node type is %s", *g.CacheNodeType)
	}
	f.refused(modify(&elasticache.ModifyReplicationGroupInput{EngineVersion: new("6.2")}), "InvalidParameterValue")
	f.refused(modify(&elasticache.ModifyReplicationGroupInput{AutomaticFailoverEnabled: new(false)}), "InvalidParameterCombination") // Multi-AZ needs it
	f.refused(modify(&elasticache.ModifyReplicationGroupInput{TransitEncryptionEnabled: new(false)}), "InvalidParameterValue")
	f.refused(modify(&elasticache.ModifyReplicationGroupInput{PrimaryClusterId: new("shop-002")}), "InvalidParameterCombination")
	f.must(modify(&elasticache.ModifyReplicationGroupInput{AutomaticFailoverEnabled: new(false), MultiAZEnabled: new(false), PrimaryClusterId: new("shop-002")}))
	f.settle()
	if m := f.group().NodeGroups[0].NodeGroupMembers; *m[1].CurrentRole != "primary" {
		t.Errorf("the roles are %s and %s", *m[0].CurrentRole, *m[1].CurrentRole)
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	f := newGroup(t)
	grow := func(n int32) error {
		_, err := f.IncreaseReplicaCount(t.Context(), &elasticache.IncreaseReplicaCountInput{ReplicationGroupId: new("shop"), NewReplicaCount: &n, ApplyImmediately: new(true)})
		f.settle()
		return err
	}
	shrink := func(n int32, named ...string) error {
		in := &elasticache.DecreaseReplicaCountInput{ReplicationGroupId: new("shop"), ApplyImmediately: new(true), ReplicasToRemove: named}
		if named == nil {
			in.NewReplicaCount = &n
		}
		_, err := f.DecreaseReplicaCount(t.Context(), in)
		f.settle()
		return err
	}
	f.must(grow(3))
	if m := f.group().MemberClusters; len(m) != 4 {
		t.Errorf("the members are %v", m)
	}
	f.refused(grow(3), "NoOperationFault")
	f.refused(grow(6), "NodeQuotaForClusterExceeded")
	f.refused(shrink(0, "shop-001"), "InvalidParameterValue") // the primary
	f.must(shrink(0, "shop-002"))
	f.must(shrink(1))
	if m := strings.Join(f.group().MemberClusters, " "); m != "shop-001 shop-003" {
		t.Errorf("the members are %s", m)
	}
	f.refused(shrink(0), "InvalidParameterCombination") // failover needs it
	failOver := func(shard string) error {
		_, err := f.TestFailover(t.Context(), &elasticache.TestFailoverInput{ReplicationGroupId: new("shop"), NodeGroupId: &shard})
		return err
	}
	f.refused(failOver("0002"), "NodeGroupNotFoundFault")
	f.must(failOver("0001"))
	f.settle()
	if m := f.group().NodeGroups[0].NodeGroupMembers; *m[1].CurrentRole != "primary" {
		t.Error("the replica did not take over")
	}
	events, err := f.DescribeEvents(t.Context(), &elasticache.DescribeEventsInput{SourceType: types.SourceTypeReplicationGroup, SourceIdentifier: new("shop")})
	f.must(err)
	if n := len(events.Events); n != 4 { // being created, created, test, failover
		t.Errorf("%d events: %+v", n, events.Events)
	}
}

func TestDeleteTakesEverythingAlong(t *testing.T) {
	f := newGroup(t)
	arn := f.group().ARN
	_, err := f.DeleteCacheSubnetGroup(t.Context(), &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: new("data")})
	f.refused(err, "CacheSubnetGroupInUse")
	_, err = f.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop"), RetainPrimaryCluster: new(true)})
	f.refused(err, "InvalidParameterValue")
	_, err = f.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop")})
	f.must(err)
	f.settle()
	_, err = f.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: new("shop")})
	f.refused(err, "ReplicationGroupNotFoundFault")
	_, err = f.ListTagsForResource(t.Context(), &elasticache.ListTagsForResourceInput{ResourceName: arn})
	f.refused(err, "ReplicationGroupNotFoundFault")
	interfaces, err := f.ec2.DescribeNetworkInterfaces(t.Context(), &sdkec2.DescribeNetworkInterfacesInput{})
	f.must(err)
	if n := len(interfaces.NetworkInterfaces); n > 0 {
		t.Errorf("%d network interfaces are left", n)
	}
	_, err = f.DeleteCacheSubnetGroup(t.Context(), &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: new("data")})
	f.must(err)
}
