package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Rule is a security group rule: exactly one of CIDR, PrefixList and Group is set.
type Rule struct {
	ID          string
	Egress      bool
	Protocol    string // "tcp", "udp", "icmp", "icmpv6", a number, or "-1" for all
	From, To    *int64 // ports, or ICMP type and code; nil for protocols without
	CIDR        string // IPv4 or IPv6
	PrefixList  string
	Group       string
	Description string
}

// same reports whether two rules allow the same.
func (r Rule) same(o Rule) bool {
	return r.Egress == o.Egress && r.Protocol == o.Protocol && wire.Or(r.From, -1) == wire.Or(o.From, -1) && wire.Or(r.To, -1) == wire.Or(o.To, -1) &&
		r.CIDR == o.CIDR && r.PrefixList == o.PrefixList && r.Group == o.Group
}

func (r Rule) peer() string { return r.CIDR + r.PrefixList + r.Group }

// String writes the rule as EC2 does in its messages.
func (r Rule) String() string {
	protocol := strings.ToUpper(r.Protocol)
	if r.Protocol == "-1" {
		return fmt.Sprintf("peer: %s, ALL, ALLOW", r.peer())
	}
	return fmt.Sprintf("peer: %s, %s, from port: %s, to port: %s, ALLOW", r.peer(), protocol, port(r.From), port(r.To))
}

func port(p *int64) string {
	if p == nil {
		return ""
	}
	return strconv.FormatInt(*p, 10)
}

func newRuleID(tx *state.Tx) (string, error) { return region.NewID(tx, "sgr") }

// protocolName brings a protocol into EC2's form: names for tcp, udp, icmp and icmpv6, numbers for the rest.
func protocolName(p string) (string, error) {
	names := map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1", "-1": "-1", "tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6"}
	if name, ok := names[strings.ToLower(p)]; ok {
		return name, nil
	}
	if n, err := strconv.Atoi(p); err == nil && n >= 0 && n <= 255 {
		return p, nil
	}
	return "", fault("InvalidPermission.Malformed", "Invalid IP protocol: %s", p)
}

// rules turns permissions of a request into rules, one per peer.
func (s *Service) rules(tx *state.Tx, g SecurityGroup, egress bool, permissions []api.IpPermission) ([]Rule, error) {
	var out []Rule
	for _, p := range permissions {
		base := Rule{Egress: egress, Protocol: wire.Value(p.IpProtocol), From: p.FromPort, To: p.ToPort}
		for _, r := range p.IpRanges {
			base.CIDR, base.Description = wire.Value(r.CidrIp), wire.Value(r.Description)
			out = append(out, base)
		}
		for _, r := range p.Ipv6Ranges {
			base.CIDR, base.Description = wire.Value(r.CidrIpv6), wire.Value(r.Description)
			out = append(out, base)
		}
		base.CIDR = ""
		for _, l := range p.PrefixListIds {
			r := base
			r.PrefixList, r.Description = wire.Value(l.PrefixListId), wire.Value(l.Description)
			out = append(out, r)
		}
		for _, u := range p.UserIdGroupPairs {
			r := base
			r.Group, r.Description = wire.Value(u.GroupId), wire.Value(u.Description)
			if u.GroupId == nil {
				found := groups.where(tx, func(o SecurityGroup) bool { return o.VPC == g.VPC && o.Name == wire.Value(u.GroupName) })
				if len(found) == 0 {
					return nil, fault("InvalidGroup.NotFound", "The security group '%s' does not exist", wire.Value(u.GroupName))
				}
				r.Group = found[0].ID
			}
			out = append(out, r)
		}
	}
	for i := range out {
		if err := s.checkRule(tx, g, &out[i]); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, missing("ipPermissions")
	}
	return out, nil
}

// checkRule checks one rule and brings it into EC2's form.
func (s *Service) checkRule(tx *state.Tx, g SecurityGroup, r *Rule) (err error) {
	if r.Protocol == "" {
		return missing("ipProtocol")
	}
	if r.Protocol, err = protocolName(r.Protocol); err != nil {
		return err
	}
	if err := checkPorts(r); err != nil {
		return err
	}
	switch {
	case r.CIDR != "":
		p, err := netip.ParsePrefix(r.CIDR)
		if err != nil {
			return fault("InvalidParameterValue", "CIDR block %s is malformed", r.CIDR)
		}
		if p != p.Masked() && p.Addr().Is4() {
			return fault("InvalidParameterValue", "CIDR block %s is malformed: it has bits set to the right of its mask", r.CIDR)
		}
		r.CIDR = p.Masked().String()
	case r.PrefixList != "":
		if _, ok := s.prefixList(r.PrefixList); !ok {
			return fault("InvalidPrefixListId.NotFound", "The prefix list ID '%s' does not exist", r.PrefixList)
		}
	case r.Group != "":
		peer, err := groups.get(tx, r.Group)
		if err != nil {
			return err
		}
		if peer.VPC != g.VPC {
			return fault("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
	default:
		return missing("cidrIp")
	}
	if len(r.Description) > 255 || r.Description != "" && !groupText.MatchString(r.Description) {
		return fault("InvalidParameterValue", "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

func checkPorts(r *Rule) error {
	switch r.Protocol {
	case "-1":
		r.From, r.To = nil, nil
	case "tcp", "udp":
		if r.From == nil || r.To == nil {
			return fault("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		if *r.From < 0 || *r.To > 65535 || *r.From > *r.To {
			return fault("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", *r.From, *r.To)
		}
	case "icmp", "icmpv6":
		r.From, r.To = new(wire.Or(r.From, -1)), new(wire.Or(r.To, -1))
		if *r.From < -1 || *r.From > 255 || *r.To < -1 || *r.To > 255 {
			return fault("InvalidParameterValue", "Invalid ICMP type/code (%d:%d)", *r.From, *r.To)
		}
	default:
		r.From, r.To = nil, nil
	}
	return nil
}

// permissions groups rules by protocol and ports, as DescribeSecurityGroups presents them.
func (s *Service) permissions(rules []Rule, egress bool) []api.IpPermission {
	var out []api.IpPermission
	for _, r := range rules {
		if r.Egress != egress {
			continue
		}
		i := slices.IndexFunc(out, func(p api.IpPermission) bool {
			return *p.IpProtocol == r.Protocol && wire.Or(p.FromPort, -2) == wire.Or(r.From, -2) && wire.Or(p.ToPort, -2) == wire.Or(r.To, -2)
		})
		if i < 0 {
			out = append(out, api.IpPermission{IpProtocol: new(r.Protocol), FromPort: r.From, ToPort: r.To})
			i = len(out) - 1
		}
		p := &out[i]
		description := wire.Optional(r.Description)
		switch {
		case r.Group != "":
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, api.UserIdGroupPair{GroupId: new(r.Group), UserId: &s.Region.Account, Description: description})
		case r.PrefixList != "":
			p.PrefixListIds = append(p.PrefixListIds, api.PrefixListId{PrefixListId: new(r.PrefixList), Description: description})
		case strings.Contains(r.CIDR, ":"):
			p.Ipv6Ranges = append(p.Ipv6Ranges, api.Ipv6Range{CidrIpv6: new(r.CIDR), Description: description})
		default:
			p.IpRanges = append(p.IpRanges, api.IpRange{CidrIp: new(r.CIDR), Description: description})
		}
	}
	return out
}
