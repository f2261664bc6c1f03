package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

func (r *reader) balancers() (bands []*band) {
	for _, b := range r.All(balancerType) {
		var ports []string
		for _, l := range r.About(b, "aws:lb/listener:Listener", "loadBalancerArn") {
			ports = append(ports, fmt.Sprintf("%s %d", l.Text("protocol"), number(l, "port", 0)))
		}
		slices.Sort(ports)
		title := "Application Load Balancer"
		if kind := b.Text("loadBalancerType"); kind != "" && kind != "application" {
			title = kind + " load balancer"
		}
		bands = append(bands, &band{title: title, note: strings.Join(ports, ", "), class: "edge", of: b, groups: r.groupsOf(b, "securityGroups")})
	}
	return bands
}

// gateways is the band of NAT gateways, each in the zone of its subnet, or nil.
func (r *reader) gateways() *band {
	chips := map[string][]chip{}
	for _, nat := range r.All("aws:ec2/natGateway:NatGateway") {
		zone := r.zonesOf(nat, "subnetId")[0]
		chips[zone] = append(chips[zone], chip{"NAT gateway", "its own address", "plain"})
	}
	if len(chips) == 0 {
		return nil
	}
	return &band{chips: chips}
}

func (r *reader) fleets() (bands []*band) {
	for _, g := range r.All(fleetType) {
		template := r.template(g)
		var types []string
		for _, o := range g.List("mixedInstancesPolicy.launchTemplate.overrides") {
			types = append(types, inventory.Text(inventory.At(o, "instanceType")))
		}
		if len(types) == 0 && template != nil {
			types = append(types, template.Text("instanceType"))
		}
		types = slices.DeleteFunc(types, func(t string) bool { return t == "" })
		least, most := number(g, "minSize", 0), number(g, "maxSize", 0)
		server := chip{title: "server", class: "spot"}
		if len(types) > 0 {
			server.note = types[0]
		}
		bands = append(bands, &band{
			title: "fleet " + r.short(g.Name, "servers"), note: between(least, most) + " servers, " + capacity(g) + choice(types), class: "spot",
			chips: spread(least, r.zonesOf(g, "vpcZoneIdentifiers"), server), of: g, groups: r.groupsOf(template, "networkInterfaces", "vpcSecurityGroupIds"),
		})
	}
	return bands
}

func (r *reader) template(g *inventory.Resource) *inventory.Resource {
	for _, t := range r.All(templateType) {
		if inventory.Refers(g, "mixedInstancesPolicy", t) || inventory.Refers(g, "launchTemplate", t) {
			return t
		}
	}
	return nil
}

// capacity says how much of a fleet is on demand.
func capacity(g *inventory.Resource) string {
	if !g.Given("mixedInstancesPolicy") {
		return "on demand"
	}
	const distribution = "mixedInstancesPolicy.instancesDistribution."
	base, percent := number(g, distribution+"onDemandBaseCapacity", 0), number(g, distribution+"onDemandPercentageAboveBaseCapacity", 100)
	switch {
	case percent == 100:
		return "on demand"
	case base == 0 && percent == 0:
		return "all spot"
	case percent == 0:
		return fmt.Sprintf("%d on demand, the others spot", base)
	}
	return fmt.Sprintf("%d on demand, of the others %d %% spot", base, 100-percent)
}

func choice(types []string) string {
	if len(types) < 2 {
		return ""
	}
	return ", " + count(len(types), "type") + " to choose from"
}

// endpoints are one band, however many there are.
func (r *reader) endpoints() []*band {
	var interfaces, gateways []string
	for _, e := range r.All(endpointType) {
		service := e.Text("serviceName")
		service = service[strings.LastIndex(service, ".")+1:]
		if e.Text("vpcEndpointType") == "Interface" {
			interfaces = append(interfaces, service)
		} else {
			gateways = append(gateways, service+" by route")
		}
	}
	all := slices.Concat(interfaces, gateways)
	if len(all) == 0 {
		return nil
	}
	return []*band{{title: "endpoints", note: strings.Join(all, ", "), class: "quiet"}}
}

