package ec2

import (
	"context"
	"encoding/base64"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeInstanceAttribute answers one attribute of an instance.
func (s *Service) DescribeInstanceAttribute(_ context.Context, in *api.DescribeInstanceAttributeInput) (*api.DescribeInstanceAttributeOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstanceAttributeOutput) error {
		v, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		out.InstanceId = &v.ID
		is := func(on bool) *api.AttributeBooleanValue { return &api.AttributeBooleanValue{Value: &on} }
		switch shown := s.showInstance(tx, v); wire.Value(in.Attribute) {
		case api.InstanceAttributeNameInstanceType:
			out.InstanceType = &api.AttributeValue{Value: &v.Type}
		case api.InstanceAttributeNameUserData:
			out.UserData = &api.AttributeValue{Value: wire.Optional(v.UserData)}
		case api.InstanceAttributeNameDisableApiTermination:
			out.DisableApiTermination = is(v.NoTermination)
		case api.InstanceAttributeNameDisableApiStop:
			out.DisableApiStop = is(v.NoStop)
		case api.InstanceAttributeNameInstanceInitiatedShutdownBehavior:
			out.InstanceInitiatedShutdownBehavior = &api.AttributeValue{Value: &v.ShutdownBehavior}
		case api.InstanceAttributeNameRootDeviceName:
			out.RootDeviceName = &api.AttributeValue{Value: shown.RootDeviceName}
		case api.InstanceAttributeNameBlockDeviceMapping:
			out.BlockDeviceMappings = shown.BlockDeviceMappings
		case api.InstanceAttributeNameSourceDestCheck:
			out.SourceDestCheck = is(wire.Or(shown.SourceDestCheck, true))
		case api.InstanceAttributeNameGroupSet:
			out.Groups = shown.SecurityGroups
		case api.InstanceAttributeNameEbsOptimized:
			out.EbsOptimized = is(v.EBSOptimized)
		case api.InstanceAttributeNameEnaSupport:
			out.EnaSupport = is(true)
		case api.InstanceAttributeNameEnclaveOptions:
			out.EnclaveOptions = shown.EnclaveOptions
		case api.InstanceAttributeNameSriovNetSupport:
			out.SriovNetSupport = &api.AttributeValue{Value: new("simple")}
		case api.InstanceAttributeNameKernel, api.InstanceAttributeNameRamdisk, api.InstanceAttributeNameProductCodes: // none has one
		default:
			return invalid("attribute", wire.Value(in.Attribute))
		}
		return nil
	})
}

// ModifyInstanceAttribute changes attributes of an instance; type and user-data only while it is stopped.
func (s *Service) ModifyInstanceAttribute(_ context.Context, in *api.ModifyInstanceAttributeInput) (*api.ModifyInstanceAttributeOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.ModifyInstanceAttributeOutput) error {
		v, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		if in.Attribute != nil || in.Kernel != nil || in.Ramdisk != nil || in.SriovNetSupport != nil || in.EnaSupport != nil {
			return unsupported("Changing this attribute of an instance")
		}
		if err := v.modifyStopped(in); err != nil {
			return err
		}
		for _, change := range []struct {
			to    *api.AttributeBooleanValue
			field *bool
		}{{in.DisableApiTermination, &v.NoTermination}, {in.DisableApiStop, &v.NoStop}, {in.EbsOptimized, &v.EBSOptimized}} {
			if change.to != nil {
				*change.field = wire.Value(change.to.Value)
			}
		}
		if b := in.InstanceInitiatedShutdownBehavior; b != nil {
			if v.ShutdownBehavior = wire.Value(b.Value); v.ShutdownBehavior != "stop" && v.ShutdownBehavior != "terminate" {
				return invalid("instanceInitiatedShutdownBehavior", v.ShutdownBehavior)
			}
		}
		if err := s.modifyPrimaryInterface(tx, v, in); err != nil {
			return err
		}
		if err := modifyMappings(tx, v, in.BlockDeviceMappings); err != nil {
			return err
		}
		return instances.put(tx, v)
	})
}

