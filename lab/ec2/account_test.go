package ec2_test

import (
	"net/netip"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"storefront/lab/region"
)

func TestRegionIsDescribed(t *testing.T) {
	f, ctx := start(t), t.Context()
	zones := must[*sdk.DescribeAvailabilityZonesOutput](t)(f.DescribeAvailabilityZones(ctx, &sdk.DescribeAvailabilityZonesInput{Filters: filter("state", "available")})).AvailabilityZones
	if len(zones) != 3 || *zones[2].ZoneId != "use1-az3" {
		t.Errorf("got zones %+v", zones)
	}
	refused[*sdk.DescribeAvailabilityZonesOutput](t, "InvalidParameterValue")(f.DescribeAvailabilityZones(ctx, &sdk.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1z"}}))
	images := must[*sdk.DescribeImagesOutput](t)(f.DescribeImages(ctx, &sdk.DescribeImagesInput{Owners: []string{"amazon"}, Filters: append(filter("name", "al2023-ami-2023.*-x86_64"), filter("architecture", "x86_64")...)})).Images
	if len(images) != 1 || *images[0].ImageId != region.AmazonLinux2023 || *images[0].RootDeviceName != "/dev/xvda" {
		t.Errorf("got images %+v", images)
	}
	refused[*sdk.DescribeImagesOutput](t, "InvalidAMIID.NotFound")(f.DescribeImages(ctx, &sdk.DescribeImagesInput{ImageIds: []string{"ami-1"}}))
	kinds := must[*sdk.DescribeInstanceTypesOutput](t)(f.DescribeInstanceTypes(ctx, &sdk.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceTypeM6iXlarge}})).InstanceTypes
	if len(kinds) != 1 || *kinds[0].VCpuInfo.DefaultVCpus != 4 || *kinds[0].MemoryInfo.SizeInMiB != 16<<10 {
		t.Errorf("got %+v", kinds)
	}
	refused[*sdk.DescribeInstanceTypesOutput](t, "InvalidInstanceType")(f.DescribeInstanceTypes(ctx, &sdk.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"x.y"}}))
	offers := must[*sdk.DescribeInstanceTypeOfferingsOutput](t)(f.DescribeInstanceTypeOfferings(ctx, &sdk.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZone, Filters: filter("instance-type", "t3.micro"),
	})).InstanceTypeOfferings
	if len(offers) != 3 {
		t.Errorf("got offerings %+v", offers)
	}
	prices := must[*sdk.DescribeSpotPriceHistoryOutput](t)(f.DescribeSpotPriceHistory(ctx, &sdk.DescribeSpotPriceHistoryInput{InstanceTypes: []types.InstanceType{types.InstanceTypeT3Micro}})).SpotPriceHistory
	if len(prices) != 3 || *prices[0].SpotPrice >= "0.0104" {
		t.Errorf("got prices %+v", prices)
	}
}

func TestEBSEncryptionByDefault(t *testing.T) {
	f, ctx := start(t), t.Context()
	_, subnet := f.place()
	must[*sdk.EnableEbsEncryptionByDefaultOutput](t)(f.EnableEbsEncryptionByDefault(ctx, &sdk.EnableEbsEncryptionByDefaultInput{}))
	must[*sdk.ModifyEbsDefaultKmsKeyIdOutput](t)(f.ModifyEbsDefaultKmsKeyId(ctx, &sdk.ModifyEbsDefaultKmsKeyIdInput{KmsKeyId: new("alias/disks")}))
	f.run(&sdk.RunInstancesInput{SubnetId: &subnet})
	got := must[*sdk.DescribeVolumesOutput](t)(f.DescribeVolumes(ctx, &sdk.DescribeVolumesInput{})).Volumes
	if len(got) != 1 || !*got[0].Encrypted || *got[0].KmsKeyId != "arn:aws:kms:us-east-1:000000000000:alias/disks" {
		t.Errorf("got %+v", got)
	}
	must[*sdk.DisableEbsEncryptionByDefaultOutput](t)(f.DisableEbsEncryptionByDefault(ctx, &sdk.DisableEbsEncryptionByDefaultInput{}))
	if *must[*sdk.GetEbsEncryptionByDefaultOutput](t)(f.GetEbsEncryptionByDefault(ctx, &sdk.GetEbsEncryptionByDefaultInput{})).EbsEncryptionByDefault {
		t.Error("encryption by default is still on")
	}
}