func (r *reader) databases() (bands []*band) {
	for _, c := range r.All(clusterType) {
		instances := r.About(c, "aws:rds/clusterInstance:ClusterInstance", "clusterIdentifier")
		slices.SortStableFunc(instances, func(a, b *inventory.Resource) int {
			return cmp.Compare(number(a, "promotionTier", 1), number(b, "promotionTier", 1))
		})
		chips := map[string][]chip{}
		for i, instance := range instances {
			zone := instance.Text("availabilityZone")
			if !slices.Contains(r.zones, zone) {
				zone = r.zones[i%len(r.zones)]
			}
			chips[zone] = append(chips[zone], chip{role(instance, i), instance.Text("instanceClass"), "data"})
		}
		note := strings.TrimPrefix(c.Text("engine"), "aurora-") + " " + c.Text("engineVersion")
		for _, t := range r.All("aws:appautoscaling/target:Target") {
			if most := number(t, "maxCapacity", 0); t.Text("serviceNamespace") == "rds" && most > len(instances)-1 {
				note += fmt.Sprintf(", up to %s", count(most, "reader"))
			}
		}
		bands = append(bands, &band{title: "Aurora", note: note, class: "data", chips: chips, of: c, groups: r.groupsOf(c, "vpcSecurityGroupIds")})
	}
	return bands
}

// role is what an instance of a cluster does: what AWS says, and before the deployment what it is declared for.
func role(instance *inventory.Resource, i int) string {
	writer := instance.Outputs.Get("writer")
	switch {
	case writer.IsBool() && writer.AsBool():
		return "writer"
	case writer.IsBool():
		return "reader"
	case i == 0:
		return "writer"
	}
	return "reader"
}

func (r *reader) caches() (bands []*band) {
	for _, c := range r.All(cacheType) {
		nodes := number(c, "numCacheClusters", 0)
		if nodes == 0 {
			nodes = number(c, "numNodeGroups", 1) * (1 + number(c, "replicasPerNodeGroup", 0))
		}
		chips := spread(nodes, r.zones, chip{"replica", c.Text("nodeType"), "data"})
		if first := chips[r.zones[0]]; len(first) > 0 {
			first[0].title = "primary"
		}
		bands = append(bands, &band{
			title: "cache", note: cmp.Or(c.Text("engine"), "redis") + " " + c.Text("engineVersion"), class: "data", chips: chips, of: c, groups: r.groupsOf(c, "securityGroupIds"),
		})
	}
	return bands
}

func (r *reader) domains() (bands []*band) {
	for _, d := range r.All(domainTypes...) {
		zones := r.zonesOf(d, "vpcOptions")
		kind := func(path string) string {
			return strings.TrimSuffix(strings.TrimSuffix(d.Text(path), ".elasticsearch"), ".search")
		}
		chips := spread(number(d, "clusterConfig.instanceCount", 1), zones, chip{"node", kind("clusterConfig.instanceType"), "data"})
		if d.On("clusterConfig.dedicatedMasterEnabled") {
			masters := spread(number(d, "clusterConfig.dedicatedMasterCount", 3), zones, chip{"master", kind("clusterConfig.dedicatedMasterType"), "quiet"})
			for zone, more := range masters {
				chips[zone] = append(chips[zone], more...)
			}
		}
		note := "Elasticsearch " + d.Text("elasticsearchVersion")
		if engine := d.Text("engineVersion"); engine != "" {
			note = strings.ReplaceAll(engine, "_", " ")
		}
		if gib := number(d, "ebsOptions.volumeSize", 0); gib > 0 {
			note += fmt.Sprintf(", %d GiB a node", gib)
		}
		bands = append(bands, &band{title: "search", note: note, class: "data", chips: chips, of: d, groups: r.groupsOf(d, "vpcOptions")})
	}
	return bands
}
