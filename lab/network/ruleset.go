package network

import (
	"fmt"
	"net/netip"
	"slices"
)

// Links of a router that lead out of the VPC.
const (
	gatewayLink  = "igw"  // through the internet gateway
	endpointLink = "vpce" // to AWS services, through gateway endpoints
)

// ruleset renders everything that nftables does in a VPC's router as one transaction for "nft -f": it replaces what was there, so that no
// packet meets half of it. uplink is the router's own address on the internet side; cut holds pairs of private addresses that a fault parted.
//
// What looks up a link, an address or a subnet is a map or a set, so the cost of a packet does not grow with the VPC. Rules of security
// groups are rendered once for every combination of groups that an interface has, in a chain of their own.
func (v VPC) ruleset(uplink netip.Addr, cut [][2]netip.Addr) string {
	w := &script{}
	w.line("table ip lab")
	w.line("delete table ip lab")
	w.open("table ip lab")
	v.renderSets(w, cut)
	v.renderBase(w)
	v.renderTranslation(w, uplink)
	v.renderACLs(w)
	v.renderGroups(w)
	w.close()
	return w.String()
}

// renderSets declares who is where.
func (v VPC) renderSets(w *script, cut [][2]netip.Addr) {
	marks := map[string]uint32{}
	for _, s := range v.Subnets {
		marks[s.ID] = s.mark()
	}
	var subnetOf, inside, checked, owner, translated, parted []string
	for _, i := range v.Interfaces {
		subnetOf = append(subnetOf, fmt.Sprintf("%q : %#x", i.port(), marks[i.Subnet]))
		inside = append(inside, fmt.Sprintf("%q . %#x", i.port(), marks[i.Subnet]))
		if !i.NAT && !i.NoSourceDestCheck {
			checked = append(checked, fmt.Sprintf("%q", i.port()))
			owner = append(owner, fmt.Sprintf("%q . %s", i.port(), i.Address))
		}
		if i.Public.IsValid() {
			translated = append(translated, i.Address.String())
		}
	}
	for _, c := range cut {
		parted = append(parted, fmt.Sprintf("%s . %s", c[0], c[1]), fmt.Sprintf("%s . %s", c[1], c[0]))
	}
	w.set("map subnet_of", "ifname : mark", subnetOf)
	w.set("set inside", "ifname . mark", inside)
	w.set("set checked", "ifname", checked)
	w.set("set owner", "ifname . ipv4_addr", owner)
	w.set("set translated", "ipv4_addr", translated)
	w.set("set parted", "ipv4_addr . ipv4_addr", parted)
	for _, g := range v.SecurityGroups {
		var members []string
		for _, i := range v.Interfaces {
			if slices.Contains(i.SecurityGroups, g.ID) {
				members = append(members, i.Address.String())
			}
		}
		w.set("set "+groupSet(g.ID), "ipv4_addr", members)
	}
}

// renderBase declares the chains that the kernel calls. Packets are marked with their subnet before they are routed, because the subnet
// decides the route table. Forwarded ones pass the network ACLs (unless they stay in their subnet) and then the security groups. The router
// itself takes DNS queries only; neither groups nor ACLs filter those, as on AWS.
func (v VPC) renderBase(w *script) {
	w.open("chain prerouting")
	w.line("type filter hook prerouting priority raw; policy accept;")
	w.line("iifname @checked iifname . ip saddr != @owner drop")
	w.line("meta mark set iifname map @subnet_of")
	w.close()

	w.open("chain forward")
	w.line("type filter hook forward priority filter; policy drop;")
	w.line("ip saddr . ip daddr @parted drop")
	w.line("oifname @checked oifname . ip daddr != @owner drop")
	w.line("oifname . meta mark != @inside jump acls")
	w.line("ct state vmap { established : accept, related : accept, invalid : drop }")
	w.line("iifname %q drop", endpointLink)
	w.line("oifname %q ip saddr != @translated drop", gatewayLink)
	w.line("iifname vmap @egress")
	w.line("oifname { %q, %q } accept", gatewayLink, endpointLink)
	w.line("oifname vmap @ingress")
	w.close()

	w.open("chain input")
	w.line("type filter hook input priority filter; policy drop;")
	w.line(`iifname "lo" accept`)
	w.line("ct state established,related accept")
	w.line("iifname != { %q, %q } ip daddr %s meta l4proto { tcp, udp } th dport 53 accept", gatewayLink, endpointLink, v.Resolver())
	w.close()
}

// renderTranslation declares the internet gateway's one-to-one translation. What goes through a gateway endpoint needs no public address.
func (v VPC) renderTranslation(w *script, uplink netip.Addr) {
	var in, out []string
	for _, i := range v.Interfaces {
		if i.Public.IsValid() {
			in = append(in, fmt.Sprintf("%s : %s", i.Public, i.Address))
			out = append(out, fmt.Sprintf("%s : %s", i.Address, i.Public))
		}
	}
	w.set("map private_of", "ipv4_addr : ipv4_addr", in)
	w.set("map public_of", "ipv4_addr : ipv4_addr", out)
	w.open("chain translate_in")
	w.line("type nat hook prerouting priority dstnat; policy accept;")
	w.line("iifname %q dnat to ip daddr map @private_of", gatewayLink)
	w.close()
	w.open("chain translate_out")
	w.line("type nat hook postrouting priority srcnat; policy accept;")
	w.line("oifname %q snat to ip saddr map @public_of", gatewayLink)
	w.line("oifname %q snat to %s", endpointLink, uplink)
	w.close()
}

// renderACLs declares a chain for each direction of each network ACL that a subnet uses, except for those that let everything through.
func (v VPC) renderACLs(w *script) {
	acls := map[string]ACL{}
	for _, a := range v.ACLs {
		acls[a.ID] = a
	}
	var egress, ingress []string
	rendered := map[string]bool{}
	for _, s := range v.Subnets {
		a := acls[s.ACL]
		out, in := "acl_out_"+chainName(a.ID), "acl_in_"+chainName(a.ID)
		if !rendered[a.ID] {
			rendered[a.ID] = true
			renderACL(w, out, "daddr", a.Egress)
			renderACL(w, in, "saddr", a.Ingress)
		}
		if !open(a.Egress) {
			egress = append(egress, fmt.Sprintf("%#x : jump %s", s.mark(), out))
		}
		if open(a.Ingress) {
			continue
		}
		for _, i := range v.Interfaces {
			if i.Subnet == s.ID {
				ingress = append(ingress, fmt.Sprintf("%q : jump %s", i.port(), in))
			}
		}
	}
	w.set("map acl_egress", "mark : verdict", egress)
	w.set("map acl_ingress", "ifname : verdict", ingress)
	w.open("chain acls")
	w.line("meta mark vmap @acl_egress")
	w.line("oifname vmap @acl_ingress")
	w.close()
}

func renderACL(w *script, chain, end string, entries []ACLEntry) {
	if open(entries) {
		return
	}
	w.open("chain %s", chain)
	for _, e := range entries {
		verdict := "drop"
		if e.Allow {
			verdict = "return"
		}
		address, four := peer(end, e.CIDR)
		traffic, ok := e.Traffic.match()
		if four && ok {
			w.line("%s", join(address, traffic, verdict))
		}
	}
	w.line("drop")
	w.close()
}

// open reports whether the first entry already allows everything, as in a VPC's default network ACL.
func open(entries []ACLEntry) bool {
	return len(entries) > 0 && entries[0].Allow && entries[0].Protocol == "-1" && entries[0].CIDR.Addr().Is4() && entries[0].CIDR.Bits() == 0
}
