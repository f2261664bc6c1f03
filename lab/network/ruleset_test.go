package network_test

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"storefront/lab/network"
)

var update = flag.Bool("update", false, "write the golden files anew")

// strict is the shop with every kind of rule.
func strict() network.VPC {
	v := shop("", 0)
	v.Subnets[2].ACL = "acl-data"
	v.ACLs = append(v.ACLs, network.ACL{
		ID: "acl-data",
		Ingress: []network.ACLEntry{
			{Number: 100, Allow: true, Traffic: tcp(5432), CIDR: netip.MustParsePrefix("10.0.1.0/24")},
			{Number: 110, Traffic: network.Traffic{Protocol: "17", FromPort: 0, ToPort: 65535}, CIDR: anywhere},
			{Number: 120, Allow: true, Traffic: all, CIDR: netip.MustParsePrefix("::/0")},
		},
		Egress: []network.ACLEntry{{Number: 100, Allow: true, Traffic: network.Traffic{Protocol: "tcp", FromPort: 1024, ToPort: 65535}, CIDR: anywhere}},
	})
	v.SecurityGroups[0].Ingress = append(v.SecurityGroups[0].Ingress,
		fromAnywhere(network.Traffic{Protocol: "icmp", FromPort: 8, ToPort: -1}),
		fromAnywhere(network.Traffic{Protocol: "icmp", FromPort: 3, ToPort: 4}),
		fromAnywhere(network.Traffic{Protocol: "50"}),
		fromAnywhere(network.Traffic{Protocol: "icmpv6", FromPort: -1, ToPort: -1}),
		network.GroupRule{Traffic: all, Group: "sg-of-nobody"},
		network.GroupRule{Traffic: all, CIDR: netip.MustParsePrefix("::/0")},
		network.GroupRule{Traffic: tcp(22), CIDR: netip.MustParsePrefix("192.0.2.7/24")},
	)
	v.Interfaces[4].SecurityGroups = []string{"sg-db", "sg-app"}
	v.Interfaces[2].NoSourceDestCheck = true
	return v
}

func TestRulesetGolden(t *testing.T) {
	for name, got := range map[string]string{
		"empty":  network.Ruleset(network.VPC{ID: "vpc", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}),
		"shop":   network.Ruleset(shop("", 0)),
		"strict": network.Ruleset(strict(), [2]netip.Addr{netip.MustParseAddr("10.0.1.5"), netip.MustParseAddr("10.0.2.5")}),
	} {
		t.Run(name, func(t *testing.T) {
			if err := (network.Topology{VPCs: []network.VPC{strict()}}).Validate(); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".nft")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("ruleset (-want +got); -update writes it:\n%s", diff)
			}
			nft := exec.Command("unshare", "-n", "nft", "-c", "-f", "-")
			nft.Stdin = strings.NewReader(got)
			if out, err := nft.CombinedOutput(); err != nil {
				t.Errorf("nft does not take it: %v: %s", err, out)
			}
		})
	}
}

func TestRulesetDoesNotDependOnOtherSubnets(t *testing.T) {
	v := shop("", 0)
	more := shop("", 0)
	more.Subnets = append([]network.Subnet{{ID: "first", CIDR: netip.MustParsePrefix("10.0.200.0/24"), RouteTable: "rtb-data", ACL: "acl"}}, more.Subnets...)
	if network.Ruleset(v) != network.Ruleset(more) {
		t.Error("a new empty subnet changed the filters of the others")
	}
}

