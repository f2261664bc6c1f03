package ec2

import (
	"context"
	"errors"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func isMalformed(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && strings.HasSuffix(e.Code, ".Malformed")
}

// findInstances returns the known instances of the IDs, or all, that match the filters.
func (s *Service) findInstances(tx *state.Tx, ids []string, f filters) ([]Instance, error) {
	k := s.instanceKind(tx)
	match, err := k.matcher(tx, f)
	if err != nil {
		return nil, err
	}
	found := k.where(tx, func(Instance) bool { return len(ids) == 0 })
	if len(ids) > 0 {
		if found, err = s.instanceList(tx, ids); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(found, func(v Instance) bool { return s.forgotten(v) || !match(v) }), nil
}

// DescribeInstances lists instances by the reservations that launched them.
func (s *Service) DescribeInstances(_ context.Context, in *api.DescribeInstancesInput) (*api.DescribeInstancesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstancesOutput) error {
		if len(in.InstanceIds) > 0 && in.MaxResults != nil {
			return fault("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
		}
		found, err := s.findInstances(tx, in.InstanceIds, in.Filters)
		if err != nil {
			return err
		}
		shown, next, err := page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, Instance.id,
			func(_ *state.Tx, v Instance) Instance { return v })
		for _, v := range shown {
			i := slices.IndexFunc(out.Reservations, func(r api.Reservation) bool { return *r.ReservationId == v.Reservation })
			if i < 0 {
				out.Reservations = append(out.Reservations, api.Reservation{ReservationId: new(v.Reservation), OwnerId: &s.Region.Account})
				i = len(out.Reservations) - 1
			}
			out.Reservations[i].Instances = append(out.Reservations[i].Instances, s.showInstance(tx, v))
		}
		out.NextToken = next
		return err
	})
}

func (s *Service) showInstance(tx *state.Tx, v Instance) api.Instance {
	out := api.Instance{
		InstanceId: &v.ID, AmiLaunchIndex: &v.Index, ClientToken: wire.Optional(v.ClientToken), ImageId: &v.Image, InstanceType: &v.Type, KeyName: wire.Optional(v.KeyName),
		State: showState(v.State), StateTransitionReason: &v.Transition, LaunchTime: &v.Launched, Architecture: new("x86_64"), VirtualizationType: new("hvm"),
		Hypervisor: new("xen"), RootDeviceType: new("ebs"), RootDeviceName: new(images()[0].RootDevice), EbsOptimized: &v.EBSOptimized, EnaSupport: new(true),
		BootMode: new("uefi-preferred"), CurrentInstanceBootMode: new("uefi"), PlatformDetails: new("Linux/UNIX"), UsageOperation: new("RunInstances"),
		UsageOperationUpdateTime: &v.Launched, Placement: &api.Placement{AvailabilityZone: &v.Zone.Name, GroupName: new(""), Tenancy: new("default")},
		Monitoring: &api.Monitoring{State: new(monitoring(v.Monitoring))}, MetadataOptions: v.showMetadata(), Tags: showTags(tx, v.ID),
		CapacityReservationSpecification: &api.CapacityReservationSpecificationResponse{CapacityReservationPreference: new("open")},
		HibernationOptions:               &api.HibernationOptions{Configured: new(false)}, EnclaveOptions: &api.EnclaveOptions{Enabled: new(false)},
		MaintenanceOptions: &api.InstanceMaintenanceOptions{AutoRecovery: new("default")},
	}
	if t, ok := FindInstanceType(v.Type); ok {
		out.CpuOptions = &api.CpuOptions{CoreCount: new(max(1, t.VCPUs/2)), ThreadsPerCore: new(int64(2))}
	}
	if v.Reason.Code != "" {
		out.StateReason = &api.StateReason{Code: &v.Reason.Code, Message: &v.Reason.Message}
	}
	if v.SpotRequest != "" {
		out.InstanceLifecycle, out.SpotInstanceRequestId = new("spot"), &v.SpotRequest
	}
	if v.Profile != nil {
		out.IamInstanceProfile = &api.IamInstanceProfile{Arn: &v.Profile.ARN, Id: &v.Profile.ID}
	}
	for _, id := range v.Volumes {
		if vol, ok, _ := volumes.table.Get(tx, id); ok {
			out.BlockDeviceMappings = append(out.BlockDeviceMappings, vol.showMapping())
		}
	}
	s.showNetwork(tx, v, &out)
	return out
}

