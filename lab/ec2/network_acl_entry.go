package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// entryRequest is what CreateNetworkAclEntry and ReplaceNetworkAclEntry have in common.
type entryRequest struct {
	acl, protocol, action, cidr, cidr6 *string
	egress                             *bool
	number                             *int64
	ports                              *api.PortRange
	icmp                               *api.IcmpTypeCode
}

// entry checks a request and makes an entry of it.
func (r entryRequest) entry() (aclEntry, error) {
	e := aclEntry{Egress: wire.Value(r.egress), Number: wire.Value(r.number)}
	if e.Number < 1 || e.Number >= lastRule {
		return e, fault("InvalidParameterValue", "Value (%d) for parameter ruleNumber is invalid. Rule number must be between 1 and 32766.", e.Number)
	}
	if r.cidr6 != nil {
		return e, unsupported("IPv6")
	}
	if r.cidr == nil {
		return e, missing("cidrBlock")
	}
	var err error
	if e.CIDR, err = parseCIDR("cidrBlock", *r.cidr); err != nil {
		return e, err
	}
	switch wire.Value(r.action) {
	case api.RuleActionAllow:
		e.Allow = true
	case api.RuleActionDeny:
	default:
		return e, invalid("ruleAction", wire.Value(r.action))
	}
	name, err := protocolName(wire.Value(r.protocol))
	if err != nil {
		return e, invalid("protocol", wire.Value(r.protocol))
	}
	numbers := map[string]string{"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
	if e.Protocol = numbers[name]; e.Protocol == "" {
		e.Protocol = name
	}
	switch name {
	case "tcp", "udp":
		if r.ports == nil || r.ports.From == nil || r.ports.To == nil {
			return e, missing("portRange")
		}
		e.From, e.To = r.ports.From, r.ports.To
		if *e.From < 0 || *e.To > 65535 || *e.From > *e.To {
			return e, fault("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", *e.From, *e.To)
		}
	case "icmp":
		if r.icmp == nil {
			return e, missing("icmpTypeCode")
		}
		e.ICMPType, e.ICMPCode = new(wire.Or(r.icmp.Type, -1)), new(wire.Or(r.icmp.Code, -1))
	}
	return e, nil
}

// CreateNetworkAclEntry adds an entry under a free number.
func (s *Service) CreateNetworkAclEntry(_ context.Context, in *api.CreateNetworkAclEntryInput) (*api.CreateNetworkAclEntryOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.CreateNetworkAclEntryOutput) error {
		a, err := acls.get(tx, wire.Value(in.NetworkAclId))
		if err != nil {
			return err
		}
		e, err := entryRequest{in.NetworkAclId, in.Protocol, in.RuleAction, in.CidrBlock, in.Ipv6CidrBlock, in.Egress, in.RuleNumber, in.PortRange, in.IcmpTypeCode}.entry()
		if err != nil {
			return err
		}
		if a.find(e.Egress, e.Number) >= 0 {
			return fault("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
		}
		a.Entries = append(a.Entries, e)
		a.sort()
		return acls.put(tx, a)
	})
}

// ReplaceNetworkAclEntry replaces the entry of a number.
func (s *Service) ReplaceNetworkAclEntry(_ context.Context, in *api.ReplaceNetworkAclEntryInput) (*api.ReplaceNetworkAclEntryOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.ReplaceNetworkAclEntryOutput) error {
		a, err := acls.get(tx, wire.Value(in.NetworkAclId))
		if err != nil {
			return err
		}
		e, err := entryRequest{in.NetworkAclId, in.Protocol, in.RuleAction, in.CidrBlock, in.Ipv6CidrBlock, in.Egress, in.RuleNumber, in.PortRange, in.IcmpTypeCode}.entry()
		if err != nil {
			return err
		}
		i := a.find(e.Egress, e.Number)
		if i < 0 {
			return noEntry(a, e.Number)
		}
		a.Entries[i] = e
		return acls.put(tx, a)
	})
}

// DeleteNetworkAclEntry removes the entry of a number.
func (s *Service) DeleteNetworkAclEntry(_ context.Context, in *api.DeleteNetworkAclEntryInput) (*api.DeleteNetworkAclEntryOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteNetworkAclEntryOutput) error {
		a, err := acls.get(tx, wire.Value(in.NetworkAclId))
		if err != nil {
			return err
		}
		i := a.find(wire.Value(in.Egress), wire.Value(in.RuleNumber))
		if i < 0 {
			return noEntry(a, wire.Value(in.RuleNumber))
		}
		a.Entries = slices.Delete(a.Entries, i, i+1)
		return acls.put(tx, a)
	})
}

func noEntry(a acl, number int64) error {
	return fault("InvalidNetworkAclEntry.NotFound", "The network acl entry with number %d does not exist in network acl '%s'", number, a.ID)
}
