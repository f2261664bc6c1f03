package network

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
)

// ErrInvalidTopology is wrapped by Apply's error when the topology contradicts itself; nothing was changed.
var ErrInvalidTopology = errors.New("invalid topology")

// identifier is what IDs look like. They become names in rulesets, so nothing else may pass.
var identifier = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidTopology, fmt.Sprintf(format, args...))
}

// Validate reports the first contradiction in the topology: a malformed or repeated ID, an address outside its subnet, a reference to what
// does not exist. References from security group rules to groups that do not exist are legal: such a rule matches nobody.
func (t Topology) Validate() error {
	seen := map[string]bool{}
	public := map[netip.Addr]bool{client: true}
	for _, s := range t.Services {
		if err := unique(seen, "service", s.Name); err != nil {
			return err
		}
		for _, a := range s.Addresses {
			if err := uniqueAddress(public, "service "+s.Name, a); err != nil {
				return err
			}
		}
	}
	for _, v := range t.VPCs {
		if err := unique(seen, "VPC", v.ID); err != nil {
			return err
		}
		if err := v.validate(seen, public); err != nil {
			return err
		}
	}
	return nil
}

func unique(seen map[string]bool, kind, id string) error {
	if !identifier.MatchString(id) {
		return invalid("%s ID %q: want letters, digits and hyphens", kind, id)
	}
	if seen[id] {
		return invalid("%s ID %s is used twice", kind, id)
	}
	seen[id] = true
	return nil
}

func uniqueAddress(seen map[netip.Addr]bool, owner string, a netip.Addr) error {
	if !a.Is4() {
		return invalid("%s: %v is not an IPv4 address", owner, a)
	}
	if seen[a] {
		return invalid("%s: address %v is used twice", owner, a)
	}
	seen[a] = true
	return nil
}

func (v VPC) validate(seen map[string]bool, public map[netip.Addr]bool) error {
	if len(v.CIDRs) == 0 {
		return invalid("%s has no CIDR", v.ID)
	}
	for _, c := range v.CIDRs {
		if !network4(c) {
			return invalid("%s: %v is not an IPv4 network", v.ID, c)
		}
	}
	tables, acls := map[string]bool{}, map[string]bool{}
	for _, t := range v.RouteTables {
		tables[t.ID] = true
		if err := t.validate(seen); err != nil {
			return err
		}
	}
	for _, a := range v.ACLs {
		acls[a.ID] = true
		if err := a.validate(seen); err != nil {
			return err
		}
	}
	for _, g := range v.SecurityGroups {
		if err := g.validate(seen); err != nil {
			return err
		}
	}
	subnets := map[string]Subnet{}
	for _, s := range v.Subnets {
		if err := unique(seen, "subnet", s.ID); err != nil {
			return err
		}
		switch {
		case !network4(s.CIDR) || !contains(v.CIDRs, s.CIDR):
			return invalid("%s: %v is not an IPv4 network inside %s", s.ID, s.CIDR, v.ID)
		case !tables[s.RouteTable]:
			return invalid("%s: route table %q is not in %s", s.ID, s.RouteTable, v.ID)
		case !acls[s.ACL]:
			return invalid("%s: network ACL %q is not in %s", s.ID, s.ACL, v.ID)
		}
		for _, other := range subnets {
			if other.CIDR.Overlaps(s.CIDR) {
				return invalid("%s and %s overlap", other.ID, s.ID)
			}
		}
		subnets[s.ID] = s
	}
	return v.validateInterfaces(seen, public, subnets)
}

func (v VPC) validateInterfaces(seen map[string]bool, public map[netip.Addr]bool, subnets map[string]Subnet) error {
	private := map[netip.Addr]bool{v.Resolver(): true}
	for _, s := range v.Subnets {
		private[s.Gateway()] = true
	}
	for _, i := range v.Interfaces {
		if err := unique(seen, "interface", i.ID); err != nil {
			return err
		}
		s, ok := subnets[i.Subnet]
		if !ok {
			return invalid("%s: subnet %q is not in %s", i.ID, i.Subnet, v.ID)
		}
		if !s.CIDR.Contains(i.Address) {
			return invalid("%s: %v is not in %s (%v)", i.ID, i.Address, s.ID, s.CIDR)
		}
		if err := uniqueAddress(private, i.ID, i.Address); err != nil {
			return err
		}
		if i.Public.IsValid() {
			if err := uniqueAddress(public, i.ID, i.Public); err != nil {
				return err
			}
		}
		for _, a := range i.LinkLocal {
			if !a.Is4() || !a.IsLinkLocalUnicast() {
				return invalid("%s: %v is not a link-local IPv4 address", i.ID, a)
			}
		}
	}
	return nil
}

func (t RouteTable) validate(seen map[string]bool) error {
	if err := unique(seen, "route table", t.ID); err != nil {
		return err
	}
	for _, r := range t.Routes {
		switch r.Kind {
		case ToServiceEndpoint:
			continue
		case ToInternetGateway, ToInterface, Blackhole:
		default:
			return invalid("%s: unknown kind of route %q", t.ID, r.Kind)
		}
		if !network4(r.Destination) {
			return invalid("%s: destination %v is not an IPv4 network", t.ID, r.Destination)
		}
	}
	return nil
}

func (a ACL) validate(seen map[string]bool) error {
	if err := unique(seen, "network ACL", a.ID); err != nil {
		return err
	}
	for _, entries := range [][]ACLEntry{a.Ingress, a.Egress} {
		for _, e := range entries {
			if err := e.Traffic.validate(); err != nil {
				return fmt.Errorf("%w in %s rule %d", err, a.ID, e.Number)
			}
			if !e.CIDR.IsValid() {
				return invalid("%s rule %d has no CIDR", a.ID, e.Number)
			}
		}
	}
	return nil
}

func (g SecurityGroup) validate(seen map[string]bool) error {
	if err := unique(seen, "security group", g.ID); err != nil {
		return err
	}
	for _, rules := range [][]GroupRule{g.Ingress, g.Egress} {
		for _, r := range rules {
			if err := r.Traffic.validate(); err != nil {
				return fmt.Errorf("%w in %s", err, g.ID)
			}
			if r.CIDR.IsValid() == (r.Group != "") {
				return invalid("%s: a rule wants either a CIDR or a group", g.ID)
			}
		}
	}
	return nil
}

func (t Traffic) validate() error {
	n, err := t.number()
	if err != nil {
		return err
	}
	if t.FromPort < -1 || t.FromPort > 65535 || t.ToPort < -1 || t.ToPort > 65535 {
		return invalid("ports %d-%d are out of range", t.FromPort, t.ToPort)
	}
	if (n == 6 || n == 17) && t.FromPort > max(t.ToPort, 0) {
		return invalid("ports %d-%d are upside down", t.FromPort, t.ToPort)
	}
	return nil
}

// network4 reports whether p is an IPv4 network without host bits.
func network4(p netip.Prefix) bool { return p.IsValid() && p.Addr().Is4() && p == p.Masked() }

func contains(outer []netip.Prefix, inner netip.Prefix) bool {
	for _, o := range outer {
		if o.Bits() <= inner.Bits() && o.Contains(inner.Addr()) {
			return true
		}
	}
	return false
}
