package network

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

// Addresses that the lab itself uses between its namespaces. VPCs cannot own them: AWS allows no link-local VPC range.
var (
	internetHop = netip.MustParseAddr("169.254.0.1")  // next hop of every gateway, owned by the internet namespace
	client      = netip.MustParseAddr("198.51.100.1") // source of what the host dials from the internet (RFC 5737, TEST-NET-2)
)

// Resolver is the address of the VPC's DNS resolver: the primary range's base plus two.
// AWS: "DHCP option sets in Amazon VPC", AmazonProvidedDNS.
func (v VPC) Resolver() netip.Addr { return v.CIDRs[0].Addr().Next().Next() }

// Gateway is the address of the subnet's router: the first after the network's own.
// AWS: "Subnet CIDR blocks", reserved addresses.
func (s Subnet) Gateway() netip.Addr { return s.CIDR.Addr().Next() }

// HardwareAddr is the MAC address of the network interface that has this private IPv4 address: locally administered, made of the address.
func HardwareAddr(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x00, b[0], b[1], b[2], b[3]}
}

// mark tells a subnet apart from the VPC's others, in packet marks and as the number of its routing table.
// A subnet keeps it whatever becomes of the others.
func (s Subnet) mark() uint32 { b := s.CIDR.Addr().As4(); return binary.BigEndian.Uint32(b[:]) }

// port names the router's end of the veth to an interface: unique in the VPC, and short enough for a link name.
func (i Interface) port() string { return fmt.Sprintf("e%x", i.Address.AsSlice()) }

// host is the network of one address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
