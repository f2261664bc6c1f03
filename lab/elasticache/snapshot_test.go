package elasticache_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
)

// snapshots lists what a request asks for.
func (f *fixture) snapshots(in elasticache.DescribeSnapshotsInput) []types.Snapshot {
	f.Helper()
	out, err := f.DescribeSnapshots(f.Context(), &in)
	f.must(err)
	return out.Snapshots
}

func (f *fixture) snapshot(name string) types.Snapshot {
	f.Helper()
	return f.snapshots(elasticache.DescribeSnapshotsInput{SnapshotName: &name, ShowNodeGroupConfig: new(true)})[0]
}

// snapshotOf takes one of the group "shop".
func (f *fixture) snapshotOf(name string) {
	f.Helper()
	_, err := f.CreateSnapshot(f.Context(), &elasticache.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: new("shop")})
	f.must(err)
	f.settle()
}

func TestASnapshotFromItsCreationToItsEnd(t *testing.T) {
	f := newGroup(t)
	key, err := f.kms.CreateKey(t.Context(), &sdkkms.CreateKeyInput{})
	f.must(err)
	out, err := f.CreateSnapshot(t.Context(), &elasticache.CreateSnapshotInput{
		SnapshotName: new("Before"), ReplicationGroupId: new("shop"), KmsKeyId: key.KeyMetadata.KeyId, Tags: []types.Tag{{Key: new("why"), Value: new("test")}},
	})
	f.must(err)
	if v := out.Snapshot; *v.SnapshotName != "before" || *v.SnapshotStatus != "creating" || *f.group().Status != "snapshotting" {
		t.Errorf("got %+v of a group that is %s", v, *f.group().Status)
	}
	for _, in := range []*elasticache.CreateSnapshotInput{{SnapshotName: new("b"), ReplicationGroupId: new("shop")}, {SnapshotName: new("b"), CacheClusterId: new("shop-001")}} {
		code := "InvalidReplicationGroupState"
		if in.CacheClusterId != nil {
			code = "InvalidCacheClusterState"
		}
		_, err := f.CreateSnapshot(t.Context(), in)
		f.refused(err, code)
	}
	_, err = f.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop")})
	f.refused(err, "InvalidReplicationGroupState")
	_, err = f.RebootCacheCluster(t.Context(), &elasticache.RebootCacheClusterInput{CacheClusterId: new("shop-001"), CacheNodeIdsToReboot: []string{"0001"}})
	f.refused(err, "InvalidCacheClusterState")
	_, err = f.DeleteSnapshot(t.Context(), &elasticache.DeleteSnapshotInput{SnapshotName: new("before")})
	f.refused(err, "InvalidSnapshotState")
	f.settle()

	v := f.snapshot("before")
	n := v.NodeSnapshots[0]
	if *v.SnapshotStatus != "available" || *v.SnapshotSource != "manual" || *v.ReplicationGroupId != "shop" || v.CacheClusterId != nil || *v.CacheNodeType != "cache.t4g.micro" ||
		*v.EngineVersion != "7.1.0" || *v.Port != 6379 || *v.VpcId != f.vpc || *v.KmsKeyId != *key.KeyMetadata.Arn || v.AutomaticFailover != types.AutomaticFailoverStatusEnabled ||
		*n.CacheSize != "3 MB" || *n.NodeGroupConfiguration.ReplicaCount != 1 || *v.ARN != "arn:aws:elasticache:us-east-1:000000000000:snapshot:before" || *f.group().Status != "available" {
		t.Errorf("got %+v, node %+v", v, n)
	}
	tags, err := f.ListTagsForResource(t.Context(), &elasticache.ListTagsForResourceInput{ResourceName: v.ARN})
	f.must(err)
	if len(tags.TagList) != 1 || *tags.TagList[0].Value != "test" {
		t.Errorf("tags: %+v", tags.TagList)
	}
	events, err := f.DescribeEvents(t.Context(), &elasticache.DescribeEventsInput{})
	f.must(err)
	if m := *events.Events[len(events.Events)-1].Message; m != "Snapshot succeeded for snapshot with ID 'before' of replication group with ID 'shop'" {
		t.Errorf("the last event is %q", m)
	}

	gone, err := f.DeleteSnapshot(t.Context(), &elasticache.DeleteSnapshotInput{SnapshotName: new("before")})
	f.must(err)
	if s := *gone.Snapshot.SnapshotStatus; s != "deleting" {
		t.Errorf("the deleted snapshot is %s", s)
	}
	f.settle()
	_, err = f.DescribeSnapshots(t.Context(), &elasticache.DescribeSnapshotsInput{SnapshotName: new("before")})
	f.refused(err, "SnapshotNotFoundFault")
	_, err = f.ListTagsForResource(t.Context(), &elasticache.ListTagsForResourceInput{ResourceName: v.ARN})
	f.refused(err, "SnapshotNotFoundFault")
}

