package ec2

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// InstanceType is an instance type that the region offers.
type InstanceType struct {
	Name         string
	Architecture string // "x86_64" or "arm64"
	Manufacturer string
	Burstable    bool
	VCPUs        int64
	MemoryMiB    int64
	Price        float64 // on demand, US dollars an hour
}

func (t InstanceType) id() string { return t.Name }

// family is a row of the table of instance types: what its large size is, the others being multiples.
type family struct {
	name, manufacturer string
	memory             int64 // GiB of the large size, which has two vCPUs
	price              float64
}

// InstanceTypes returns the instance types of the region, by name: the common general, compute and memory families up to 4xlarge.
func InstanceTypes() []InstanceType {
	families := []family{
		{"t3", "Intel", 8, 0.0832}, {"t3a", "AMD", 8, 0.0752}, {"t4g", "AWS", 8, 0.0672},
		{"m5", "Intel", 8, 0.096}, {"m5a", "AMD", 8, 0.086}, {"m6i", "Intel", 8, 0.096}, {"m6a", "AMD", 8, 0.0864}, {"m6g", "AWS", 8, 0.077},
		{"m7i", "Intel", 8, 0.1008}, {"m7a", "AMD", 8, 0.11592}, {"m7g", "AWS", 8, 0.0816},
		{"c5", "Intel", 4, 0.085}, {"c5a", "AMD", 4, 0.077}, {"c6i", "Intel", 4, 0.085}, {"c6a", "AMD", 4, 0.0765}, {"c6g", "AWS", 4, 0.068},
		{"c7i", "Intel", 4, 0.08925}, {"c7a", "AMD", 4, 0.10264}, {"c7g", "AWS", 4, 0.0725},
		{"r5", "Intel", 16, 0.126}, {"r6i", "Intel", 16, 0.126}, {"r6a", "AMD", 16, 0.1134}, {"r6g", "AWS", 16, 0.1008}, {"r7g", "AWS", 16, 0.1071},
	}
	var out []InstanceType
	for _, f := range families {
		base := InstanceType{Architecture: "x86_64", Manufacturer: f.manufacturer, Burstable: f.name[0] == 't'}
		if f.manufacturer == "AWS" {
			base.Architecture = "arm64"
		}
		add := func(size string, vcpus, memory int64, price float64) {
			t := base
			t.Name, t.VCPUs, t.MemoryMiB, t.Price = f.name+"."+size, vcpus, memory, price
			out = append(out, t)
		}
		if base.Burstable {
			add("nano", 2, 512, f.price/16)
			add("micro", 2, 1024, f.price/8)
			add("small", 2, 2048, f.price/4)
			add("medium", 2, 4096, f.price/2)
		}
		for i, size := range []string{"large", "xlarge", "2xlarge", "4xlarge"} {
			if base.Burstable && size == "4xlarge" {
				break
			}
			add(size, 2<<i, f.memory<<10<<i, f.price*float64(int(1)<<i))
		}
	}
	slices.SortFunc(out, func(a, b InstanceType) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// FindInstanceType finds an instance type by its name.
func FindInstanceType(name string) (InstanceType, bool) {
	types := InstanceTypes()
	i, ok := slices.BinarySearchFunc(types, name, func(t InstanceType, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return InstanceType{}, false
	}
	return types[i], true
}

// SpotPrice is the spot price of a type in a zone, US dollars an hour: 30 to 45 per cent of the price on demand, the same in every run.
func (t InstanceType) SpotPrice(zone string) float64 {
	hash := 0
	for _, r := range t.Name + zone {
		hash = (hash*31 + int(r)) % 997
	}
	return t.Price * (0.30 + 0.15*float64(hash)/997)
}

func typeKind() kind[InstanceType] {
	return kind[InstanceType]{filters: map[string]func(InstanceType) []string{
		"instance-type":                         one(InstanceType.id),
		"burstable-performance-supported":       flag(func(t InstanceType) bool { return t.Burstable }),
		"current-generation":                    func(InstanceType) []string { return []string{"true"} },
		"bare-metal":                            func(InstanceType) []string { return []string{"false"} },
		"hypervisor":                            func(InstanceType) []string { return []string{"nitro"} },
		"instance-storage-supported":            func(InstanceType) []string { return []string{"false"} },
		"processor-info.supported-architecture": one(func(t InstanceType) string { return t.Architecture }),
		"memory-info.size-in-mib":               one(func(t InstanceType) string { return strconv.FormatInt(t.MemoryMiB, 10) }),
		"vcpu-info.default-vcpus":               one(func(t InstanceType) string { return strconv.FormatInt(t.VCPUs, 10) }),
		"supported-usage-class":                 func(InstanceType) []string { return []string{"on-demand", "spot"} },
		"supported-virtualization-type":         func(InstanceType) []string { return []string{"hvm"} },
		"supported-root-device-type":            func(InstanceType) []string { return []string{"ebs"} },
	}}
}

// DescribeInstanceTypes lists instance types.
func (s *Service) DescribeInstanceTypes(_ context.Context, in *api.DescribeInstanceTypesInput) (*api.DescribeInstanceTypesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstanceTypesOutput) error {
		match, err := typeKind().matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, name := range in.InstanceTypes {
			if _, ok := FindInstanceType(name); !ok {
				return fault("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
			}
		}
		found := slices.DeleteFunc(InstanceTypes(), func(t InstanceType) bool {
			return !match(t) || len(in.InstanceTypes) > 0 && !slices.Contains(in.InstanceTypes, t.Name)
		})
		out.InstanceTypes, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, InstanceType.id, showType)
		return err
	})
}

func showType(_ *state.Tx, t InstanceType) api.InstanceTypeInfo {
	return api.InstanceTypeInfo{
		InstanceType: &t.Name, CurrentGeneration: new(true), BareMetal: new(false), Hypervisor: new("nitro"), BurstablePerformanceSupported: &t.Burstable,
		FreeTierEligible: new(t.Name == "t3.micro"), InstanceStorageSupported: new(false), HibernationSupported: new(false), DedicatedHostsSupported: new(false),
		AutoRecoverySupported: new(true), SupportedUsageClasses: []string{"on-demand", "spot"}, SupportedRootDeviceTypes: []string{"ebs"},
		SupportedVirtualizationTypes: []string{"hvm"}, SupportedBootModes: []string{"uefi"},
		VCpuInfo:      &api.VCpuInfo{DefaultVCpus: &t.VCPUs, DefaultCores: new(max(1, t.VCPUs/2)), DefaultThreadsPerCore: new(int64(2))},
		MemoryInfo:    &api.MemoryInfo{SizeInMiB: &t.MemoryMiB},
		ProcessorInfo: &api.ProcessorInfo{SupportedArchitectures: []string{t.Architecture}, Manufacturer: &t.Manufacturer},
		EbsInfo:       &api.EbsInfo{EbsOptimizedSupport: new("default"), EncryptionSupport: new("supported"), NvmeSupport: new("required")},
		NetworkInfo: &api.NetworkInfo{
			MaximumNetworkInterfaces: new(int64(4)), Ipv4AddressesPerInterface: new(int64(1)), Ipv6Supported: new(false), EnaSupport: new("required"),
			MaximumNetworkCards: new(int64(1)), DefaultNetworkCardIndex: new(int64(0)),
		},
	}
}

// offering is one row of DescribeInstanceTypeOfferings.
type offering struct{ instanceType, location string }

func (v offering) id() string { return v.instanceType + "/" + v.location }

// DescribeInstanceTypeOfferings lists where types are offered: everywhere.
func (s *Service) DescribeInstanceTypeOfferings(_ context.Context, in *api.DescribeInstanceTypeOfferingsInput) (*api.DescribeInstanceTypeOfferingsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstanceTypeOfferingsOutput) error {
		var locations []string
		kindOf := wire.Or(in.LocationType, api.LocationTypeRegion)
		for _, z := range s.zones {
			switch kindOf {
			case api.LocationTypeRegion:
				locations = []string{s.Region.Name}
			case api.LocationTypeAvailabilityZone:
				locations = append(locations, z.Name)
			case api.LocationTypeAvailabilityZoneId:
				locations = append(locations, z.ID)
			default:
				return invalid("locationType", kindOf)
			}
		}
		match, err := kind[offering]{filters: map[string]func(offering) []string{
			"instance-type": one(func(v offering) string { return v.instanceType }),
			"location":      one(func(v offering) string { return v.location }),
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		var found []offering
		for _, t := range InstanceTypes() {
			for _, l := range locations {
				if o := (offering{t.Name, l}); match(o) {
					found = append(found, o)
				}
			}
		}
		out.InstanceTypeOfferings, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, offering.id,
			func(_ *state.Tx, v offering) api.InstanceTypeOffering {
				return api.InstanceTypeOffering{InstanceType: &v.instanceType, Location: &v.location, LocationType: &kindOf}
			})
		return err
	})
}

