package elasticsearch

import (
	"slices"
	"strings"

	api "storefront/lab/api/opensearch"
	"storefront/lab/wire"
)

// maxNodes is the quota of data nodes in one domain, from "Amazon OpenSearch Service quotas".
const maxNodes = 80

// setCluster merges the cluster's options and checks its size.
func (d *domain) setCluster(given *api.ClusterConfig) error {
	overlay(&d.Cluster, given)
	c := &d.Cluster
	if n := *c.InstanceCount; n < 1 || n > maxNodes {
		return conflict("LimitExceededException", "Instance count must be between 1 and %d.", maxNodes)
	}
	if wire.Value(c.DedicatedMasterEnabled) {
		if c.DedicatedMasterType == nil || c.DedicatedMasterCount == nil {
			return invalid("You must specify a dedicated master type and count when dedicated master nodes are enabled.")
		}
		if n := *c.DedicatedMasterCount; n != 3 && n != 5 {
			return invalid("You must specify three or five dedicated master nodes.")
		}
	} else {
		c.DedicatedMasterType, c.DedicatedMasterCount = nil, nil
	}
	if !wire.Value(c.ZoneAwarenessEnabled) {
		c.ZoneAwarenessConfig = nil
		return nil
	}
	if c.ZoneAwarenessConfig == nil || c.ZoneAwarenessConfig.AvailabilityZoneCount == nil {
		c.ZoneAwarenessConfig = &api.ZoneAwarenessConfig{AvailabilityZoneCount: new(int64(2))}
	}
	switch n := d.zoneCount(); {
	case n != 2 && n != 3:
		return invalid("Availability Zone count must be 2 or 3.")
	case *c.InstanceCount < int64(n):
		return invalid("You must choose a minimum of %s data nodes for a %s Availability Zone deployment.", word(n), word(n))
	}
	return nil
}

// zoneCount is the number of zones that the domain is to be in.
func (d *domain) zoneCount() int {
	if !wire.Value(d.Cluster.ZoneAwarenessEnabled) {
		return 1
	}
	return int(*d.Cluster.ZoneAwarenessConfig.AvailabilityZoneCount)
}

func word(n int) string { return []string{"zero", "one", "two", "three"}[n] }

// family is the first part of an instance type: "m5" of "m5.large.search".
func family(instanceType string) string {
	name, _, _ := strings.Cut(instanceType, ".")
	return name
}

func size(instanceType string) string { return strings.Split(instanceType, ".")[1] }

func burstable(instanceType string) bool { return instanceType[0] == 't' }

// hasStore tells that instances of a type have disks of their own, so that they need no EBS volume.
func hasStore(instanceType string) bool {
	return slices.Contains([]string{"m3", "r3", "i2", "i3", "d2", "r6gd"}, family(instanceType))
}

// maxVolume is the largest EBS volume of a type in GiB, from "Amazon OpenSearch Service quotas"; 0 for a type that takes none.
func maxVolume(instanceType string) int64 {
	switch f := family(instanceType); {
	case slices.Contains([]string{"i2", "i3", "d2", "r6gd"}, f):
		return 0
	case f == "t2", instanceType == "t3.micro.search", instanceType == "t3.nano.search":
		return 35
	}
	return map[string]int64{
		"small": 100, "medium": 200, "large": 1024, "xlarge": 2048, "2xlarge": 3072, "4xlarge": 6144, "8xlarge": 12288, "9xlarge": 12288, "10xlarge": 12288,
		"12xlarge": 18432, "16xlarge": 24576, "18xlarge": 24576, "24xlarge": 36864,
	}[size(instanceType)]
}

// setVolume merges the options of the nodes' volumes.
func (d *domain) setVolume(given *api.EBSOptions) error {
	overlay(&d.Volume, given)
	v, kind := &d.Volume, *d.Cluster.InstanceType
	if !wire.Value(v.EBSEnabled) {
		if !hasStore(kind) {
			return invalid("EBS storage must be selected for %s", kind)
		}
		*v = api.EBSOptions{EBSEnabled: new(false)}
		return nil
	}
	limit := maxVolume(kind)
	if limit == 0 {
		return invalid("EBS storage is not supported with %s", kind)
	}
	if v.VolumeType == nil {
		v.VolumeType = new("gp2")
	}
	if v.VolumeSize == nil {
		return invalid("You must specify the volume size when EBS is enabled.")
	}
	if n := *v.VolumeSize; n < 10 || n > limit {
		return conflict("LimitExceededException", "Volume size must be between 10 and %d for %s volume type and %s instance type", limit, *v.VolumeType, kind)
	}
	return provision(v)
}