func TestSnapshotsRefused(t *testing.T) {
	f := newGroup(t)
	f.snapshotOf("taken")
	type in = elasticache.CreateSnapshotInput
	for code, list := range map[string][]*in{
		"InvalidParameterValue":         {{SnapshotName: new("a_b"), ReplicationGroupId: new("shop")}, {SnapshotName: new("automatic.x"), ReplicationGroupId: new("shop")}, {SnapshotName: new(strings.Repeat("a", 256)), ReplicationGroupId: new("shop")}},
		"InvalidParameterCombination":   {{SnapshotName: new("a")}, {SnapshotName: new("a"), ReplicationGroupId: new("shop"), CacheClusterId: new("shop-001")}},
		"ReplicationGroupNotFoundFault": {{SnapshotName: new("a"), ReplicationGroupId: new("none")}},
		"CacheClusterNotFound":          {{SnapshotName: new("a"), CacheClusterId: new("none")}},
		"SnapshotAlreadyExistsFault":    {{SnapshotName: new("TAKEN"), ReplicationGroupId: new("shop")}},
		"InvalidKMSKeyFault":            {{SnapshotName: new("a"), ReplicationGroupId: new("shop"), KmsKeyId: new("alias/none")}},
	} {
		for _, i := range list {
			_, err := f.CreateSnapshot(t.Context(), i)
			f.refused(err, code)
		}
	}
	type describe = elasticache.DescribeSnapshotsInput
	for _, i := range []describe{{SnapshotSource: new("manual")}, {MaxRecords: new(int32(51))}} {
		_, err := f.DescribeSnapshots(t.Context(), &i)
		f.refused(err, "InvalidParameterValue")
	}
	for code, i := range map[string]*elasticache.CopySnapshotInput{
		"SnapshotNotFoundFault":      {SourceSnapshotName: new("none"), TargetSnapshotName: new("a")},
		"SnapshotAlreadyExistsFault": {SourceSnapshotName: new("taken"), TargetSnapshotName: new("taken")},
		"InvalidParameterValue":      {SourceSnapshotName: new("taken"), TargetSnapshotName: new("a"), TargetBucket: new("b")},
	} {
		_, err := f.CopySnapshot(t.Context(), i)
		f.refused(err, code)
	}
	_, err := f.DeleteSnapshot(t.Context(), &elasticache.DeleteSnapshotInput{SnapshotName: new("none")})
	f.refused(err, "SnapshotNotFoundFault")
	_, err = f.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop"), FinalSnapshotIdentifier: new("taken")})
	f.refused(err, "SnapshotAlreadyExistsFault")
	if s := *f.group().Status; s != "available" {
		t.Errorf("after a refused deletion the group is %s", s)
	}
	if list := f.snapshots(describe{}); len(list) != 1 {
		t.Errorf("a refused request left something behind: %+v", list)
	}
}

func TestSnapshotsAreListedByWhatTheyAreOf(t *testing.T) {
	f := newGroup(t)
	f.snapshotOf("whole")
	_, err := f.CreateSnapshot(t.Context(), &elasticache.CreateSnapshotInput{SnapshotName: new("node"), CacheClusterId: new("shop-002")})
	f.must(err)
	f.settle()
	copied, err := f.CopySnapshot(t.Context(), &elasticache.CopySnapshotInput{SourceSnapshotName: new("node"), TargetSnapshotName: new("copy")})
	f.must(err)
	if from := f.snapshot("node"); *copied.Snapshot.SnapshotStatus != "creating" || *from.SnapshotStatus != "copying" {
		t.Errorf("the copy is %s, its source %s", *copied.Snapshot.SnapshotStatus, *from.SnapshotStatus)
	}
	_, err = f.DeleteSnapshot(t.Context(), &elasticache.DeleteSnapshotInput{SnapshotName: new("node")})
	f.refused(err, "InvalidSnapshotState")
	f.settle()
	type in = elasticache.DescribeSnapshotsInput
	for want, i := range map[string]in{
		"copy node whole ": {}, "copy node": {CacheClusterId: new("shop-002")}, "copy node whole": {ReplicationGroupId: new("Shop"), SnapshotSource: new("user")}, "": {SnapshotSource: new("system")},
		" ": {ReplicationGroupId: new("other")}, "whole": {SnapshotName: new("whole")},
	} {
		var names []string
		for _, v := range f.snapshots(i) {
			names = append(names, *v.SnapshotName)
		}
		if got := strings.Join(names, " "); got != strings.TrimSpace(want) {
			t.Errorf("%+v lists %q, want %q", i, got, want)
		}
	}
	pages := elasticache.NewDescribeSnapshotsPaginator(f.Client, &in{MaxRecords: new(int32(2))})
	var sizes []int
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		f.must(err)
		sizes = append(sizes, len(p.Snapshots))
	}
	if len(sizes) != 2 || sizes[0] != 2 || sizes[1] != 1 {
		t.Errorf("the pages have %v snapshots", sizes)
	}
}

