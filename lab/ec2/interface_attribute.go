package ec2

import (
	"context"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ModifyNetworkInterfaceAttribute changes attributes of an interface.
func (s *Service) ModifyNetworkInterfaceAttribute(_ context.Context, in *api.ModifyNetworkInterfaceAttributeInput) (*api.ModifyNetworkInterfaceAttributeOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.ModifyNetworkInterfaceAttributeOutput) error {
		v, err := interfaces.get(tx, wire.Value(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		if in.AssociatePublicIpAddress != nil || in.EnaSrdSpecification != nil || wire.Value(in.EnablePrimaryIpv6) {
			return unsupported("Changing this attribute of a network interface")
		}
		if in.Description != nil {
			v.Description = wire.Value(in.Description.Value)
		}
		if in.SourceDestCheck != nil {
			v.NoSourceCheck = !wire.Value(in.SourceDestCheck.Value)
		}
		if len(in.Groups) > 0 {
			if err := checkGroups(tx, v.VPC, in.Groups); err != nil {
				return err
			}
			v.SecurityGroups = in.Groups
		}
		if a := in.Attachment; a != nil {
			if v.Attachment == nil || v.Attachment.ID != wire.Value(a.AttachmentId) {
				return fault("InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", wire.Value(a.AttachmentId))
			}
			v.Attachment.Delete = wire.Value(a.DeleteOnTermination)
		}
		return interfaces.put(tx, v)
	})
}

// AttachNetworkInterface attaches a further interface to an instance in the same zone.
func (s *Service) AttachNetworkInterface(_ context.Context, in *api.AttachNetworkInterfaceInput) (*api.AttachNetworkInterfaceOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AttachNetworkInterfaceOutput) error {
		v, err := interfaces.get(tx, wire.Value(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		i, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		switch {
		case v.Attachment != nil:
			return fault("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", v.ID)
		case v.Zone != i.Zone:
			return fault("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
		case i.State != Running && i.State != Stopped:
			return fault("IncorrectInstanceState", "The instance '%s' is not in a state from which a network interface can be attached.", i.ID)
		}
		for _, other := range i.Interfaces {
			o, err := interfaces.get(tx, other)
			if err != nil {
				return err
			}
			if o.Attachment != nil && int64(o.Attachment.Device) == wire.Value(in.DeviceIndex) {
				return fault("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", i.ID, wire.Value(in.DeviceIndex))
			}
		}
		if v, err = s.attach(tx, v, i.ID, int(wire.Value(in.DeviceIndex)), false); err != nil {
			return err
		}
		out.AttachmentId, out.NetworkCardIndex = &v.Attachment.ID, new(int64(0))
		i.Interfaces = append(i.Interfaces, v.ID)
		return instances.put(tx, i)
	})
}

// DetachNetworkInterface detaches an interface that is not an instance's primary one.
func (s *Service) DetachNetworkInterface(_ context.Context, in *api.DetachNetworkInterfaceInput) (*api.DetachNetworkInterfaceOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DetachNetworkInterfaceOutput) error {
		found := interfaces.where(tx, func(v Interface) bool { return v.Attachment != nil && v.Attachment.ID == wire.Value(in.AttachmentId) })
		if len(found) == 0 {
			return fault("InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", wire.Value(in.AttachmentId))
		}
		v := found[0]
		switch {
		case v.Requester != "":
			return fault("OperationNotPermitted", "You are not allowed to manage '%s' attachments.", v.Requester)
		case v.Attachment.Device == 0:
			return fault("OperationNotPermitted", "The network interface at device index 0 cannot be detached.")
		}
		i, err := s.instance(tx, v.Attachment.Instance)
		if err != nil {
			return err
		}
		i.release(v.ID)
		if err := instances.put(tx, i); err != nil {
			return err
		}
		v.Attachment = nil
		return v.hold(tx)
	})
}