// modifyStopped changes what can change only while the instance is stopped.
func (v *Instance) modifyStopped(in *api.ModifyInstanceAttributeInput) error {
	if (in.InstanceType != nil || in.UserData != nil) && v.State != Stopped {
		return fault("IncorrectInstanceState", "The instance '%s' is not in the 'stopped' state.", v.ID)
	}
	if in.InstanceType != nil {
		t, ok := FindInstanceType(wire.Value(in.InstanceType.Value))
		if !ok || t.Architecture != "x86_64" {
			return fault("InvalidParameterValue", "Invalid value '%s' for InstanceType.", wire.Value(in.InstanceType.Value))
		}
		v.Type = t.Name
	}
	if in.UserData != nil {
		encoded := base64.StdEncoding.EncodeToString(in.UserData.Value)
		if err := checkUserData(&encoded); err != nil {
			return err
		}
		v.UserData = encoded
	}
	return nil
}

// modifyPrimaryInterface changes security groups and the source/destination check.
func (s *Service) modifyPrimaryInterface(tx *state.Tx, v Instance, in *api.ModifyInstanceAttributeInput) error {
	if len(in.Groups) == 0 && in.SourceDestCheck == nil {
		return nil
	}
	if len(v.Interfaces) == 0 {
		return incorrectState(v, "modified")
	}
	i, err := interfaces.get(tx, v.Interfaces[0])
	if err != nil {
		return err
	}
	if in.SourceDestCheck != nil {
		i.NoSourceCheck = !wire.Value(in.SourceDestCheck.Value)
	}
	if len(in.Groups) > 0 {
		if err := checkGroups(tx, i.VPC, in.Groups); err != nil {
			return err
		}
		i.SecurityGroups = in.Groups
	}
	return interfaces.put(tx, i)
}

func modifyMappings(tx *state.Tx, v Instance, mappings []api.InstanceBlockDeviceMappingSpecification) error {
	for _, m := range mappings {
		found := volumes.where(tx, func(o volume) bool { return o.Instance == v.ID && o.Device == wire.Value(m.DeviceName) })
		if len(found) == 0 || m.Ebs == nil {
			return fault("InvalidInstanceAttributeValue", "No device is currently mapped at %s", wire.Value(m.DeviceName))
		}
		found[0].Delete = wire.Or(m.Ebs.DeleteOnTermination, found[0].Delete)
		if err := volumes.put(tx, found[0]); err != nil {
			return err
		}
	}
	return nil
}

// set changes the metadata options that are given.
func (m *MetadataOptions) set(endpoint, tokens, tags *string, hops *int64) error {
	n := MetadataOptions{wire.Or(endpoint, m.Endpoint), wire.Or(tokens, m.Tokens), wire.Or(hops, m.HopLimit), wire.Or(tags, m.Tags)}
	onOff := []string{"enabled", "disabled"}
	switch {
	case !slices.Contains(onOff, n.Endpoint):
		return invalid("HttpEndpoint", n.Endpoint)
	case !slices.Contains([]string{"required", "optional"}, n.Tokens):
		return invalid("HttpTokens", n.Tokens)
	case !slices.Contains(onOff, n.Tags):
		return invalid("InstanceMetadataTags", n.Tags)
	case n.HopLimit < 1 || n.HopLimit > 64:
		return fault("InvalidParameterValue", "Value (%d) for parameter HttpPutResponseHopLimit is invalid. It must be between 1 and 64.", n.HopLimit)
	}
	*m = n
	return nil
}

