package ec2

import (
	"context"
	"errors"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// RunInstances launches instances, from a launch template or without. They are pending until the data plane has booted them.
func (s *Service) RunInstances(ctx context.Context, in *api.RunInstancesInput) (*api.RunInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.RunInstancesOutput) error {
		if n := wire.Value(in.MinCount); n < 1 || n > wire.Value(in.MaxCount) {
			return fault("InvalidParameterValue", "Value (%d) for parameter minCount is invalid. It must be between 1 and maxCount.", n)
		}
		reservation, err := s.once(tx, "RunInstances", in.ClientToken, in, func() (string, error) { return s.launch(ctx, tx, in) })
		if err != nil {
			return err
		}
		out.ReservationId, out.OwnerId = &reservation, &s.Region.Account
		for _, v := range instances.where(tx, func(v Instance) bool { return v.Reservation == reservation }) {
			out.Instances = append(out.Instances, s.showInstance(tx, v))
		}
		return nil
	})
}

// launch creates the instances of one request and returns their reservation.
func (s *Service) launch(ctx context.Context, tx *state.Tx, in *api.RunInstancesInput) (string, error) {
	if err := s.forgetInstances(tx); err != nil {
		return "", err
	}
	l, err := s.prepare(ctx, tx, in)
	if err != nil {
		return "", err
	}
	if l.instance.Reservation, err = region.NewID(tx, "r"); err != nil {
		return "", err
	}
	for n := int64(0); n < wire.Value(in.MaxCount); n++ {
		l.instance.Index = n
		err := s.start(ctx, tx, l)
		if errors.Is(err, &wire.Error{Code: "InsufficientFreeAddressesInSubnet"}) && n >= wire.Value(in.MinCount) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return l.instance.Reservation, nil
}

// launchPlan is a checked launch: what every instance of it is like.
type launchPlan struct {
	in         *api.RunInstancesInput
	instance   Instance
	subnet     Subnet
	groups     []string
	interfaces []api.InstanceNetworkInterfaceSpecification // of the request
	template   *templateVersion
}

// prepare merges request and launch template and checks everything that is the same for all instances.
func (s *Service) prepare(ctx context.Context, tx *state.Tx, in *api.RunInstancesInput) (*launchPlan, error) {
	in, version, err := withTemplate(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	if err := checkLaunch(in); err != nil {
		return nil, err
	}
	l := &launchPlan{in: in, template: version, groups: in.SecurityGroupIds, interfaces: in.NetworkInterfaces}
	if l.subnet, err = s.launchSubnet(ctx, tx, in); err != nil {
		return nil, err
	}
	if len(in.NetworkInterfaces) > 0 && len(in.SecurityGroupIds) > 0 && len(in.NetworkInterfaces[0].Groups) > 0 {
		return nil, fault("InvalidParameterCombination", "Network interfaces and an instance-level security groups may not be specified on the same request")
	}
	l.instance, err = s.newInstance(tx, in, l.subnet)
	return l, err
}

// withTemplate puts the request over the launch template it names.
func withTemplate(ctx context.Context, tx *state.Tx, in *api.RunInstancesInput) (*api.RunInstancesInput, *templateVersion, error) {
	if in.LaunchTemplate == nil {
		return in, nil, nil
	}
	t, err := findTemplate(tx, in.LaunchTemplate.LaunchTemplateId, in.LaunchTemplate.LaunchTemplateName)
	if err != nil {
		return nil, nil, err
	}
	version, err := t.version(tx, wire.Value(in.LaunchTemplate.Version))
	if err != nil {
		return nil, nil, err
	}
	merged := new(api.RunInstancesInput)
	if err := overlay(merged, version.Data, in); err != nil {
		return nil, nil, err
	}
	merged.TagSpecifications = nil
	for _, spec := range version.Data.TagSpecifications {
		merged.TagSpecifications = append(merged.TagSpecifications, api.TagSpecification(spec))
	}
	merged.TagSpecifications = append(merged.TagSpecifications, in.TagSpecifications...)
	return merged, &version, nil
}

// checkLaunch refuses what the lab cannot launch and what no instance can be.
func checkLaunch(in *api.RunInstancesInput) error {
	switch {
	case len(in.Ipv6Addresses) > 0 || wire.Value(in.Ipv6AddressCount) > 0:
		return unsupported("IPv6")
	case in.HibernationOptions != nil && wire.Value(in.HibernationOptions.Configured):
		return unsupported("Hibernation")
	case in.EnclaveOptions != nil && wire.Value(in.EnclaveOptions.Enabled):
		return unsupported("Nitro Enclaves")
	case len(in.ElasticGpuSpecification) > 0 || len(in.ElasticInferenceAccelerators) > 0 || len(in.LicenseSpecifications) > 0:
		return unsupported("An accelerator or license of an instance")
	case in.ImageId == nil:
		return missing("ImageId")
	}
	image, err := findImage(*in.ImageId)
	if err != nil {
		return err
	}
	name := wire.Or(in.InstanceType, "m1.small")
	t, ok := FindInstanceType(name)
	if !ok {
		return fault("InvalidParameterValue", "Invalid value '%s' for InstanceType.", name)
	}
	if t.Architecture != image.Architecture {
		return fault("InvalidParameterValue", "The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.", t.Architecture, image.Architecture)
	}
	if tenancy := wire.Value(wire.Or(in.Placement, api.Placement{}).Tenancy); tenancy != "" && tenancy != "default" {
		return unsupported("Tenancy " + tenancy)
	}
	if err := checkUserData(in.UserData); err != nil {
		return err
	}
	return checkSpecifications(in.TagSpecifications, "instance", "volume", "network-interface", "spot-instances-request")
}

// launchSubnet is the subnet of the primary interface.
func (s *Service) launchSubnet(ctx context.Context, tx *state.Tx, in *api.RunInstancesInput) (Subnet, error) {
	id := in.SubnetId
	if len(in.NetworkInterfaces) > 0 {
		first := in.NetworkInterfaces[0]
		// Auto Scaling places the interfaces of its template into the group's subnets; nobody else may name a subnet twice.
		if id != nil && !isService(ctx) {
			return Subnet{}, fault("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request")
		}
		if first.NetworkInterfaceId != nil {
			i, err := interfaces.get(tx, *first.NetworkInterfaceId)
			if err != nil {
				return Subnet{}, err
			}
			id = &i.Subnet
		} else if id == nil {
			id = first.SubnetId
		}
	}
	if id == nil {
		return Subnet{}, fault("VPCIdNotSpecified", "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC")
	}
	v, err := subnets.get(tx, *id)
	if err != nil {
		return v, err
	}
	if zone := wire.Value(wire.Or(in.Placement, api.Placement{}).AvailabilityZone); zone != "" && zone != v.Zone.Name {
		return v, fault("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. Subnet '%s' is in the availability zone %s", zone, v.ID, v.Zone.Name)
	}
	return v, nil
}

// newInstance makes the record of an instance, without ID, interfaces and volumes.
func (s *Service) newInstance(tx *state.Tx, in *api.RunInstancesInput, subnet Subnet) (Instance, error) {
	v := Instance{
		ClientToken: wire.Value(in.ClientToken), Image: *in.ImageId, Type: *in.InstanceType, KeyName: wire.Value(in.KeyName), VPC: subnet.VPC, Subnet: subnet.ID, Zone: subnet.Zone,
		UserData: wire.Value(in.UserData), EBSOptimized: wire.Value(in.EbsOptimized), NoTermination: wire.Value(in.DisableApiTermination), NoStop: wire.Value(in.DisableApiStop),
		ShutdownBehavior: wire.Or(in.InstanceInitiatedShutdownBehavior, "stop"), State: Pending, Launched: s.Now().UTC(),
		Metadata: MetadataOptions{Endpoint: "enabled", Tokens: "required", HopLimit: 2, Tags: "disabled"},
	}
	if in.Monitoring != nil {
		v.Monitoring = wire.Value(in.Monitoring.Enabled)
	}
	if b := v.ShutdownBehavior; b != "stop" && b != "terminate" {
		return v, invalid("instanceInitiatedShutdownBehavior", b)
	}
	if v.KeyName != "" && !keyPairs.any(tx, func(k keyPair) bool { return k.Name == v.KeyName }) {
		return v, fault("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", v.KeyName)
	}
	if m := in.MetadataOptions; m != nil {
		if err := v.Metadata.set(m.HttpEndpoint, m.HttpTokens, m.InstanceMetadataTags, m.HttpPutResponseHopLimit); err != nil {
			return v, err
		}
	}
	if err := v.setCredits(in.CreditSpecification); err != nil {
		return v, err
	}
	if p := in.IamInstanceProfile; p != nil {
		profile, err := s.profile(tx, p)
		if err != nil {
			return v, err
		}
		v.Profile = &profile
	}
	return v, nil
}

// profile finds the instance profile of a request.
func (s *Service) profile(tx *state.Tx, p *api.IamInstanceProfileSpecification) (Profile, error) {
	if p.Arn != nil && p.Name != nil {
		return Profile{}, fault("InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	}
	member, value := "name", wire.Value(p.Name)
	if p.Arn != nil {
		member, value = "arn", *p.Arn
	}
	profile, ok := s.Profile(tx, value)
	if !ok {
		return profile, fault("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.%s is invalid. Invalid IAM Instance Profile %s", value, member, member)
	}
	return profile, nil
}

// setCredits gives burstable instances their credit option.
func (v *Instance) setCredits(c *api.CreditSpecificationRequest) error {
	t, _ := FindInstanceType(v.Type)
	if !t.Burstable {
		if c != nil && c.CpuCredits != nil {
			return fault("InvalidParameterCombination", "CreditSpecification is not supported by the instance type '%s'", v.Type)
		}
		return nil
	}
	v.Credits = "unlimited"
	if c != nil {
		v.Credits = wire.Or(c.CpuCredits, v.Credits)
	}
	if v.Credits != "standard" && v.Credits != "unlimited" {
		return fault("InvalidParameterValue", "Invalid value '%s' for CpuCredits", v.Credits)
	}
	return nil
}

// start creates one instance of a launch with its interfaces and volumes.
func (s *Service) start(ctx context.Context, tx *state.Tx, l *launchPlan) error {
	v := l.instance
	var err error
	if v.ID, err = instances.newID(tx); err != nil {
		return err
	}
	if err := v.setMarket(tx, l.in.InstanceMarketOptions); err != nil {
		return err
	}
	if v.Profile != nil {
		if v.ProfileBinding, err = region.NewID(tx, "iip-assoc"); err != nil {
			return err
		}
	}
	if err := s.plug(tx, l, &v); err != nil {
		return err
	}
	if err := s.createVolumes(tx, l.in, &v); err != nil {
		return err
	}
	if err := s.openVolumes(ctx, tx, &v, ShuttingDown); err != nil {
		return err
	}
	if err := instances.put(tx, v); err != nil {
		return err
	}
	for kind, ids := range map[string][]string{"instance": {v.ID}, "volume": v.Volumes, "network-interface": v.Interfaces} {
		for _, id := range ids {
			if err := tagNew(ctx, tx, id, l.in.TagSpecifications, kind); err != nil {
				return err
			}
		}
	}
	if l.template != nil {
		return tag(systemContext(ctx), tx, v.ID, []api.Tag{
			{Key: new("aws:ec2launchtemplate:id"), Value: &l.template.Template}, {Key: new("aws:ec2launchtemplate:version"), Value: new(formatInt(l.template.Number))},
		})
	}
	return nil
}

// setMarket makes a spot instance of it when the request says so.
func (v *Instance) setMarket(tx *state.Tx, o *api.InstanceMarketOptionsRequest) (err error) {
	if o == nil || o.MarketType == nil {
		return nil
	}
	if *o.MarketType != "spot" {
		return unsupported("Market type " + *o.MarketType)
	}
	spot := wire.Or(o.SpotOptions, api.SpotMarketOptions{})
	if t := wire.Or(spot.SpotInstanceType, "one-time"); t != "one-time" {
		return unsupported("A persistent Spot request")
	}
	v.SpotBehavior = wire.Or(spot.InstanceInterruptionBehavior, "terminate")
	if v.SpotBehavior != "terminate" {
		return fault("InvalidParameterCombination", "The interruption behavior '%s' needs a persistent Spot request", v.SpotBehavior)
	}
	v.SpotRequest, err = region.NewID(tx, "sir")
	return err
}

// plug creates or attaches the interfaces of an instance.
func (s *Service) plug(tx *state.Tx, l *launchPlan, v *Instance) error {
	specs := slices.Clone(l.interfaces)
	if len(specs) == 0 {
		specs = []api.InstanceNetworkInterfaceSpecification{{PrivateIpAddress: l.in.PrivateIpAddress}}
	}
	if !slices.ContainsFunc(specs, func(i api.InstanceNetworkInterfaceSpecification) bool { return wire.Value(i.DeviceIndex) == 0 }) {
		return fault("InvalidParameterValue", "A network interface with device index 0 is missing")
	}
	slices.SortStableFunc(specs, func(a, b api.InstanceNetworkInterfaceSpecification) int {
		return int(wire.Value(a.DeviceIndex) - wire.Value(b.DeviceIndex))
	})
	for n, spec := range specs {
		if n > 0 && wire.Value(spec.DeviceIndex) == wire.Value(specs[n-1].DeviceIndex) {
			return fault("InvalidParameterValue", "Device index %d is used twice", wire.Value(spec.DeviceIndex))
		}
		i, err := s.interfaceFor(tx, l, spec, n == 0)
		if err != nil {
			return err
		}
		if i, err = s.attach(tx, i, v.ID, int(wire.Value(spec.DeviceIndex)), wire.Or(spec.DeleteOnTermination, spec.NetworkInterfaceId == nil)); err != nil {
			return err
		}
		v.Interfaces = append(v.Interfaces, i.ID)
		if n == 0 {
			v.AutoPublic = i.Public.Address.IsValid() && i.Public.Allocation == ""
		}
	}
	return nil
}

// interfaceFor creates the interface of a specification, or finds the existing one it names.
func (s *Service) interfaceFor(tx *state.Tx, l *launchPlan, spec api.InstanceNetworkInterfaceSpecification, primary bool) (Interface, error) {
	if spec.NetworkInterfaceId != nil {
		i, err := interfaces.get(tx, *spec.NetworkInterfaceId)
		if err == nil && i.Attachment != nil {
			err = fault("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", i.ID)
		}
		return i, err
	}
	if wire.Value(spec.SecondaryPrivateIpAddressCount) > 0 || len(spec.PrivateIpAddresses) > 1 || len(spec.Ipv6Addresses) > 0 || wire.Value(spec.Ipv6AddressCount) > 0 {
		return Interface{}, unsupported("More than one private address on a network interface")
	}
	subnet := l.subnet
	if !primary && spec.SubnetId != nil {
		var err error
		if subnet, err = subnets.get(tx, *spec.SubnetId); err != nil {
			return Interface{}, err
		}
	}
	want := spec.PrivateIpAddress
	if len(spec.PrivateIpAddresses) == 1 {
		want = spec.PrivateIpAddresses[0].PrivateIpAddress
	}
	chosen := spec.Groups
	if len(chosen) == 0 {
		chosen = l.groups
	}
	i, err := s.newInterface(tx, subnet, Interface{Type: "interface", Description: wire.Value(spec.Description), SecurityGroups: chosen}, want)
	if err != nil {
		return i, err
	}
	if primary && wire.Or(spec.AssociatePublicIpAddress, subnet.MapPublic) {
		if i.Public.Address, err = freePublicAddress(tx); err != nil {
			return i, err
		}
		return i, interfaces.put(tx, i)
	}
	return i, nil
}
