package ec2

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// volume is an EBS volume of an instance.
type volume struct {
	ID         string
	Zone       region.Zone
	GiB        int64
	Type       string
	IOPS       int64
	Throughput int64 // MiB/s, gp3 only
	Snapshot   string
	Encrypted  bool
	Key        string // ARN of the KMS key
	Instance   string // "" when detached
	Device     string
	Delete     bool // on termination
	Created    time.Time
}

func (v volume) id() string { return v.ID }

func (v volume) state() string {
	if v.Instance == "" {
		return api.VolumeStateAvailable
	}
	return api.VolumeStateInUse
}

var volumes = kind[volume]{
	table: state.NewTable[volume]("ec2.volume"), prefix: "vol", tagType: "volume", absent: "InvalidVolume.NotFound", noun: "volume",
	filters: map[string]func(volume) []string{
		"volume-id":                        one(volume.id),
		"availability-zone":                one(func(v volume) string { return v.Zone.Name }),
		"volume-type":                      one(func(v volume) string { return v.Type }),
		"size":                             one(func(v volume) string { return fmt.Sprint(v.GiB) }),
		"status":                           one(volume.state),
		"snapshot-id":                      one(func(v volume) string { return v.Snapshot }),
		"encrypted":                        flag(func(v volume) bool { return v.Encrypted }),
		"attachment.instance-id":           one(func(v volume) string { return v.Instance }),
		"attachment.device":                one(func(v volume) string { return v.Device }),
		"attachment.delete-on-termination": flag(func(v volume) bool { return v.Delete }),
	},
}

// createVolumes creates the volumes of a new instance: those of its image, changed by the request, and the request's own.
func (s *Service) createVolumes(tx *state.Tx, in *api.RunInstancesInput, v *Instance) error {
	image, err := findImage(v.Image)
	if err != nil {
		return err
	}
	mappings := slices.Clone(in.BlockDeviceMappings)
	if !slices.ContainsFunc(mappings, func(m api.BlockDeviceMapping) bool { return wire.Value(m.DeviceName) == image.RootDevice }) {
		mappings = slices.Insert(mappings, 0, api.BlockDeviceMapping{DeviceName: &image.RootDevice, Ebs: &api.EbsBlockDevice{}})
	}
	for _, m := range mappings {
		if m.NoDevice != nil {
			continue
		}
		if m.Ebs == nil {
			return unsupported("An instance store volume")
		}
		vol := volume{Zone: v.Zone, Instance: v.ID, Device: wire.Value(m.DeviceName), Created: v.Launched, Type: "gp3", Delete: wire.Or(m.Ebs.DeleteOnTermination, true)}
		if vol.Device == image.RootDevice {
			vol.GiB, vol.Snapshot = image.RootGiB, image.Snapshot
		}
		if err := s.shapeVolume(tx, &vol, m.Ebs); err != nil {
			return err
		}
		if vol.ID, err = volumes.newID(tx); err != nil {
			return err
		}
		if err := volumes.put(tx, vol); err != nil {
			return err
		}
		v.Volumes = append(v.Volumes, vol.ID)
	}
	return nil
}

// shapeVolume applies size, type, speed and encryption of a request.
func (s *Service) shapeVolume(tx *state.Tx, v *volume, e *api.EbsBlockDevice) error {
	least := v.GiB
	v.Type = wire.Or(e.VolumeType, v.Type)
	if !slices.Contains([]string{"gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"}, v.Type) {
		return fault("InvalidParameterValue", "Value (%s) for parameter volumeType is invalid.", v.Type)
	}
	v.GiB = wire.Or(e.VolumeSize, v.GiB)
	switch {
	case v.GiB == 0:
		return missing("size/snapshot")
	case v.GiB < least:
		return fault("InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB", v.GiB, v.Snapshot, least)
	case v.GiB > 16384:
		return fault("InvalidParameterValue", "Volume of %dGiB is too large for volume type %s; maximum is 16384GiB", v.GiB, v.Type)
	}
	switch v.Type {
	case "gp3":
		v.IOPS, v.Throughput = wire.Or(e.Iops, 3000), wire.Or(e.Throughput, 125)
		if v.IOPS < 3000 || v.IOPS > 16000 || v.Throughput < 125 || v.Throughput > 1000 {
			return fault("InvalidParameterValue", "Volume iops of %d or throughput of %d is out of range for gp3", v.IOPS, v.Throughput)
		}
	case "gp2":
		v.IOPS = min(max(100, 3*v.GiB), 16000)
	default:
		v.IOPS = wire.Value(e.Iops)
	}
	defaults, err := s.ebsDefaults(tx)
	if err != nil {
		return err
	}
	v.Encrypted = wire.Or(e.Encrypted, false) || defaults.Encrypt
	if e.KmsKeyId != nil && !v.Encrypted {
		return fault("InvalidParameterCombination", "The parameter KmsKeyId requires the parameter Encrypted to be set to 'true'.")
	}
	if v.Encrypted {
		v.Key = s.keyARN(wire.Or(e.KmsKeyId, defaults.Key))
	}
	return nil
}

// showMapping is the volume as a block device of its instance.
func (v volume) showMapping() api.InstanceBlockDeviceMapping {
	return api.InstanceBlockDeviceMapping{DeviceName: &v.Device, Ebs: &api.EbsInstanceBlockDevice{
		VolumeId: &v.ID, AttachTime: &v.Created, DeleteOnTermination: &v.Delete, Status: new("attached"),
	}}
}

// DescribeVolumes lists volumes.
func (s *Service) DescribeVolumes(_ context.Context, in *api.DescribeVolumesInput) (*api.DescribeVolumesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeVolumesOutput) (err error) {
		out.Volumes, out.NextToken, err = describe(tx, volumes, query{in.VolumeIds, in.Filters, in.MaxResults, in.NextToken}, func(tx *state.Tx, v volume) api.Volume {
			shown := api.Volume{
				VolumeId: &v.ID, AvailabilityZone: &v.Zone.Name, Size: &v.GiB, VolumeType: &v.Type, State: new(v.state()), CreateTime: &v.Created, Encrypted: &v.Encrypted,
				KmsKeyId: wire.Optional(v.Key), SnapshotId: new(v.Snapshot), MultiAttachEnabled: new(false), Tags: showTags(tx, v.ID),
			}
			if v.IOPS > 0 {
				shown.Iops = &v.IOPS
			}
			if v.Throughput > 0 {
				shown.Throughput = &v.Throughput
			}
			if v.Instance != "" {
				shown.Attachments = []api.VolumeAttachment{{
					VolumeId: &v.ID, InstanceId: &v.Instance, Device: &v.Device, AttachTime: &v.Created, DeleteOnTermination: &v.Delete, State: new("attached"),
				}}
			}
			return shown
		})
		return err
	})
}
