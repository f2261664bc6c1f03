package ec2

import (
	"fmt"
	"net/netip"
	"strings"

	"storefront/lab/network"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Topology turns the state into the network that the data plane has to make. IPv6 rules are left out: the lab's network is IPv4.
func (s *Service) Topology(tx *state.Tx) (network.Topology, error) {
	t := network.Topology{Services: s.Endpoints}
	at := map[string]int{}
	for _, v := range vpcs.table.All(tx) {
		at[v.ID] = len(t.VPCs)
		t.VPCs = append(t.VPCs, network.VPC{
			ID: v.ID, CIDRs: v.blocks(), InternetGateway: gateways.any(tx, func(g gateway) bool { return g.VPC == v.ID }),
		})
	}
	find := func(kind, id, vpc string) (*network.VPC, error) {
		i, ok := at[vpc]
		if !ok {
			return nil, fmt.Errorf("%s %s belongs to the VPC %s, which is not there", kind, id, vpc)
		}
		return &t.VPCs[i], nil
	}
	for _, v := range routeTables.table.All(tx) {
		vpc, err := find("route table", v.ID, v.VPC)
		if err != nil {
			return t, err
		}
		vpc.RouteTables = append(vpc.RouteTables, network.RouteTable{ID: v.ID, Routes: s.routes(tx, v)})
	}
	for _, v := range acls.table.All(tx) {
		vpc, err := find("network ACL", v.ID, v.VPC)
		if err != nil {
			return t, err
		}
		vpc.ACLs = append(vpc.ACLs, v.network())
	}
	for _, v := range groups.table.All(tx) {
		vpc, err := find("security group", v.ID, v.VPC)
		if err != nil {
			return t, err
		}
		vpc.SecurityGroups = append(vpc.SecurityGroups, s.networkGroup(v))
	}
	for _, v := range subnets.table.All(tx) {
		vpc, err := find("subnet", v.ID, v.VPC)
		if err != nil {
			return t, err
		}
		vpc.Subnets = append(vpc.Subnets, network.Subnet{ID: v.ID, CIDR: v.CIDR, RouteTable: effectiveTable(tx, v), ACL: effectiveACL(tx, v)})
	}
	for _, v := range interfaces.table.All(tx) {
		vpc, err := find("network interface", v.ID, v.VPC)
		if err != nil {
			return t, err
		}
		if v.Attachment != nil {
			vpc.Interfaces = append(vpc.Interfaces, v.network())
		}
	}
	return t, nil
}

// metadataAddress is the instance metadata service's, inside each instance.
func metadataAddress() netip.Addr { return netip.AddrFrom4([4]byte{169, 254, 169, 254}) }

func (v Interface) network() network.Interface {
	out := network.Interface{
		ID: v.ID, Subnet: v.Subnet, Address: v.Address, Public: v.Public.Address, SecurityGroups: v.SecurityGroups, NoSourceDestCheck: v.NoSourceCheck,
		NAT: v.Type == "nat_gateway",
	}
	if v.instance() != "" {
		out.LinkLocal = []netip.Addr{metadataAddress()}
	}
	return out
}

// effectiveTable is the route table of a subnet: its own, or the VPC's main one.
func effectiveTable(tx *state.Tx, subnet Subnet) string {
	main := ""
	for _, t := range routeTables.table.All(tx) {
		if t.VPC != subnet.VPC {
			continue
		}
		for _, a := range t.Associations {
			if a.Subnet == subnet.ID {
				return t.ID
			}
		}
		if t.main() {
			main = t.ID
		}
	}
	return main
}

func effectiveACL(tx *state.Tx, subnet Subnet) string {
	for _, a := range acls.table.All(tx) {
		for _, o := range a.Associations {
			if o.Subnet == subnet.ID {
				return a.ID
			}
		}
	}
	return ""
}

// routes are the routes of a table besides the local ones.
func (s *Service) routes(tx *state.Tx, t routeTable) []network.Route {
	var out []network.Route
	for _, r := range t.Routes {
		n := network.Route{Kind: network.Blackhole}
		if r.alive(tx, t.VPC) {
			switch {
			case r.Gateway != "":
				n.Kind = network.ToInternetGateway
			case r.NAT != "":
				g, _, err := nats.table.Get(tx, r.NAT)
				if err != nil {
					panic(err)
				}
				n.Kind, n.Target = network.ToInterface, g.Interface
			default:
				n.Kind, n.Target = network.ToInterface, r.Interface
			}
		}
		for _, d := range s.destinations(r) {
			n.Destination = d
			out = append(out, n)
		}
	}
	for _, e := range endpoints.table.All(tx) {
		for _, id := range e.RouteTables {
			if id == t.ID {
				out = append(out, network.Route{Kind: network.ToServiceEndpoint, Target: e.service(s.Region.Name)})
			}
		}
	}
	return out
}

// destinations expands the prefix list of a route.
func (s *Service) destinations(r route) []netip.Prefix {
	if r.PrefixList == "" {
		return []netip.Prefix{r.Destination}
	}
	list, _ := s.prefixList(r.PrefixList)
	return list.CIDRs
}

func (v acl) network() network.ACL {
	out := network.ACL{ID: v.ID}
	for _, e := range v.Entries {
		names := map[string]string{"6": "tcp", "17": "udp", "1": "icmp"}
		n := network.ACLEntry{Traffic: network.Traffic{Protocol: e.Protocol}, Number: int(e.Number), Allow: e.Allow, CIDR: e.CIDR}
		if name := names[e.Protocol]; name != "" {
			n.Protocol = name
		}
		from, to := e.From, e.To
		if e.ICMPType != nil {
			from, to = e.ICMPType, e.ICMPCode
		}
		n.FromPort, n.ToPort = int(wire.Value(from)), int(wire.Value(to))
		if e.Egress {
			out.Egress = append(out.Egress, n)
		} else {
			out.Ingress = append(out.Ingress, n)
		}
	}
	return out
}

// networkGroup expands prefix lists of a group's rules.
func (s *Service) networkGroup(v SecurityGroup) network.SecurityGroup {
	out := network.SecurityGroup{ID: v.ID}
	for _, r := range v.Rules {
		base := network.GroupRule{Traffic: network.Traffic{Protocol: r.Protocol, FromPort: int(wire.Value(r.From)), ToPort: int(wire.Value(r.To))}, Group: r.Group}
		rules := []network.GroupRule{base}
		switch {
		case strings.Contains(r.CIDR, ":") || r.Protocol == "icmpv6":
			continue
		case r.CIDR != "":
			rules[0].CIDR = netip.MustParsePrefix(r.CIDR) // checked when the rule was made
		case r.PrefixList != "":
			list, _ := s.prefixList(r.PrefixList)
			rules = rules[:0]
			for _, p := range list.CIDRs {
				base.CIDR = p
				rules = append(rules, base)
			}
		}
		if r.Egress {
			out.Egress = append(out.Egress, rules...)
		} else {
			out.Ingress = append(out.Ingress, rules...)
		}
	}
	return out
}
