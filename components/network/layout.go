package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Tier is a kind of subnet, by what it reaches.
type Tier string

// Tiers.
const (
	Public  Tier = "public"  // reaches the internet and is reached from it: load balancers, NAT gateways
	Private Tier = "private" // reaches out through NAT, is not reached: servers
	Data    Tier = "data"    // talks inside the VPC only: databases, caches
)

// Tiers lists all tiers in their order.
var tiers = [...]Tier{Public, Private, Data}

// Errors that callers fix by other arguments.
var (
	ErrCIDR = errors.New("not a usable IPv4 block")
	ErrZone = errors.New("not a zone of the region")
)

// A VPC is cut into eight equal blocks, one for each zone letter from a to h. Half of a block is the zone's private subnet; a
// quarter of the other half is the public and a quarter the data subnet, and a quarter of the block stays free. So a subnet's
// block depends on the VPC's block, its tier and its zone's name, and on nothing else: no zone that comes or goes moves it.
const (
	zoneBits    = 3
	privateBits = 1
	smallBits   = 3
	minBits     = 16 // the largest VPC that AWS allows
	maxBits     = 21 // public subnets are then /27, the smallest that load balancers accept
)

// Block returns the subnet of a tier in a zone of a VPC.
//
// The VPC's block is a private IPv4 prefix of 16 to 21 bits. The zone is an availability zone's name: the region and one
// letter from a to h. Errors are ErrCIDR and ErrZone.
func Block(vpc netip.Prefix, region, zone string, tier Tier) (netip.Prefix, error) {
	if err := checkVPC(vpc); err != nil {
		return netip.Prefix{}, err
	}
	slot, err := slot(region, zone)
	if err != nil {
		return netip.Prefix{}, err
	}
	bits := vpc.Bits() + zoneBits
	first := slot << (32 - bits)
	switch tier {
	case Private:
		bits += privateBits
	case Public:
		bits += smallBits
		first += 4 << (32 - bits)
	case Data:
		bits += smallBits
		first += 5 << (32 - bits)
	default:
		return netip.Prefix{}, fmt.Errorf("unknown tier %q", tier)
	}
	return netip.PrefixFrom(add(vpc.Masked().Addr(), first), bits), nil
}

// ParseVPC parses the block of a VPC; the error is ErrCIDR.
func ParseVPC(cidr string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return p, fmt.Errorf("%q: %w: want an address and a length like 10.0.0.0/16", cidr, ErrCIDR)
	}
	return p, checkVPC(p)
}

func checkVPC(p netip.Prefix) error {
	switch {
	case !p.IsValid() || !p.Addr().Is4():
		return fmt.Errorf("%q: %w: want IPv4", p, ErrCIDR)
	case p.Masked() != p:
		return fmt.Errorf("%q: %w: bits are set after the prefix length; did you mean %s?", p, ErrCIDR, p.Masked())
	case p.Bits() < minBits || p.Bits() > maxBits:
		return fmt.Errorf("%q: %w: the length must be from /%d to /%d", p, ErrCIDR, minBits, maxBits)
	case !p.Addr().IsPrivate():
		return fmt.Errorf("%q: %w: must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", p, ErrCIDR)
	}
	return nil
}

func slot(region, zone string) (uint32, error) {
	letter, ok := strings.CutPrefix(zone, region)
	if !ok || len(letter) != 1 || letter[0] < 'a' || letter[0] >= 'a'+1<<zoneBits {
		return 0, fmt.Errorf("%q: %w: want %s and a letter from a to h", zone, ErrZone, region)
	}
	return uint32(letter[0] - 'a'), nil
}

func add(a netip.Addr, n uint32) netip.Addr {
	b := a.As4()
	for i := 3; n > 0 && i >= 0; i-- {
		n += uint32(b[i])
		b[i] = byte(n)
		n >>= 8
	}
	return netip.AddrFrom4(b)
}