func TestTheFinalSnapshotComesBeforeTheEnd(t *testing.T) {
	f := newFixture(t)
	end := &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop"), FinalSnapshotIdentifier: new("final")}
	_, err := f.CreateReplicationGroup(t.Context(), request())
	f.must(err)
	_, err = f.DeleteReplicationGroup(t.Context(), end) // there is nothing to save yet
	f.refused(err, "InvalidReplicationGroupState")
	f.settle()
	out, err := f.DeleteReplicationGroup(t.Context(), end)
	f.must(err)
	if g := f.declared(); *out.ReplicationGroup.Status != "deleting" || !g.Exists || g.Nodes[0].Deleting() || len(g.Snapshots) != 1 || g.Snapshots[0].Node != "shop-001" {
		t.Errorf("the data plane is told %+v", g)
	}
	_, err = f.DeleteReplicationGroup(t.Context(), end)
	f.refused(err, "InvalidReplicationGroupState")
	f.settle()
	if g := f.declared(); g.Exists || !g.Nodes[0].Deleting() {
		t.Errorf("once it is taken the data plane is told %+v", g)
	}
	f.settle()
	_, err = f.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: new("shop")})
	f.refused(err, "ReplicationGroupNotFoundFault")

	if v := f.snapshot("final"); *v.SnapshotStatus != "available" || *v.CacheClusterId != "shop-001" {
		t.Errorf("got %+v", v)
	}
	old := &elasticache.CreateReplicationGroupInput{ReplicationGroupId: new("again"), ReplicationGroupDescription: new("d"), SnapshotName: new("Final"), EngineVersion: new("6.2")}
	_, err = f.CreateReplicationGroup(t.Context(), old)
	f.refused(err, "InvalidParameterCombination")
	old.EngineVersion = nil
	restored, err := f.CreateReplicationGroup(t.Context(), old)
	f.must(err)
	if g := f.declared(); *restored.ReplicationGroup.CacheNodeType != "cache.t4g.micro" || g.Restore != "final" {
		t.Errorf("the data plane is told %+v", g)
	}
	if s := *f.snapshot("final").SnapshotStatus; s != "restoring" {
		t.Errorf("meanwhile the snapshot is %s", s)
	}
	_, err = f.DeleteSnapshot(t.Context(), &elasticache.DeleteSnapshotInput{SnapshotName: new("final")})
	f.refused(err, "InvalidSnapshotState")
	old.ReplicationGroupId = new("twice")
	_, err = f.CreateReplicationGroup(t.Context(), old)
	f.refused(err, "InvalidParameterValue")
	f.settle()
	if g := f.declared(); g.Restore != "" || *f.snapshot("final").SnapshotStatus != "available" {
		t.Errorf("a group that is restored is told %+v", g)
	}
}

func TestDailySnapshots(t *testing.T) {
	f := newGroup(t)
	modify := func(days int32, node *string) error {
		_, err := f.ModifyReplicationGroup(t.Context(), &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: new("shop"), SnapshotRetentionLimit: &days, SnapshotWindow: new("13:00-14:00"), SnapshottingClusterId: node, ApplyImmediately: new(true)})
		f.settle()
		return err
	}
	f.refused(modify(2, nil), "InvalidParameterCombination")
	f.refused(modify(2, new("shop-009")), "CacheClusterNotFound")
	f.must(modify(2, new("shop-002")))
	names := func() string {
		var list []string
		for _, v := range f.snapshots(elasticache.DescribeSnapshotsInput{SnapshotSource: new("system")}) {
			if *v.SnapshotSource != "automated" {
				t.Errorf("%s is %s", *v.SnapshotName, *v.SnapshotSource)
			}
			list = append(list, strings.TrimPrefix(*v.SnapshotName, "automatic.shop-002-"))
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, ""}, // noon
		{61 * time.Minute, "2026-11-18-13-01"},
		{90 * time.Minute, "2026-11-18-13-01"}, // one in each window
		{25 * time.Hour, "2026-11-18-13-01 2026-11-19-13-00"},
		{49*time.Hour + 5*time.Minute, "2026-11-19-13-00 2026-11-20-13-05"},
		{71 * time.Hour, "2026-11-19-13-00 2026-11-20-13-05"},
		{74 * time.Hour, "2026-11-20-13-05"}, // the window was missed
	} {
		f.now = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC).Add(c.after)
		f.settle() // declares
		f.settle() // takes
		f.settle()
		if got := names(); got != c.want {
			t.Errorf("after %s there are %q, want %q", c.after, got, c.want)
		}
	}
	f.snapshotOf("mine")
	_, err := f.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new("shop")})
	f.must(err)
	f.settle()
	f.settle()
	if list := f.snapshots(elasticache.DescribeSnapshotsInput{}); len(list) != 1 || *list[0].SnapshotName != "mine" {
		t.Errorf("with the group go its automatic snapshots alone: %+v", list)
	}
}
