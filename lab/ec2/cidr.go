package ec2

import (
	"encoding/binary"
	"net/netip"

	"storefront/lab/state"
)

// publicPool is where elastic and auto-assigned public addresses come from: RFC 2544, never routed on the internet.
func publicPool() netip.Prefix { return netip.MustParsePrefix("198.18.0.0/15") }

// parseCIDR reads an IPv4 CIDR block and clears its host bits, as EC2 does.
func parseCIDR(parameter, s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, fault("InvalidParameterValue", "Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", s, parameter)
	}
	return p.Masked(), nil
}

// contains reports whether inner lies within outer.
func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// size is the number of addresses of an IPv4 block.
func size(p netip.Prefix) int { return 1 << (32 - p.Bits()) }

// nth is the address at an offset in an IPv4 block.
func nth(p netip.Prefix, offset int) netip.Addr {
	base := p.Masked().Addr().As4()
	var out [4]byte
	binary.BigEndian.PutUint32(out[:], binary.BigEndian.Uint32(base[:])+uint32(offset))
	return netip.AddrFrom4(out)
}

// reserved is the number of addresses at the start of a subnet that AWS keeps; it keeps the last one too.
const reserved = 4

// freeAddress returns the lowest free private address of a subnet.
func freeAddress(tx *state.Tx, subnet Subnet) (netip.Addr, error) {
	used := usedAddresses(tx, subnet.ID)
	for i := reserved; i < size(subnet.CIDR)-1; i++ {
		if a := nth(subnet.CIDR, i); !used[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fault("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
}

// claimAddress checks an address that the client chose in a subnet.
func claimAddress(tx *state.Tx, subnet Subnet, s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil || !a.Is4():
		return a, fault("InvalidParameterValue", "Value (%s) for parameter privateIpAddress is invalid. Invalid IPv4 address.", s)
	case !subnet.CIDR.Contains(a):
		return a, fault("InvalidParameterValue", "Address %s does not fall within the subnet's address range", s)
	case a.Less(nth(subnet.CIDR, reserved)) || a == nth(subnet.CIDR, size(subnet.CIDR)-1):
		return a, fault("InvalidParameterValue", "Address %s is in subnet's reserved address range", s)
	case usedAddresses(tx, subnet.ID)[a]:
		return a, fault("InvalidIPAddress.InUse", "Address %s is in use.", s)
	}
	return a, nil
}

func usedAddresses(tx *state.Tx, subnet string) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, i := range interfaces.table.All(tx) {
		if i.Subnet == subnet {
			used[i.Address] = true
		}
	}
	return used
}

// freePublicAddress returns the lowest public address that nobody has.
func freePublicAddress(tx *state.Tx) (netip.Addr, error) {
	used := map[netip.Addr]bool{}
	for _, a := range addresses.table.All(tx) {
		used[a.Public] = true
	}
	for _, i := range interfaces.table.All(tx) {
		used[i.Public.Address] = true
	}
	pool := publicPool()
	for i := 1; i < size(pool)-1; i++ {
		if a := nth(pool, i); !used[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fault("InsufficientAddressCapacity", "Not enough public addresses are left.")
}