// spotPrice is one row of DescribeSpotPriceHistory.
type spotPrice struct {
	instance InstanceType
	zone     region.Zone
}

func (v spotPrice) id() string { return v.instance.Name + "/" + v.zone.Name }

// DescribeSpotPriceHistory answers the present spot prices: they do not move.
func (s *Service) DescribeSpotPriceHistory(_ context.Context, in *api.DescribeSpotPriceHistoryInput) (*api.DescribeSpotPriceHistoryOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeSpotPriceHistoryOutput) error {
		const product = "Linux/UNIX"
		match, err := kind[spotPrice]{filters: map[string]func(spotPrice) []string{
			"instance-type":       one(func(v spotPrice) string { return v.instance.Name }),
			"availability-zone":   one(func(v spotPrice) string { return v.zone.Name }),
			"product-description": func(spotPrice) []string { return []string{product} },
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		var found []spotPrice
		for _, t := range InstanceTypes() {
			for _, z := range s.zones {
				wanted := (len(in.InstanceTypes) == 0 || slices.Contains(in.InstanceTypes, t.Name)) && wire.Or(in.AvailabilityZone, z.Name) == z.Name &&
					(len(in.ProductDescriptions) == 0 || slices.ContainsFunc(in.ProductDescriptions, func(p string) bool { return strings.HasPrefix(p, product) }))
				if v := (spotPrice{t, z}); wanted && match(v) {
					found = append(found, v)
				}
			}
		}
		at := s.Now().UTC()
		out.SpotPriceHistory, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, spotPrice.id,
			func(_ *state.Tx, v spotPrice) api.SpotPrice {
				return api.SpotPrice{
					InstanceType: &v.instance.Name, AvailabilityZone: &v.zone.Name, ProductDescription: new(product), Timestamp: &at,
					SpotPrice: new(fmt.Sprintf("%.6f", v.instance.SpotPrice(v.zone.Name))),
				}
			})
		return err
	})
}
