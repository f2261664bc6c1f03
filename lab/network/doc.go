// Package network is the lab's data plane for packets: it turns a Topology into network namespaces, veth pairs, routes, NAT and nftables
// rules, and opens sockets and starts processes inside them. Nothing in it reaches beyond the machine.
//
// # Model
//
// A VPC is a router namespace. Each interface is a namespace of its own, joined to the router by a veth pair. The router owns the subnets'
// gateway addresses and the resolver's address, and has one route to each interface, so every packet is forwarded by it, also between
// neighbours in a subnet. Two more links lead to the internet namespace: "igw" translates between private and public addresses one to one,
// "vpce" lets traffic for AWS services through whatever its source. A NAT gateway is an interface whose namespace translates what it forwards.
//
// A packet is checked for its source (source/destination check) and marked with its subnet; the mark chooses the Linux routing table that
// renders the subnet's route table, after the VPC's own ranges. Forwarded packets pass the network ACLs of both subnets and then, unless
// their connection is tracked, the egress rules of the one interface and the ingress rules of the other. What is not allowed is dropped.
//
// # Lifetime
//
// Namespaces are held open by descriptors of this process only. They have no names, files or mounts, so two labs cannot collide and a killed
// one leaves nothing but the processes that it started, which Sweep ends.
//
// # Limits
//
// IPv4 only: rules for IPv6 ranges match nothing. No peering, no transit gateway, no prefix lists other than those of gateway endpoints, and
// routes more specific than the local one are not taken. Security group rules see a public address's traffic by its true, outside source.
package network
