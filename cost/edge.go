package cost

import (
	"math"

	"storefront/internal/inventory"
)

// network counts what leads in and out of the VPC. Data is assumed.
func (e *estimator) network() {
	nat := float64(len(e.stack.All(natGateway)))
	e.charge("NAT gateways", exactly(nat*hours), "nat", "hour")
	e.charge("elastic addresses", exactly(float64(len(e.stack.All(address)))*hours), "public address", "hour")
	if nat > 0 {
		e.use("data through NAT gateways", "natGB", "nat", "GB")
	}
	interfaces := 0
	for _, r := range e.stack.All(endpoint) {
		if r.Text("vpcEndpointType") == "Interface" {
			interfaces += e.stack.Zones(r, "subnetIds")
		}
	}
	e.charge("interface endpoints, in each zone", exactly(float64(interfaces)*hours), "interface endpoint", "hour")
	if interfaces > 0 {
		e.use("data through interface endpoints", "endpointGB", "interface endpoint", "GB")
	}
	if e.has("aws:ec2/vpc:Vpc") {
		e.use("data between zones", "zonesGB", "transfer", "zones")
	}
	e.charge("hosted zones", exactly(float64(len(e.stack.All(hostedZone)))), "hosted zone", "zone")
}

// loadBalancer counts load balancers, their addresses and their capacity units. One unit is a gigabyte in an hour or 25 new connections in
// a second, whichever is more ("Application Load Balancer pricing"); every request counts as a connection of its own.
func (e *estimator) loadBalancer() {
	open := false
	for _, r := range e.stack.All(loadBalancer) {
		if kind := r.Text("loadBalancerType"); kind != "application" && kind != "" {
			e.lack("load balancer of type %s (%s)", kind, r.Name)
			continue
		}
		e.charge("load balancers", exactly(hours), "load balancer", "hour")
		if !r.On("internal") {
			open = true
			e.charge("public addresses, one in each zone", exactly(float64(e.stack.Zones(r, "subnets"))*hours), "public address", "hour")
		}
	}
	if !e.has(loadBalancer) {
		return
	}
	gigabytes := e.assume("requests") * e.assume("responseKB") // millions of kilobytes
	perSecond := e.assume("requests") * 1e6 / (hours * 3600)
	e.charge("capacity units", exactly(max(gigabytes, perSecond/25*hours)), "load balancer", "LCU-hour")
	if open {
		e.charge("data to the internet", exactly(gigabytes), "transfer", "internet")
	}
}

// firewall counts web ACLs, their rules (a managed group is one) and the policies that watch over them.
func (e *estimator) firewall() {
	for _, r := range e.stack.All(webACL) {
		e.charge("web ACLs", exactly(1), "waf", "web ACL")
		e.charge("rules", exactly(e.length(r, "rules")), "waf", "rule")
		e.use("requests that are looked at", "requests", "waf", "million requests")
	}
	for _, r := range e.stack.All(ruleGroup) {
		e.charge("rules", exactly(e.length(r, "rules")), "waf", "rule")
	}
	for _, r := range e.stack.All(firewallPolicy) {
		e.charge("policies of Firewall Manager", exactly(1), "firewall manager", "policy")
		if r.Text("securityServicePolicyData.type") == "SHIELD_ADVANCED" {
			e.lack("the subscription to Shield Advanced (%s)", r.Name)
		}
	}
	if e.has(recorder) {
		e.use("items that AWS Config records", "configItems", "config", "thousand items")
	}
}

// length returns how many elements a list has. One that is not known before the deployment is noted.
func (e *estimator) length(r *inventory.Resource, path string) float64 {
	if r.Value(path).IsComputed() {
		e.lack("%s: %s are not known before the deployment", r.Name, path)
	}
	return float64(len(r.List(path)))
}

// compute counts the servers of fleets, from the fewest to the most that a group may have. The first ones and a share of the others are
// on demand, of the first type that is listed; spot servers cost between the lowest share of the cheapest type's price and the whole of the dearest's.
func (e *estimator) compute() {
	lowest, _, _ := e.prices.find("spot", "lowest")
	for _, g := range e.stack.All(fleet) {
		least, most := e.number(g, "minSize", 0), e.number(g, "maxSize", 0)
		template := e.template(g)
		types := instanceTypes(g, template)
		if len(types) == 0 {
			e.lack("servers of %s: no instance type is known", g.Name)
			continue
		}
		fixed := Range{onDemand(g, least), onDemand(g, most)}
		e.charge(g.Name+", on demand, "+types[0], fixed.times(hours), "ec2", types[0])
		price, unit := Range{math.Inf(1), 0}, ""
		for _, t := range types {
			p, u, known := e.prices.find("ec2", t)
			if !known {
				e.lack("ec2 %s (%s)", t, g.Name)
				continue
			}
			price, unit = Range{min(price.Low, p*lowest), max(price.High, p)}, u
		}
		if spot := (Range{least, most}).minus(fixed); unit != "" {
			e.add(g.Name+", spot", spot.times(hours), unit, price)
		}
		e.servers(g, template, Range{least, most})
	}
}

// detailedMetrics is how many metrics detailed monitoring of an instance has ("CloudWatch pricing").
const detailedMetrics = 7

// servers counts what comes with each server of a fleet.
func (e *estimator) servers(g, template *inventory.Resource, count Range) {
	if template == nil {
		e.lack("volumes of %s: its launch template is not in the stack", g.Name)
		return
	}
	for i := range template.List("blockDeviceMappings") {
		ebs := "blockDeviceMappings." + itoa(i) + ".ebs."
		kind := template.Text(ebs + "volumeType")
		if kind == "" {
			kind = "gp2"
		}
		e.charge("volumes of servers", count.times(e.number(template, ebs+"volumeSize", 8)), "volume", kind)
	}
	if template.On("monitoring.enabled") {
		e.charge("detailed monitoring of servers", count.times(detailedMetrics), "cloudwatch", "metric")
	}
}

// template returns the launch template of a fleet, or nil.
func (e *estimator) template(g *inventory.Resource) *inventory.Resource {
	for _, t := range e.stack.All(launchTemplate) {
		if inventory.Refers(g, "mixedInstancesPolicy", t) || inventory.Refers(g, "launchTemplate", t) {
			return t
		}
	}
	return nil
}

// instanceTypes returns the types of a fleet's servers, the preferred one first.
func instanceTypes(g, template *inventory.Resource) (types []string) {
	for _, o := range g.List("mixedInstancesPolicy.launchTemplate.overrides") {
		if t := inventory.Text(inventory.At(o, "instanceType")); t != "" {
			types = append(types, t)
		}
	}
	if len(types) == 0 && template != nil && template.Text("instanceType") != "" {
		types = append(types, template.Text("instanceType"))
	}
	return types
}

// onDemand returns how many of n servers of a fleet are on demand. A share is rounded up, as Auto Scaling does.
func onDemand(g *inventory.Resource, n float64) float64 {
	if !g.Given("mixedInstancesPolicy") {
		return n
	}
	const distribution = "mixedInstancesPolicy.instancesDistribution."
	base, _ := g.Number(distribution + "onDemandBaseCapacity")
	percent, known := g.Number(distribution + "onDemandPercentageAboveBaseCapacity")
	if !known {
		percent = 100
	}
	return min(n, base) + math.Ceil(max(0, n-base)*percent/100)
}
