package dataplane

import (
	"net/netip"
	"strings"

	mdns "github.com/miekg/dns"

	"storefront/lab/dns"
	"storefront/lab/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
)

// Names answers the queries of the VPCs' resolvers: private host names, load balancers, databases, caches, search domains, and the endpoints of AWS services.
type Names struct {
	Store     *state.Store
	Region    region.Region
	EC2       *ec2.Service
	Endpoints Endpoints
	Domain    string // of private host names
	// Balancer returns the addresses behind a load balancer's DNS name.
	Balancer func(tx *state.Tx, name string) ([]netip.Addr, bool)
	// Database returns the addresses behind a database endpoint.
	Database func(tx *state.Tx, name string) ([]netip.Addr, bool)
	// Cache returns the addresses behind an endpoint of a cache.
	Cache func(tx *state.Tx, name string) ([]netip.Addr, bool)
	// Search returns the addresses behind the endpoint of a search domain.
	Search func(tx *state.Tx, name string) ([]netip.Addr, bool)
}

// serviceTTL is how long a service endpoint's address may be remembered, in seconds.
const serviceTTL = 60

// Lookup implements dns.Source.
func (n *Names) Lookup(vpc, name string, qtype uint16) (records []dns.Record, found bool) {
	// A failed read is a name that is not there: resolvers ask again.
	_ = n.Store.View(func(tx *state.Tx) error {
		addresses, ttl, ok := n.find(tx, vpc, name)
		found = ok
		if qtype == mdns.TypeA {
			for _, a := range addresses {
				records = append(records, dns.Record{TTL: ttl, Address: a})
			}
		}
		return nil
	})
	return records, found
}

func (n *Names) find(tx *state.Tx, vpc, name string) (addresses []netip.Addr, ttl uint32, found bool) {
	if a, ok := parsePrivateName(name, n.Domain); ok {
		return []netip.Addr{a}, serviceTTL, true
	}
	if a, ok := n.Balancer(tx, name); ok {
		return a, dns.LoadBalancerTTL, true
	}
	if a, ok := n.Database(tx, name); ok {
		return a, dns.ClusterTTL, true
	}
	if a, ok := n.Cache(tx, name); ok {
		return a, dns.ClusterTTL, true
	}
	if a, ok := n.Search(tx, name); ok {
		return a, serviceTTL, true
	}
	service, ok := n.Endpoints.Service(name)
	if !ok {
		return nil, 0, false
	}
	private, ok := n.privateEndpoint(tx, vpc, name, service)
	if !ok {
		return n.Endpoints.Addresses(service), serviceTTL, true
	}
	return private, serviceTTL, len(private) > 0
}

// privateEndpoint returns the addresses of an interface endpoint of a service, and whether the name is for one: by the endpoint's own DNS name, or by the
// service's regional one in a VPC that has an endpoint with private DNS.
func (n *Names) privateEndpoint(tx *state.Tx, vpc, name, service string) (addresses []netip.Addr, ok bool) {
	regional := "." + n.Region.Name + ".amazonaws.com"
	id, own := strings.CutSuffix(name, "."+service+"."+n.Region.Name+".vpce.amazonaws.com")
	for _, e := range n.EC2.InterfaceEndpoints(tx) {
		private := e.PrivateDNS && e.VPC == vpc && strings.HasSuffix(name, regional)
		if e.Service != "com.amazonaws."+n.Region.Name+"."+service || !private && e.ID != id {
			continue
		}
		for _, id := range e.Interfaces {
			if eni, err := n.EC2.Interface(tx, id); err == nil {
				addresses = append(addresses, eni.Address)
			}
		}
	}
	return addresses, own || len(addresses) > 0
}

// privateName is the host name of an address: ip-10-0-1-5.ec2.internal.
func privateName(a netip.Addr, domain string) string {
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain
}

func parsePrivateName(name, domain string) (netip.Addr, bool) {
	host, ok := strings.CutSuffix(name, "."+domain)
	digits, isIP := strings.CutPrefix(host, "ip-")
	if !ok || !isIP || strings.Contains(digits, ".") {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.ReplaceAll(digits, "-", "."))
	return a, err == nil && a.Is4()
}
