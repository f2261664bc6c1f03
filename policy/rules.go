package policy

import (
	"slices"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// rule is one rule of a security group, in whichever of the three ways it is declared.
type rule struct {
	of        *inventory.Resource // that declares it
	egress    bool
	protocol  string // "-1" is all
	from, to  float64
	anywhere  bool // the peer is every address, or is not known
	described bool
}

// covers says that a TCP port is within the rule.
func (r *rule) covers(port float64) bool {
	return r.protocol == "-1" || r.protocol == "tcp" && r.from <= port && port <= r.to
}

// anywhere says that a block of addresses is all of them.
func anywhere(blocks ...string) bool {
	return slices.Contains(blocks, "0.0.0.0/0") || slices.Contains(blocks, "::/0")
}

// rulesOf returns all rules of security groups that let something in or out.
func rulesOf(s *inventory.Stack) (all []rule) {
	lists := denylists(s)
	for _, r := range s.All(ingressRule, egressRule) {
		if slices.ContainsFunc(lists, func(g *inventory.Resource) bool { return inventory.Refers(r, "securityGroupId", g) }) {
			continue
		}
		one := rule{
			of: r, egress: r.Type == egressRule, protocol: protocol(r.Value("ipProtocol")), described: r.Given("description"),
			anywhere: anywhere(r.Text("cidrIpv4"), r.Text("cidrIpv6")) || r.Value("cidrIpv4").IsComputed() || r.Value("cidrIpv6").IsComputed(),
		}
		one.from, one.to = ports(r.Value("fromPort"), r.Value("toPort"))
		all = append(all, one)
	}
	for _, r := range s.All(groupRule) {
		in := inline(r, property.New(r.Inputs))
		in.egress = r.Text("type") == "egress"
		all = append(all, in)
	}
	for _, g := range s.All(group) {
		for _, v := range inventory.List(g.Inputs.Get("ingress")) {
			all = append(all, inline(g, v))
		}
		for _, v := range inventory.List(g.Inputs.Get("egress")) {
			in := inline(g, v)
			in.egress = true
			all = append(all, in)
		}
	}
	return all
}

// protocol returns the name of a protocol. One that is not known may be any.
func protocol(v property.Value) string {
	switch name := inventory.Text(v); {
	case v.IsComputed(), name == "all":
		return "-1"
	case name == "6":
		return "tcp"
	default:
		return name
	}
}

// ports returns a range of ports. Ends that are not known may be anywhere.
func ports(from, to property.Value) (least, most float64) {
	least, most = 0, 65535
	if from.IsNumber() {
		least = from.AsNumber()
	}
	if to.IsNumber() {
		most = to.AsNumber()
	}
	return least, most
}

// inline reads a rule that has lists of blocks.
func inline(of *inventory.Resource, v property.Value) rule {
	r := rule{of: of, protocol: protocol(inventory.At(v, "protocol")), described: inventory.Text(inventory.At(v, "description")) != ""}
	r.from, r.to = ports(inventory.At(v, "fromPort"), inventory.At(v, "toPort"))
	for _, key := range []string{"cidrBlocks", "ipv6CidrBlocks"} {
		blocks := inventory.At(v, key)
		r.anywhere = r.anywhere || blocks.HasComputed()
		for _, b := range inventory.List(blocks) {
			r.anywhere = r.anywhere || anywhere(inventory.Text(b))
		}
	}
	return r
}