func TestKeyPairs(t *testing.T) {
	f, ctx := start(t), t.Context()
	made := must[*sdk.CreateKeyPairOutput](t)(f.CreateKeyPair(ctx, &sdk.CreateKeyPairInput{KeyName: new("ops"), KeyType: types.KeyTypeEd25519}))
	signer, err := ssh.ParsePrivateKey([]byte(*made.KeyMaterial))
	if err != nil {
		t.Fatal(err)
	}
	refused[*sdk.CreateKeyPairOutput](t, "InvalidKeyPair.Duplicate")(f.CreateKeyPair(ctx, &sdk.CreateKeyPairInput{KeyName: new("ops"), KeyType: types.KeyTypeEd25519}))
	public := ssh.MarshalAuthorizedKey(signer.PublicKey())
	imported := must[*sdk.ImportKeyPairOutput](t)(f.ImportKeyPair(ctx, &sdk.ImportKeyPairInput{KeyName: new("copy"), PublicKeyMaterial: public}))
	if *imported.KeyFingerprint != *made.KeyFingerprint {
		t.Errorf("the same key has fingerprints %s and %s", *made.KeyFingerprint, *imported.KeyFingerprint)
	}
	refused[*sdk.ImportKeyPairOutput](t, "InvalidKey.Format")(f.ImportKeyPair(ctx, &sdk.ImportKeyPairInput{KeyName: new("bad"), PublicKeyMaterial: []byte("ssh-none")}))
	got := must[*sdk.DescribeKeyPairsOutput](t)(f.DescribeKeyPairs(ctx, &sdk.DescribeKeyPairsInput{KeyNames: []string{"copy"}, IncludePublicKey: new(true)})).KeyPairs
	if len(got) != 1 || strings.TrimSpace(*got[0].PublicKey) != strings.TrimSpace(string(public)) {
		t.Errorf("got %+v", got)
	}
	must[*sdk.DeleteKeyPairOutput](t)(f.DeleteKeyPair(ctx, &sdk.DeleteKeyPairInput{KeyName: new("copy")}))
	refused[*sdk.DescribeKeyPairsOutput](t, "InvalidKeyPair.NotFound")(f.DescribeKeyPairs(ctx, &sdk.DescribeKeyPairsInput{KeyNames: []string{"copy"}}))
}

func TestElasticAddresses(t *testing.T) {
	f, ctx := start(t), t.Context()
	_, subnet := f.place()
	allocate := func() *sdk.AllocateAddressOutput {
		return must[*sdk.AllocateAddressOutput](t)(f.AllocateAddress(ctx, &sdk.AllocateAddressInput{}))
	}
	a, b := allocate(), allocate()
	pool := netip.MustParsePrefix("198.18.0.0/15")
	if got := netip.MustParseAddr(*a.PublicIp); !pool.Contains(got) || *a.PublicIp == *b.PublicIp {
		t.Errorf("got %s and %s", *a.PublicIp, *b.PublicIp)
	}
	i := f.run(&sdk.RunInstancesInput{SubnetId: &subnet})
	bound := must[*sdk.AssociateAddressOutput](t)(f.AssociateAddress(ctx, &sdk.AssociateAddressInput{AllocationId: a.AllocationId, InstanceId: i.InstanceId}))
	if got := f.describe(*i.InstanceId); *got.PublicIpAddress != *a.PublicIp {
		t.Errorf("the instance has %s, want %s", *got.PublicIpAddress, *a.PublicIp)
	}
	j := f.run(&sdk.RunInstancesInput{SubnetId: &subnet})
	refused[*sdk.AssociateAddressOutput](t, "Resource.AlreadyAssociated")(f.AssociateAddress(ctx, &sdk.AssociateAddressInput{AllocationId: a.AllocationId, InstanceId: j.InstanceId, AllowReassociation: new(false)}))
	got := must[*sdk.DescribeAddressesOutput](t)(f.DescribeAddresses(ctx, &sdk.DescribeAddressesInput{Filters: filter("instance-id", *i.InstanceId)})).Addresses
	if len(got) != 1 || *got[0].AssociationId != *bound.AssociationId {
		t.Errorf("got %+v", got)
	}
	must[*sdk.DisassociateAddressOutput](t)(f.DisassociateAddress(ctx, &sdk.DisassociateAddressInput{AssociationId: bound.AssociationId}))
	must[*sdk.ReleaseAddressOutput](t)(f.ReleaseAddress(ctx, &sdk.ReleaseAddressInput{AllocationId: a.AllocationId}))
	refused[*sdk.ReleaseAddressOutput](t, "InvalidAllocationID.NotFound")(f.ReleaseAddress(ctx, &sdk.ReleaseAddressInput{AllocationId: a.AllocationId}))
}
