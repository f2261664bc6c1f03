package dataplane_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	api "storefront/lab/api/elasticache"
)

// snapshots maps snapshots to their statuses.
func (l *cacheLab) snapshots() map[string]string {
	l.Helper()
	list := map[string]string{}
	for _, v := range must(l.cache.DescribeSnapshots(l.Context(), &api.DescribeSnapshotsInput{}))(l.T).Snapshots {
		list[*v.SnapshotName] = *v.SnapshotStatus
	}
	return list
}

func TestCacheSnapshotsHoldData(t *testing.T) {
	l := newCacheLab(t)
	stop := l.run()
	l.create(2)
	primary, _ := l.endpoints()
	client := l.connect(primary, cacheToken)
	set := func(key string) {
		t.Helper()
		if err := client.Set(t.Context(), key, strings.Repeat("v", 1000), 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		set(fmt.Sprint("key", i))
	}
	must(l.cache.CreateSnapshot(t.Context(), &api.CreateSnapshotInput{SnapshotName: new("first"), ReplicationGroupId: new("shop")}))(t)
	l.eventually("the snapshot is taken", func() bool { return l.snapshots()["first"] == "available" })
	l.settled()
	set("late")
	if err := client.Wait(t.Context(), 1, 5*time.Second).Err(); err != nil { // the replica has it
		t.Fatal(err)
	}
	must(l.cache.CreateSnapshot(t.Context(), &api.CreateSnapshotInput{SnapshotName: new("replica"), CacheClusterId: new("shop-002")}))(t)
	l.eventually("the replica's snapshot is taken", func() bool { return l.snapshots()["replica"] == "available" })
	must(l.cache.CopySnapshot(t.Context(), &api.CopySnapshotInput{SourceSnapshotName: new("first"), TargetSnapshotName: new("copy")}))(t)
	l.eventually("it is copied", func() bool { return l.snapshots()["copy"] == "available" })
	must(l.cache.DeleteSnapshot(t.Context(), &api.DeleteSnapshotInput{SnapshotName: new("first")}))(t)

	set("last")
	must(l.cache.DeleteReplicationGroup(t.Context(), &api.DeleteReplicationGroupInput{ReplicationGroupId: new("shop"), FinalSnapshotIdentifier: new("final")}))(t)
	l.eventually("the group is gone", func() bool { return l.group() == nil })
	if left := l.servers(); len(left) > 0 {
		t.Errorf("servers left: %v", left)
	}
	stop() // and the lab starts again
	l.openEngine()
	stop = l.run()
	l.eventually("the snapshots are still there", func() bool {
		return maps.Equal(l.snapshots(), map[string]string{"copy": "available", "replica": "available", "final": "available"})
	})

	for _, c := range []struct {
		snapshot string
		keys     int64
	}{{"copy", 100}, {"replica", 101}, {"final", 102}} {
		must(l.cache.CreateReplicationGroup(t.Context(), &api.CreateReplicationGroupInput{
			ReplicationGroupId: new("shop"), ReplicationGroupDescription: new("d"), SnapshotName: &c.snapshot, NumCacheClusters: new(int64(2)), AutomaticFailoverEnabled: new(true),
			TransitEncryptionEnabled: new(true), AuthToken: new(cacheToken)}))(t)
		l.settled()
		_, reader := l.endpoints()
		for _, endpoint := range []string{primary, reader} {
			if n, err := l.connect(endpoint, cacheToken).DBSize(t.Context()).Result(); n != c.keys {
				t.Errorf("%s: %d keys behind %s, %v, want %d", c.snapshot, n, endpoint, err, c.keys)
			}
		}
		if c.snapshot == "final" { // what was restored is in memory alone again
			stop()
			l.openEngine()
			l.run()
			l.eventually("the cache is back, empty", func() bool {
				n, err := l.connect(primary, cacheToken).DBSize(t.Context()).Result()
				return err == nil && n == 0
			})
			l.settled()
		}
		must(l.cache.DeleteReplicationGroup(t.Context(), &api.DeleteReplicationGroupInput{ReplicationGroupId: new("shop")}))(t)
		l.eventually("the group is gone", func() bool { return l.group() == nil })
	}
	for name := range l.snapshots() {
		must(l.cache.DeleteSnapshot(t.Context(), &api.DeleteSnapshotInput{SnapshotName: &name}))(t)
	}
	l.eventually("the snapshots are gone", func() bool { return len(l.snapshots()) == 0 })
	if left, _ := os.ReadDir(l.dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A primary that starts without its data is no source of a snapshot that was asked for when it had them.
func TestASnapshotFailsWhenTheDataIsLost(t *testing.T) {
	l := newCacheLab(t)
	stop := l.run()
	l.create(1)
	for _, ask := range []func(){
		func() {
			must(l.cache.CreateSnapshot(t.Context(), &api.CreateSnapshotInput{SnapshotName: new("lost"), ReplicationGroupId: new("shop")}))(t)
		},
		func() {
			must(l.cache.DeleteReplicationGroup(t.Context(), &api.DeleteReplicationGroupInput{ReplicationGroupId: new("shop"), FinalSnapshotIdentifier: new("lost")}))(t)
		},
	} {
		stop()
		ask() // and the lab is killed at once
		l.openEngine()
		stop = l.run()
		l.eventually("the snapshot has failed", func() bool { return len(l.snapshots()) == 0 })
		l.settled()
	}
	events := must(l.cache.DescribeEvents(t.Context(), &api.DescribeEventsInput{}))(t).Events
	if m := *events[len(events)-1].Message; m != "Snapshot failed for snapshot with ID 'lost' of cache cluster with ID 'shop-001'" {
		t.Errorf("the last event is %q", m)
	}
	l.deleteAll()
}
