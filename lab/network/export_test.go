package network

import "net/netip"

// Ruleset renders a VPC's ruleset with one parted pair of addresses, if any are given.
func Ruleset(v VPC, parted ...[2]netip.Addr) string { return v.ruleset(uplink(0), parted) }
