package network_test

import (
	"errors"
	"net/netip"
	"testing"

	"storefront/components/network"
)

func TestBlock(t *testing.T) {
	for _, tt := range []struct {
		vpc, zone string
		tier      network.Tier
		want      string
	}{
		{"10.0.0.0/16", "us-east-1a", network.Private, "10.0.0.0/20"},
		{"10.0.0.0/16", "us-east-1a", network.Public, "10.0.16.0/22"},
		{"10.0.0.0/16", "us-east-1a", network.Data, "10.0.20.0/22"},
		{"10.0.0.0/16", "us-east-1b", network.Private, "10.0.32.0/20"},
		{"10.0.0.0/16", "us-east-1c", network.Public, "10.0.80.0/22"},
		{"10.0.0.0/16", "us-east-1h", network.Data, "10.0.244.0/22"},
		{"192.168.8.0/21", "us-east-1a", network.Private, "192.168.8.0/25"},
		{"192.168.8.0/21", "us-east-1b", network.Public, "192.168.9.128/27"},
		{"192.168.8.0/21", "us-east-1h", network.Data, "192.168.15.160/27"},
	} {
		got, err := network.Block(netip.MustParsePrefix(tt.vpc), "us-east-1", tt.zone, tt.tier)
		if err != nil || got.String() != tt.want {
			t.Errorf("Block(%s, %s, %s) = %v, %v; want %s", tt.vpc, tt.zone, tt.tier, got, err, tt.want)
		}
	}
}

func TestBlockRefuses(t *testing.T) {
	vpc := netip.MustParsePrefix("10.0.0.0/16")
	for _, zone := range []string{"", "us-east-1", "us-east-1i", "us-east-1A", "us-east-1-bos-1a", "eu-west-1a"} {
		if got, err := network.Block(vpc, "us-east-1", zone, network.Public); !errors.Is(err, network.ErrZone) {
			t.Errorf("zone %q: got %v, %v; want ErrZone", zone, got, err)
		}
	}
	if got, err := network.Block(vpc, "us-east-1", "us-east-1a", "other"); err == nil {
		t.Errorf("tier other: got %v", got)
	}
}

func TestParseVPCRefuses(t *testing.T) {
	for _, cidr := range []string{"", "10.0.0.0", "10.0.0.0/15", "10.0.0.0/22", "10.0.1.0/16", "8.8.0.0/16", "fd00::/16", "10.0.0.0/99"} {
		if got, err := network.ParseVPC(cidr); !errors.Is(err, network.ErrCIDR) {
			t.Errorf("ParseVPC(%q) = %v, %v; want ErrCIDR", cidr, got, err)
		}
	}
}

// Whatever the block and the zones: subnets lie inside the VPC and never overlap.
func FuzzBlock(f *testing.F) {
	f.Add("10.0.0.0/16", "us-east-1")
	f.Add("172.16.8.0/21", "eu-west-3")
	f.Fuzz(func(t *testing.T, cidr, region string) {
		vpc, err := network.ParseVPC(cidr)
		if err != nil {
			t.Skip()
		}
		var all []netip.Prefix
		for letter := 'a'; letter <= 'h'; letter++ {
			for _, tier := range []network.Tier{network.Public, network.Private, network.Data} {
				b, err := network.Block(vpc, region, region+string(letter), tier)
				if err != nil {
					t.Fatal(err)
				}
				if b.Masked() != b || !vpc.Contains(b.Addr()) || b.Bits() <= vpc.Bits() {
					t.Errorf("%v is not a block of %v", b, vpc)
				}
				for _, other := range all {
					if b.Overlaps(other) {
						t.Errorf("%v overlaps %v", b, other)
					}
				}
				all = append(all, b)
			}
		}
	})
}
