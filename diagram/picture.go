package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

// picture is what is drawn, before it has a place.
type picture struct {
	name, source, vpc string
	zones             []string
	edge              []chip // from the customer to the load balancer
	tiers             []tier
	beside            []queueBox // regional, beside the servers
	regional          []card     // what the servers use outside of the VPC
	operations        []card     // what keeps and watches everything
	links             []link
}

// tier is a row of subnets, one in each zone.
type tier struct {
	name, note string
	subnets    map[string]string // CIDR by zone
	bands      []*band
}

// band is one thing that spans the zones of a tier.
type band struct {
	title, note, class string
	chips              map[string][]chip // by zone
	of                 *inventory.Resource
	groups             []*inventory.Resource // security groups
}

// chip is a small box with two lines.
type chip struct{ title, note, class string }

// card is a box with a list in it.
type card struct {
	title string
	lines []string
}

// queueBox is a queue with the one that takes what fails for good.
type queueBox struct {
	title, note, dead string
	of                *inventory.Resource
}

// link is an arrow between two bands, or between a band and a queue.
type link struct{ from, to *inventory.Resource }

// reader turns resources into a picture.
type reader struct {
	*inventory.Stack
	prefix string // of all names of the stack
	zones  []string
	p      *picture
}

const (
	subnetType     = "aws:ec2/subnet:Subnet"
	associationTyp = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	routeType      = "aws:ec2/route:Route"
	tableType      = "aws:ec2/routeTable:RouteTable"
	groupType      = "aws:ec2/securityGroup:SecurityGroup"
	ingressType    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	balancerType   = "aws:lb/loadBalancer:LoadBalancer"
	fleetType      = "aws:autoscaling/group:Group"
	templateType   = "aws:ec2/launchTemplate:LaunchTemplate"
	endpointType   = "aws:ec2/vpcEndpoint:VpcEndpoint"
	clusterType    = "aws:rds/cluster:Cluster"
	cacheType      = "aws:elasticache/replicationGroup:ReplicationGroup"
)

var domainTypes = []string{"aws:elasticsearch/domain:Domain", "aws:opensearch/domain:Domain"}

func read(s *inventory.Stack, source string) (*picture, error) {
	resources := s.All()
	slices.SortFunc(resources, func(a, b *inventory.Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	r := &reader{Stack: inventory.NewStack(resources), p: &picture{source: source}}
	for _, subnet := range r.All(subnetType) {
		if zone := subnet.Text("availabilityZone"); zone != "" && !slices.Contains(r.zones, zone) {
			r.zones = append(r.zones, zone)
		}
	}
	if len(r.zones) == 0 {
		return nil, ErrEmpty
	}
	slices.Sort(r.zones)
	r.p.zones = r.zones
	for _, vpc := range r.All("aws:ec2/vpc:Vpc") {
		r.prefix, r.p.name, r.p.vpc = vpc.Name, vpc.Name, "VPC "+vpc.Text("cidrBlock")
	}
	r.readEdge()
	r.readTiers()
	r.readQueues()
	r.readOperations()
	r.readLinks()
	return r.p, nil
}

// short is a name without what all names of the stack begin with; what has that name alone keeps another one.
func (r *reader) short(name, otherwise string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(name, r.prefix), "-")
	return cmp.Or(rest, otherwise)
}

func (r *reader) readEdge() {
	r.p.edge = append(r.p.edge, chip{"customers", "the internet", "plain"})
	if len(r.All("aws:ec2/internetGateway:InternetGateway")) > 0 {
		r.p.edge = append(r.p.edge, chip{"internet gateway", "of the VPC", "plain"})
	}
	policies := len(r.All("aws:fms/policy:Policy"))
	for _, acl := range r.All("aws:wafv2/webAcl:WebAcl") {
		note := count(len(acl.List("rules")), "rule")
		if policies > 0 {
			note += ", Firewall Manager"
		}
		r.p.edge = append(r.p.edge, chip{"web ACL", note, "guard"})
	}
}

func (r *reader) readTiers() {
	public := tier{name: "public", note: "to and from the internet", subnets: map[string]string{}}
	servers := tier{name: "application", note: "out through NAT", subnets: map[string]string{}}
	data := tier{name: "data", note: "no way out", subnets: map[string]string{}}
	for _, subnet := range r.All(subnetType) {
		into := &data
		switch gateway, nat := r.ways(subnet); {
		case gateway:
			into = &public
		case nat || r.hosts(subnet):
			into = &servers
		}
		zone := subnet.Text("availabilityZone")
		into.subnets[zone] = strings.TrimPrefix(into.subnets[zone]+", "+subnet.Text("cidrBlock"), ", ")
	}
	if nat := r.gateways(); nat != nil {
		public.bands = append(r.balancers(), nat)
	} else {
		public.bands, servers.note = r.balancers(), "no way out"
	}
	servers.bands = append(r.fleets(), r.endpoints()...)
	data.bands = slices.Concat(r.databases(), r.caches(), r.domains())
	for _, t := range []tier{public, servers, data} {
		if len(t.subnets) > 0 {
			r.p.tiers = append(r.p.tiers, t)
		}
	}
}

// ways says whether a subnet's routes lead to an internet gateway, and to a NAT gateway.
func (r *reader) ways(subnet *inventory.Resource) (gateway, nat bool) {
	for _, association := range r.About(subnet, associationTyp, "subnetId") {
		for _, table := range r.All(tableType) {
			if !inventory.Refers(association, "routeTableId", table) {
				continue
			}
			for _, route := range r.About(table, routeType, "routeTableId") {
				gateway, nat = gateway || route.Given("gatewayId"), nat || route.Given("natGatewayId")
			}
		}
	}
	return gateway, nat
}

// hosts says that servers run in a subnet.
func (r *reader) hosts(subnet *inventory.Resource) bool {
	return len(r.About(subnet, fleetType, "vpcZoneIdentifiers")) > 0
}

// zonesOf returns the zones of the subnets that an input names, or all where none is known.
func (r *reader) zonesOf(of *inventory.Resource, input string) (zones []string) {
	for _, subnet := range r.All(subnetType) {
		if zone := subnet.Text("availabilityZone"); inventory.Refers(of, input, subnet) && !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	slices.Sort(zones)
	if len(zones) == 0 {
		return r.zones
	}
	return zones
}

// groupsOf returns the security groups that inputs name.
func (r *reader) groupsOf(of *inventory.Resource, inputs ...string) (groups []*inventory.Resource) {
	for _, input := range inputs {
		for _, g := range r.All(groupType) {
			if of != nil && inventory.Refers(of, input, g) {
				groups = append(groups, g)
			}
		}
	}
	return groups
}

// spread deals n equal chips to zones in turn.
func spread(n int, zones []string, c chip) map[string][]chip {
	chips := map[string][]chip{}
	for i := range n {
		zone := zones[i%len(zones)]
		chips[zone] = append(chips[zone], c)
	}
	return chips
}

func number(r *inventory.Resource, path string, otherwise int) int {
	if n, known := r.Number(path); known && n >= 0 && n < 1000 {
		return int(n)
	}
	return otherwise
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// between is a number, or the range of it.
func between(least, most int) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}
