package elasticsearch

import (
	"slices"

	api "storefront/lab/api/opensearch"
)

// provision sets what a volume type has of IOPS and throughput (MiB/s). A type that was changed loses what it cannot have.
func provision(v *api.EBSOptions) error {
	switch *v.VolumeType {
	case api.VolumeTypeGp3:
		if v.Iops == nil {
			v.Iops = new(int64(3000))
		}
		if v.Throughput == nil {
			v.Throughput = new(int64(125))
		}
		if *v.Iops < 3000 || *v.Iops > 80000 {
			return invalid("IOPS must be between 3000 and 80000 for the gp3 volume type.")
		}
		if *v.Throughput < 125 || *v.Throughput > 4750 {
			return invalid("Throughput must be between 125 and 4750 for the gp3 volume type.")
		}
	case api.VolumeTypeIo1:
		if v.Throughput = nil; v.Iops == nil {
			return invalid("You must specify IOPS for the io1 volume type.")
		}
	default:
		v.Iops, v.Throughput = nil, nil
	}
	return nil
}

// encrypted tells that the instance types of a family can encrypt their volumes.
func encrypted(instanceType string) bool {
	return !slices.Contains([]string{"t2", "m3", "r3"}, family(instanceType))
}
