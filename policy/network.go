package policy

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func defaultGroupClosed(s *Stack, f *findings) {
	for _, v := range s.all(vpc) {
		closed := false
		for _, g := range s.about(v, defaultGroup, "vpcId") {
			closed = len(g.list("ingress")) == 0 && len(g.list("egress")) == 0 && !g.value("ingress").IsComputed() && !g.value("egress").IsComputed()
		}
		f.want(v, closed, "its default security group may let traffic through: take it over and empty it")
	}
}

func flowLogs(s *Stack, f *findings) {
	for _, v := range s.all(vpc) {
		logged := slices.ContainsFunc(s.about(v, flowLog, "vpcId"), func(l *Resource) bool {
			return l.text("trafficType") == "ALL" || l.text("trafficType") == "REJECT"
		})
		f.want(v, logged, "keeps no record of refused traffic: add a flow log")
	}
}

// endpoints wants S3 by a gateway endpoint, and by interface endpoints EC2 and what holds the stack's secrets and messages.
func endpoints(s *Stack, f *findings) {
	services := []string{"s3", "ec2"}
	if len(s.all(secret, cluster)) > 0 {
		services = append(services, "secretsmanager")
	}
	if len(s.all(queue)) > 0 {
		services = append(services, "sqs")
	}
	for _, v := range s.all(vpc) {
		there := s.about(v, endpoint, "vpcId")
		for _, service := range services {
			reached := slices.ContainsFunc(there, func(e *Resource) bool { return strings.HasSuffix(e.text("serviceName"), "."+service) })
			f.want(v, reached, "reaches "+service+" over the internet: add its VPC endpoint")
		}
	}
}

func noPublicSubnets(s *Stack, f *findings) {
	for _, n := range s.all(subnet) {
		f.want(n, !n.on("mapPublicIpOnLaunch") && !n.value("mapPublicIpOnLaunch").IsComputed(),
			"gives everything a public address: set mapPublicIpOnLaunch to false", "mapPublicIpOnLaunch")
	}
}

// administration are the ports of SSH and of Remote Desktop.
var administration = []float64{22, 3389}

func noRemoteAdministration(s *Stack, f *findings) {
	for _, r := range s.rules() {
		if r.egress {
			continue
		}
		open := r.anywhere && slices.ContainsFunc(administration, r.covers)
		f.want(r.of, !open, "lets anyone reach port 22 or 3389: name who, or use Session Manager")
	}
	for _, r := range s.all(networkRule) {
		if r.on("egress") {
			continue
		}
		f.want(r, !admits(property.New(r.Inputs), "ruleAction"), "lets anyone reach port 22 or 3389: allow the ports that are needed")
	}
	for _, acl := range s.all(networkACL, defaultACL) {
		open := acl.value("ingress").IsComputed() || slices.ContainsFunc(acl.list("ingress"), func(v property.Value) bool { return admits(v, "action") })
		f.want(acl, !open, "lets anyone reach port 22 or 3389: allow the ports that are needed", "ingress")
	}
}

// admits says that a rule of a network ACL lets anyone reach an administration port of TCP, or is not known not to.
func admits(rule property.Value, action string) bool {
	if text(at(rule, action)) == "deny" || !anywhere(text(at(rule, "cidrBlock")), text(at(rule, "ipv6CidrBlock"))) {
		return false
	}
	p := protocol(at(rule, "protocol"))
	from, to := ports(at(rule, "fromPort"), at(rule, "toPort"))
	return p == "-1" || p == "tcp" && slices.ContainsFunc(administration, func(port float64) bool { return from <= port && port <= to })
}

func authorisedPorts(s *Stack, f *findings) {
	for _, r := range s.rules() {
		if !r.egress && r.anywhere {
			f.want(r.of, r.protocol == "tcp" && r.from == r.to && (r.from == 80 || r.from == 443), "lets anyone reach more than ports 80 and 443: narrow it")
		}
	}
}

func narrowGroups(s *Stack, f *findings) {
	for _, r := range s.rules() {
		f.want(r.of, r.described, "a rule of a security group says not what it is for: describe it")
		if r.egress {
			f.want(r.of, !r.anywhere || r.protocol != "-1", "lets everything out to everywhere: name ports or peers")
		}
	}
	for _, g := range s.all(group) {
		f.want(g, s.attached(g), "is attached to nothing: delete it")
	}
}

// attached says that something other than rules and outputs of components uses a security group.
func (s *Stack) attached(g *Resource) bool {
	for _, r := range s.resources {
		if r.Type == groupRule || r.Type == ingressRule || r.Type == egressRule || !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		for input := range r.Inputs.All {
			if refers(r, input, g) {
				return true
			}
		}
	}
	return false
}
