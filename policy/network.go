package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func defaultGroupClosed(s *inventory.Stack, f *findings) {
	for _, v := range s.All(vpc) {
		closed := false
		for _, g := range s.About(v, defaultGroup, "vpcId") {
			closed = len(g.List("ingress")) == 0 && len(g.List("egress")) == 0 && !g.Value("ingress").IsComputed() && !g.Value("egress").IsComputed()
		}
		f.want(v, closed, "its default security group may let traffic through: take it over and empty it")
	}
}

func flowLogs(s *inventory.Stack, f *findings) {
	for _, v := range s.All(vpc) {
		logged := slices.ContainsFunc(s.About(v, flowLog, "vpcId"), func(l *inventory.Resource) bool {
			return l.Text("trafficType") == "ALL" || l.Text("trafficType") == "REJECT"
		})
		f.want(v, logged, "keeps no record of refused traffic: add a flow log")
	}
}

// endpoints wants S3 by a gateway endpoint, and by interface endpoints EC2 and what holds the stack's secrets and messages.
func endpoints(s *inventory.Stack, f *findings) {
	services := []string{"s3", "ec2"}
	if len(s.All(secret, cluster)) > 0 {
		services = append(services, "secretsmanager")
	}
	if len(s.All(queue)) > 0 {
		services = append(services, "sqs")
	}
	for _, v := range s.All(vpc) {
		there := s.About(v, endpoint, "vpcId")
		for _, service := range services {
			reached := slices.ContainsFunc(there, func(e *inventory.Resource) bool { return strings.HasSuffix(e.Text("serviceName"), "."+service) })
			f.want(v, reached, "reaches "+service+" over the internet: add its VPC endpoint")
		}
	}
}

func noPublicSubnets(s *inventory.Stack, f *findings) {
	for _, n := range s.All(subnet) {
		f.want(n, !n.On("mapPublicIpOnLaunch") && !n.Value("mapPublicIpOnLaunch").IsComputed(),
			"gives everything a public address: set mapPublicIpOnLaunch to false", "mapPublicIpOnLaunch")
	}
}

// administration are the ports of SSH and of Remote Desktop.
var administration = []float64{22, 3389}

func noRemoteAdministration(s *inventory.Stack, f *findings) {
	for _, r := range rulesOf(s) {
		if r.egress {
			continue
		}
		open := r.anywhere && slices.ContainsFunc(administration, r.covers)
		f.want(r.of, !open, "lets anyone reach port 22 or 3389: name who, or use Session Manager")
	}
	for _, r := range s.All(networkRule) {
		if r.On("egress") {
			continue
		}
		f.want(r, !admits(property.New(r.Inputs), "ruleAction"), "lets anyone reach port 22 or 3389: allow the ports that are needed")
	}
	for _, acl := range s.All(networkACL, defaultACL) {
		open := acl.Value("ingress").IsComputed() || slices.ContainsFunc(acl.List("ingress"), func(v property.Value) bool { return admits(v, "action") })
		f.want(acl, !open, "lets anyone reach port 22 or 3389: allow the ports that are needed", "ingress")
	}
}

// admits says that a rule of a network ACL lets anyone reach an administration port of TCP, or is not known not to.
func admits(rule property.Value, action string) bool {
	if inventory.Text(inventory.At(rule, action)) == "deny" || !anywhere(inventory.Text(inventory.At(rule, "cidrBlock")), inventory.Text(inventory.At(rule, "ipv6CidrBlock"))) {
		return false
	}
	p := protocol(inventory.At(rule, "protocol"))
	from, to := ports(inventory.At(rule, "fromPort"), inventory.At(rule, "toPort"))
	return p == "-1" || p == "tcp" && slices.ContainsFunc(administration, func(port float64) bool { return from <= port && port <= to })
}

func authorisedPorts(s *inventory.Stack, f *findings) {
	for _, r := range rulesOf(s) {
		if !r.egress && r.anywhere {
			f.want(r.of, r.protocol == "tcp" && r.from == r.to && (r.from == 80 || r.from == 443), "lets anyone reach more than ports 80 and 443: narrow it")
		}
	}
}

func narrowGroups(s *inventory.Stack, f *findings) {
	for _, r := range rulesOf(s) {
		f.want(r.of, r.described, "a rule of a security group says not what it is for: describe it")
		if r.egress {
			f.want(r.of, !r.anywhere || r.protocol != "-1", "lets everything out to everywhere: name ports or peers")
		}
	}
	for _, g := range s.All(group) {
		f.want(g, attached(s, g), "is attached to nothing: delete it")
	}
}

// attached says that something other than rules and outputs of components uses a security group.
func attached(s *inventory.Stack, g *inventory.Resource) bool { return len(users(s, g)) > 0 }

// users are the resources that name a security group, rules and components left out.
func users(s *inventory.Stack, g *inventory.Resource) (found []*inventory.Resource) {
	for _, r := range s.All() {
		if r.Type == groupRule || r.Type == ingressRule || r.Type == egressRule || !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		for input := range r.Inputs.All {
			if inventory.Refers(r, input, g) {
				found = append(found, r)
				break
			}
		}
	}
	return found
}

// denylists are the security groups that policies of Firewall Manager name, and nothing else: their rules let nobody in, they say what no other group may have.
func denylists(s *inventory.Stack) (found []*inventory.Resource) {
	for _, g := range s.All(group) {
		named := users(s, g)
		if len(named) > 0 && !slices.ContainsFunc(named, func(r *inventory.Resource) bool { return r.Type != firewallPolicy }) {
			found = append(found, g)
		}
	}
	return found
}
