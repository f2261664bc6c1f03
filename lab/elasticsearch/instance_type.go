package elasticsearch

import (
	"context"
	"slices"
	"strconv"

	api "storefront/lab/api/opensearch"
	"storefront/lab/wire"
)

// instanceTypes lists the types that domains can have.
func (s *Service) instanceTypes() []string {
	all := api.New(s).Enums["OpenSearchPartitionInstanceType"]
	return slices.DeleteFunc(slices.Clone(all), func(t string) bool { return family(t) == "ultrawarm1" || family(t) == "or1" })
}

// ListInstanceTypeDetails lists the types that domains of a version can have.
func (s *Service) ListInstanceTypeDetails(_ context.Context, in *api.ListInstanceTypeDetailsInput) (*api.ListInstanceTypeDetailsOutput, error) {
	if _, err := checkVersion(*in.EngineVersion); err != nil {
		return nil, err
	}
	out := &api.ListInstanceTypeDetailsOutput{InstanceTypeDetails: []api.InstanceTypeDetails{}}
	for _, t := range s.instanceTypes() {
		if wire.Or(in.InstanceType, t) != t {
			continue
		}
		out.InstanceTypeDetails = append(out.InstanceTypeDetails, api.InstanceTypeDetails{
			InstanceType: &t, EncryptionEnabled: new(encrypted(t)), AdvancedSecurityEnabled: new(encrypted(t)), AppLogsEnabled: new(true), CognitoEnabled: new(false),
			WarmEnabled: new(false), InstanceRole: []string{"Data", "Master"},
		})
	}
	return out, nil
}

// DescribeInstanceTypeLimits shows how many nodes of a type a domain can have, and how large their volumes can be.
func (s *Service) DescribeInstanceTypeLimits(_ context.Context, in *api.DescribeInstanceTypeLimitsInput) (*api.DescribeInstanceTypeLimitsOutput, error) {
	if _, err := checkVersion(*in.EngineVersion); err != nil {
		return nil, err
	}
	t := *in.InstanceType
	if !slices.Contains(s.instanceTypes(), t) {
		return nil, invalid("Invalid instance type: %s", t)
	}
	limits := func(most int64) *api.InstanceLimits {
		return &api.InstanceLimits{InstanceCountLimits: &api.InstanceCountLimits{MinimumInstanceCount: new(int64(1)), MaximumInstanceCount: &most}}
	}
	data := api.Limits{InstanceLimits: limits(maxNodes), StorageTypes: []api.StorageType{}}
	if most := maxVolume(t); most > 0 {
		for _, kind := range []string{api.VolumeTypeGp2, api.VolumeTypeGp3} {
			data.StorageTypes = append(data.StorageTypes, api.StorageType{StorageTypeName: new("ebs"), StorageSubTypeName: &kind, StorageTypeLimits: []api.StorageTypeLimit{
				{LimitName: new("MinimumVolumeSize"), LimitValues: []string{"10"}}, {LimitName: new("MaximumVolumeSize"), LimitValues: []string{strconv.FormatInt(most, 10)}}}})
		}
	}
	if hasStore(t) {
		data.StorageTypes = append(data.StorageTypes, api.StorageType{StorageTypeName: new("instance")})
	}
	return &api.DescribeInstanceTypeLimitsOutput{LimitsByRole: map[string]api.Limits{"data": data, "master": {InstanceLimits: limits(5)}}}, nil
}
