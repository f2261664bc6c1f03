package network

import "net/netip"

// Topology is the whole network of a region, as EC2's state declares it. Network.Apply makes the machine match it.
type Topology struct {
	VPCs     []VPC
	Services []Service // AWS service endpoints on the internet side
}

// Service is the public side of an AWS service endpoint: the addresses that its DNS names resolve to outside a VPC.
type Service struct {
	Name      string // "s3", "sqs", ...: also the key by which an endpoint route names it
	Addresses []netip.Addr
}

// VPC is one virtual private cloud.
type VPC struct {
	ID              string
	CIDRs           []netip.Prefix // the first is the primary one; its +2 address is the resolver
	InternetGateway bool           // one is attached
	Subnets         []Subnet
	RouteTables     []RouteTable
	ACLs            []ACL
	SecurityGroups  []SecurityGroup
	Interfaces      []Interface
}

// Subnet is a part of a VPC; its first address is the router's.
type Subnet struct {
	ID         string
	CIDR       netip.Prefix
	RouteTable string // ID of the effective route table
	ACL        string // ID of the effective network ACL
}

// RouteTable is a VPC's or subnet's route table, without the implicit local routes.
type RouteTable struct {
	ID     string
	Routes []Route
}

// RouteKind says where a route leads.
type RouteKind string

// The targets of routes.
const (
	ToInternetGateway RouteKind = "internet-gateway"
	ToInterface       RouteKind = "interface"        // a NAT gateway's or an instance's
	ToServiceEndpoint RouteKind = "service-endpoint" // a gateway endpoint; Target is the Service's name
	Blackhole         RouteKind = "blackhole"
)

// Route leads packets for a destination to a target. For ToServiceEndpoint the destinations are the service's addresses, and Destination is not used.
type Route struct {
	Destination netip.Prefix
	Kind        RouteKind
	Target      string // interface ID or service name
}

// Interface is an elastic network interface.
type Interface struct {
	ID                string
	Subnet            string
	Address           netip.Addr // primary private address
	Public            netip.Addr // associated public address; the zero Addr when there is none
	SecurityGroups    []string   // IDs; none means nothing is let in or out, except for a NAT gateway's interface, which has no groups
	NoSourceDestCheck bool
	NAT               bool         // a NAT gateway's: it translates what is routed to it to its own address
	LinkLocal         []netip.Addr // addresses that exist inside the interface's namespace only, such as the metadata service's
}

// SecurityGroup is a stateful set of allow rules.
type SecurityGroup struct {
	ID      string
	Ingress []GroupRule
	Egress  []GroupRule
}

// GroupRule allows traffic with one peer: exactly one of CIDR and Group is set.
type GroupRule struct {
	Traffic
	CIDR  netip.Prefix
	Group string // members of this security group
}

// Traffic selects packets by protocol and port.
type Traffic struct {
	Protocol         string // "tcp", "udp", "icmp", "icmpv6", a protocol number, or "-1" for all
	FromPort, ToPort int    // inclusive port range for tcp and udp, ICMP type and code for icmp (-1 is any)
}

// ACL is a stateless, ordered network ACL; what no entry decides is denied.
type ACL struct {
	ID      string
	Ingress []ACLEntry // in order of rule number
	Egress  []ACLEntry
}

// ACLEntry allows or denies traffic with one range of addresses.
type ACLEntry struct {
	Traffic
	Number int
	Allow  bool
	CIDR   netip.Prefix
}
