// Package network is the lab's data plane for packets: it turns a Topology into network namespaces, veth pairs, routes, NAT and nftables
// rules, and opens sockets and starts processes inside them. Nothing in it reaches beyond the machine.
package network
