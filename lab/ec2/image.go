package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
)

// image is a machine image. The lab has one, which stands for Amazon Linux 2023.
type image struct {
	ID, Name, Description, Architecture string
	RootDevice, Snapshot                string
	RootGiB                             int64
}

func (v image) id() string { return v.ID }

// amazonOwner is Amazon's account in image records.
const amazonOwner = "137112412989"

func images() []image {
	return []image{{
		ID: region.AmazonLinux2023, Name: "al2023-ami-2023.6.20241212.0-kernel-6.1-x86_64", Description: "Amazon Linux 2023 AMI 2023.6.20241212.0 x86_64 HVM kernel-6.1",
		Architecture: "x86_64", RootDevice: "/dev/xvda", Snapshot: "snap-00000000000002023", RootGiB: 8,
	}}
}

func findImage(id string) (image, error) {
	i := slices.IndexFunc(images(), func(v image) bool { return v.ID == id })
	if i < 0 {
		return image{}, fault("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	return images()[i], nil
}

// DescribeImages lists machine images.
func (s *Service) DescribeImages(_ context.Context, in *api.DescribeImagesInput) (*api.DescribeImagesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeImagesOutput) error {
		constant := func(value string) func(image) []string { return func(image) []string { return []string{value} } }
		match, err := kind[image]{tagType: "image", filters: map[string]func(image) []string{
			"image-id":                         one(image.id),
			"name":                             one(func(v image) string { return v.Name }),
			"description":                      one(func(v image) string { return v.Description }),
			"architecture":                     one(func(v image) string { return v.Architecture }),
			"root-device-name":                 one(func(v image) string { return v.RootDevice }),
			"owner-alias":                      constant("amazon"),
			"owner-id":                         constant(amazonOwner),
			"state":                            constant("available"),
			"is-public":                        constant("true"),
			"image-type":                       constant("machine"),
			"root-device-type":                 constant("ebs"),
			"virtualization-type":              constant("hvm"),
			"hypervisor":                       constant("xen"),
			"ena-support":                      constant("true"),
			"platform-details":                 constant("Linux/UNIX"),
			"block-device-mapping.volume-type": constant("gp3"),
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, id := range in.ImageIds {
			if _, err := findImage(id); err != nil {
				return err
			}
		}
		ours := len(in.Owners) == 0 || slices.Contains(in.Owners, "amazon") || slices.Contains(in.Owners, amazonOwner)
		found := slices.DeleteFunc(images(), func(v image) bool {
			return !ours || !match(v) || len(in.ImageIds) > 0 && !slices.Contains(in.ImageIds, v.ID)
		})
		out.Images, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, image.id, showImage)
		return err
	})
}

func showImage(tx *state.Tx, v image) api.Image {
	return api.Image{
		ImageId: &v.ID, Name: &v.Name, Description: &v.Description, Architecture: &v.Architecture, OwnerId: new(amazonOwner), ImageOwnerAlias: new("amazon"),
		ImageLocation: new("amazon/" + v.Name), ImageType: new("machine"), Public: new(true), State: new("available"), RootDeviceName: &v.RootDevice,
		RootDeviceType: new("ebs"), VirtualizationType: new("hvm"), Hypervisor: new("xen"), EnaSupport: new(true), SriovNetSupport: new("simple"),
		BootMode: new("uefi-preferred"), ImdsSupport: new("v2.0"), PlatformDetails: new("Linux/UNIX"), UsageOperation: new("RunInstances"),
		CreationDate: new("2024-12-13T00:00:00.000Z"), DeprecationTime: new("2034-12-13T00:00:00.000Z"), Tags: showTags(tx, v.ID),
		BlockDeviceMappings: []api.BlockDeviceMapping{{DeviceName: &v.RootDevice, Ebs: &api.EbsBlockDevice{
			DeleteOnTermination: new(true), Encrypted: new(false), SnapshotId: &v.Snapshot, VolumeSize: &v.RootGiB, VolumeType: new("gp3"),
			Iops: new(int64(3000)), Throughput: new(int64(125)),
		}}},
	}
}
