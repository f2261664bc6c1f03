package network

import (
	"fmt"
	"net/netip"
	"strconv"
)

// match renders the traffic as an nftables match, empty when it is everything. It reports false for what IPv4 packets never are.
func (t Traffic) match() (string, bool) {
	n, err := t.number()
	switch {
	case err != nil || n == 58:
		return "", false
	case n < 0:
		return "", true
	case n == 6:
		return ports("tcp", t.FromPort, t.ToPort), true
	case n == 17:
		return ports("udp", t.FromPort, t.ToPort), true
	case n == 1:
		return icmp(t.FromPort, t.ToPort), true
	}
	return fmt.Sprintf("ip protocol %d", n), true
}

// number is the IP protocol's number, -1 for all of them.
func (t Traffic) number() (int, error) {
	if n, ok := map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}[t.Protocol]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(t.Protocol)
	if err != nil || n < -1 || n > 255 {
		return 0, invalid("unknown protocol %q", t.Protocol)
	}
	return n, nil
}

func ports(protocol string, from, to int) string {
	switch {
	case from <= 0 && (to < 0 || to == 65535):
		return "ip protocol " + protocol
	case from == to:
		return fmt.Sprintf("%s dport %d", protocol, from)
	}
	return fmt.Sprintf("%s dport %d-%d", protocol, max(from, 0), to)
}

func icmp(kind, code int) string {
	switch {
	case kind < 0 || kind > 255:
		return "ip protocol icmp"
	case code < 0 || code > 255:
		return fmt.Sprintf("icmp type %d", kind)
	}
	return fmt.Sprintf("icmp type %d icmp code %d", kind, code)
}

// peer renders a match of the far end's address ("saddr" or "daddr"), empty when it is everybody. It reports false for an IPv6 range.
func peer(end string, cidr netip.Prefix) (string, bool) {
	switch {
	case !cidr.Addr().Is4():
		return "", false
	case cidr.Bits() == 0:
		return "", true
	}
	return fmt.Sprintf("ip %s %s", end, cidr.Masked()), true
}