func TestValidateRefuses(t *testing.T) {
	for what, spoil := range map[string]func(*network.VPC){
		"an ID that is not one":            func(v *network.VPC) { v.Interfaces[1].ID = `a" ; flush ruleset` },
		"an ID twice":                      func(v *network.VPC) { v.Interfaces[1].ID = v.Interfaces[2].ID },
		"an address twice":                 func(v *network.VPC) { v.Interfaces[1].Address = v.Interfaces[2].Address },
		"a public address twice":           func(v *network.VPC) { v.Interfaces[1].Public = v.Interfaces[0].Public },
		"a service's address":              func(v *network.VPC) { v.Interfaces[1].Public = s3 },
		"an address outside the subnet":    func(v *network.VPC) { v.Interfaces[1].Address = netip.MustParseAddr("10.0.9.1") },
		"the gateway's address":            func(v *network.VPC) { v.Interfaces[1].Address = netip.MustParseAddr("10.0.0.1") },
		"the resolver's address":           func(v *network.VPC) { v.Interfaces[1].Address = netip.MustParseAddr("10.0.0.2") },
		"no address":                       func(v *network.VPC) { v.Interfaces[1].Address = netip.Addr{} },
		"an unknown subnet":                func(v *network.VPC) { v.Interfaces[1].Subnet = "nowhere" },
		"an unknown route table":           func(v *network.VPC) { v.Subnets[0].RouteTable = "" },
		"an unknown ACL":                   func(v *network.VPC) { v.Subnets[0].ACL = "nothing" },
		"overlapping subnets":              func(v *network.VPC) { v.Subnets[0].CIDR = netip.MustParsePrefix("10.0.0.0/20") },
		"a subnet outside":                 func(v *network.VPC) { v.Subnets[2].CIDR = netip.MustParsePrefix("10.1.0.0/24") },
		"host bits":                        func(v *network.VPC) { v.CIDRs[0] = netip.MustParsePrefix("10.0.0.1/16") },
		"IPv6":                             func(v *network.VPC) { v.CIDRs = append(v.CIDRs, netip.MustParsePrefix("fd00::/56")) },
		"no CIDR":                          func(v *network.VPC) { v.CIDRs = nil },
		"an unknown protocol":              func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].Protocol = "tcp accept" },
		"a protocol number out of range":   func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].Protocol = "256" },
		"ports upside down":                func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].ToPort = 1 },
		"ports out of range":               func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].ToPort = 65536 },
		"a rule for nobody":                func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].CIDR = netip.Prefix{} },
		"a rule for both":                  func(v *network.VPC) { v.SecurityGroups[0].Ingress[0].Group = "sg-app" },
		"an entry for nobody":              func(v *network.VPC) { v.ACLs[0].Ingress[0].CIDR = netip.Prefix{} },
		"an unknown kind of route":         func(v *network.VPC) { v.RouteTables[0].Routes[0].Kind = "teleport" },
		"a link-local address that is not": func(v *network.VPC) { v.Interfaces[1].LinkLocal = []netip.Addr{s3} },
	} {
		t.Run(what, func(t *testing.T) {
			v := shop("", 0)
			spoil(&v)
			if err := region(v).Validate(); !errors.Is(err, network.ErrInvalidTopology) {
				t.Errorf("Validate: %v, want an invalid topology", err)
			}
		})
	}
}

// statement is what a line of a ruleset may be made of: no text of the topology's owner but IDs.
var statement = regexp.MustCompile(`^\t*([A-Za-z0-9_ ."@:,;=!/{}-]|0x)*$`)

func FuzzRuleset(f *testing.F) {
	f.Add("sg-0123", "eni-0123", "tcp", 80, 443, "10.0.0.0/8", "10.0.0.77")
	f.Add("x\"}", "\n}\nflush ruleset", "17", 0, 65535, "::/0", "10.0.0.254")
	f.Add("a_b", "a-b", "+6", -1, -1, "0.0.0.0/0", "::ffff:10.0.0.9")
	f.Fuzz(func(t *testing.T, group, id, protocol string, from, to int, cidr, address string) {
		prefix, _ := netip.ParsePrefix(cidr)
		addr, _ := netip.ParseAddr(address)
		traffic := network.Traffic{Protocol: protocol, FromPort: from, ToPort: to}
		v := shop("", 0)
		v.SecurityGroups = append(v.SecurityGroups, network.SecurityGroup{ID: group,
			Ingress: []network.GroupRule{{Traffic: traffic, CIDR: prefix}, fromGroup(traffic, group)},
			Egress:  []network.GroupRule{{Traffic: traffic, Group: id}}})
		v.ACLs[0].Ingress = []network.ACLEntry{{Traffic: traffic, CIDR: prefix}}
		v.Interfaces = append(v.Interfaces, network.Interface{ID: id, Subnet: "public", Address: addr, SecurityGroups: []string{group, id}})
		if err := region(v).Validate(); err != nil {
			return
		}
		depth := 0
		for _, line := range strings.Split(network.Ruleset(v), "\n") {
			if !statement.MatchString(line) {
				t.Fatalf("a line with foreign text: %q", line)
			}
			if outside := !strings.HasPrefix(line, "\t"); outside && line != "" && line != "}" && !strings.HasPrefix(line, "table ip lab") && line != "delete table ip lab" {
				t.Fatalf("a line outside the table: %q", line)
			}
			if depth += strings.Count(line, "{") - strings.Count(line, "}"); depth < 0 || depth > 2 {
				t.Fatalf("unbalanced at %q", line)
			}
		}
		if depth != 0 {
			t.Fatal("the ruleset does not end")
		}
	})
}