// ModifyInstanceMetadataOptions changes how an instance reaches its metadata.
func (s *Service) ModifyInstanceMetadataOptions(_ context.Context, in *api.ModifyInstanceMetadataOptionsInput) (*api.ModifyInstanceMetadataOptionsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifyInstanceMetadataOptionsOutput) error {
		v, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		if v.State == Terminated || v.State == ShuttingDown {
			return incorrectState(v, "modified")
		}
		if err := v.Metadata.set(in.HttpEndpoint, in.HttpTokens, in.InstanceMetadataTags, in.HttpPutResponseHopLimit); err != nil {
			return err
		}
		out.InstanceId, out.InstanceMetadataOptions = &v.ID, v.showMetadata()
		return instances.put(tx, v)
	})
}

// DescribeInstanceCreditSpecifications lists the credit options of burstable instances.
func (s *Service) DescribeInstanceCreditSpecifications(_ context.Context, in *api.DescribeInstanceCreditSpecificationsInput) (*api.DescribeInstanceCreditSpecificationsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInstanceCreditSpecificationsOutput) error {
		found, err := s.findInstances(tx, in.InstanceIds, in.Filters)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(v Instance) bool { return v.Credits == "" })
		out.InstanceCreditSpecifications, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, Instance.id,
			func(_ *state.Tx, v Instance) api.InstanceCreditSpecification {
				return api.InstanceCreditSpecification{InstanceId: &v.ID, CpuCredits: &v.Credits}
			})
		return err
	})
}

// ModifyInstanceCreditSpecification changes the credit options of instances, one by one.
func (s *Service) ModifyInstanceCreditSpecification(_ context.Context, in *api.ModifyInstanceCreditSpecificationInput) (*api.ModifyInstanceCreditSpecificationOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifyInstanceCreditSpecificationOutput) error {
		for _, spec := range in.InstanceCreditSpecifications {
			v, err := s.instance(tx, wire.Value(spec.InstanceId))
			if err == nil {
				err = v.setCredits(&api.CreditSpecificationRequest{CpuCredits: spec.CpuCredits})
			}
			if item, ok := unsuccessful(wire.Value(spec.InstanceId), err); ok {
				out.UnsuccessfulInstanceCreditSpecifications = append(out.UnsuccessfulInstanceCreditSpecifications, api.UnsuccessfulInstanceCreditSpecificationItem{
					InstanceId: item.ResourceId, Error: &api.UnsuccessfulInstanceCreditSpecificationItemError{Code: item.Error.Code, Message: item.Error.Message},
				})
				continue
			} else if err != nil {
				return err
			}
			if err := instances.put(tx, v); err != nil {
				return err
			}
			out.SuccessfulInstanceCreditSpecifications = append(out.SuccessfulInstanceCreditSpecifications, api.SuccessfulInstanceCreditSpecificationItem{InstanceId: new(v.ID)})
		}
		return nil
	})
}

// setMonitoring switches detailed monitoring of instances.
func (s *Service) setMonitoring(tx *state.Tx, ids []string, on bool) ([]api.InstanceMonitoring, error) {
	found, err := s.instanceList(tx, ids)
	if err != nil {
		return nil, err
	}
	var out []api.InstanceMonitoring
	for _, v := range found {
		v.Monitoring = on
		if err := instances.put(tx, v); err != nil {
			return nil, err
		}
		out = append(out, api.InstanceMonitoring{InstanceId: &v.ID, Monitoring: &api.Monitoring{State: new(monitoring(on))}})
	}
	return out, nil
}

// MonitorInstances switches detailed monitoring on.
func (s *Service) MonitorInstances(_ context.Context, in *api.MonitorInstancesInput) (*api.MonitorInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.MonitorInstancesOutput) (err error) {
		out.InstanceMonitorings, err = s.setMonitoring(tx, in.InstanceIds, true)
		return err
	})
}

// UnmonitorInstances switches detailed monitoring off.
func (s *Service) UnmonitorInstances(_ context.Context, in *api.UnmonitorInstancesInput) (*api.UnmonitorInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.UnmonitorInstancesOutput) (err error) {
		out.InstanceMonitorings, err = s.setMonitoring(tx, in.InstanceIds, false)
		return err
	})
}