// showNetwork fills in what comes from the instance's interfaces. A terminated instance has none.
func (s *Service) showNetwork(tx *state.Tx, v Instance, out *api.Instance) {
	out.PrivateDnsName, out.PublicDnsName = new(""), new("")
	if v.State == Terminated {
		return
	}
	out.VpcId, out.SubnetId = &v.VPC, &v.Subnet
	out.PrivateDnsNameOptions = &api.PrivateDnsNameOptionsResponse{
		HostnameType: new("ip-name"), EnableResourceNameDnsARecord: new(false), EnableResourceNameDnsAAAARecord: new(false),
	}
	for n, id := range v.Interfaces {
		i, ok, err := interfaces.table.Get(tx, id)
		if err != nil {
			panic(err)
		}
		if !ok {
			continue
		}
		shown := s.showInstanceInterface(tx, i)
		out.NetworkInterfaces = append(out.NetworkInterfaces, shown)
		if n > 0 {
			continue
		}
		out.PrivateIpAddress, out.PrivateDnsName, out.SecurityGroups, out.SourceDestCheck = shown.PrivateIpAddress, shown.PrivateDnsName, shown.Groups, shown.SourceDestCheck
		if a := shown.Association; a != nil {
			out.PublicIpAddress = a.PublicIp
			if vpc, ok, _ := vpcs.table.Get(tx, v.VPC); ok && vpc.DNSHostnames {
				out.PublicDnsName = a.PublicDnsName
			}
		}
	}
}

func (s *Service) showInstanceInterface(tx *state.Tx, i Interface) api.InstanceNetworkInterface {
	full := s.showInterface(tx, i)
	out := api.InstanceNetworkInterface{
		NetworkInterfaceId: full.NetworkInterfaceId, VpcId: full.VpcId, SubnetId: full.SubnetId, InterfaceType: full.InterfaceType, Description: full.Description,
		MacAddress: full.MacAddress, PrivateIpAddress: full.PrivateIpAddress, PrivateDnsName: full.PrivateDnsName, OwnerId: full.OwnerId, Groups: full.Groups,
		SourceDestCheck: full.SourceDestCheck, Status: full.Status,
	}
	if a := full.Attachment; a != nil {
		out.Attachment = &api.InstanceNetworkInterfaceAttachment{
			AttachmentId: a.AttachmentId, AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination, DeviceIndex: a.DeviceIndex,
			NetworkCardIndex: a.NetworkCardIndex, Status: a.Status,
		}
	}
	if a := full.Association; a != nil {
		out.Association = &api.InstanceNetworkInterfaceAssociation{PublicIp: a.PublicIp, PublicDnsName: a.PublicDnsName, IpOwnerId: a.IpOwnerId}
	}
	out.PrivateIpAddresses = []api.InstancePrivateIpAddress{{
		Primary: new(true), PrivateIpAddress: out.PrivateIpAddress, PrivateDnsName: out.PrivateDnsName, Association: out.Association,
	}}
	return out
}

func showState(s InstanceState) *api.InstanceState {
	return &api.InstanceState{Code: new(s.code()), Name: new(string(s))}
}

func monitoring(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

func (v Instance) showMetadata() *api.InstanceMetadataOptionsResponse {
	return &api.InstanceMetadataOptionsResponse{
		HttpEndpoint: &v.Metadata.Endpoint, HttpTokens: &v.Metadata.Tokens, HttpPutResponseHopLimit: &v.Metadata.HopLimit, InstanceMetadataTags: &v.Metadata.Tags,
		HttpProtocolIpv6: new("disabled"), State: new("applied"),
	}
}

// DescribeInstanceStatus answers the status checks of running instances, or with IncludeAllInstances of all.
func (s *Service) DescribeInstanceStatus(_ context.Context, in *api.DescribeInstanceStatusInput) (*api.DescribeInstanceStatusOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstanceStatusOutput) error {
		found, err := s.findInstances(tx, in.InstanceIds, in.Filters)
		if err != nil {
			return err
		}
		if !wire.Value(in.IncludeAllInstances) {
			found = slices.DeleteFunc(found, func(v Instance) bool { return v.State != Running })
		}
		out.InstanceStatuses, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, Instance.id,
			func(_ *state.Tx, v Instance) api.InstanceStatus {
				status, details := "not-applicable", []api.InstanceStatusDetails(nil)
				if v.State == Running {
					status, details = "ok", []api.InstanceStatusDetails{{Name: new("reachability"), Status: new("passed")}}
				}
				summary := &api.InstanceStatusSummary{Status: &status, Details: details}
				return api.InstanceStatus{InstanceId: &v.ID, AvailabilityZone: &v.Zone.Name, InstanceState: showState(v.State), InstanceStatus: summary, SystemStatus: summary}
			})
		return err
	})
}
