package network_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"storefront/lab/network"
	"storefront/lab/network/networktest"
)

// footprint is what a network could leave behind in this process and on the host.
type footprint struct {
	namespaces, files, goroutines int
	links, mounts                 string
}

func measure(t testing.TB) footprint {
	t.Helper()
	var f footprint
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		f.files++
		if strings.HasPrefix(target, "net:") {
			f.namespaces++
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		f.links += l.Name + " "
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	f.mounts = string(mounts)
	f.goroutines = runtime.NumGoroutine()
	return f
}

// settles waits until the footprint is what it was: the runtime closes and ends things in its own time.
func settles(t testing.TB, want footprint) {
	t.Helper()
	var got footprint
	eventually(t, func() bool {
		got = measure(t)
		return got.namespaces <= want.namespaces && got.files <= want.files && got.goroutines <= want.goroutines && got.links == want.links && got.mounts == want.mounts
	}, func() string { return fmt.Sprintf("left behind: %+v, want %+v", got, want) })
}

func eventually(t testing.TB, done func() bool, complaint func() string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal(complaint())
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	warm, err := network.Open(dir, slog.New(slog.DiscardHandler)) // what the runtime keeps (its poller) is open now
	if err != nil {
		t.Fatal(err)
	}
	if _, err := warm.Listen(network.Internet(), "tcp", "198.51.100.1:1"); err == nil {
		t.Error("listening on an address before it exists succeeded")
	}
	if err := warm.Close(); err != nil {
		t.Fatal(err)
	}
	before := measure(t)
	n, err := network.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := network.Open(dir, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a second network opened the directory of the first")
	}
	apply(t, n, shop("a-", 1), shop("b-", 2))
	l, err := n.Listen(in("a-lb"), "tcp", "10.0.0.6:80")
	if err != nil {
		t.Fatal(err)
	}
	p, err := n.ListenPacket(network.InVPC("a-vpc"), "udp", "10.0.0.2:53")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting in a closed network: %v, want net.ErrClosed", err)
	}
	if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("receiving in a closed network: %v, want net.ErrClosed", err)
	}
	if err := n.Apply(t.Context(), region()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("applying to a closed network: %v, want os.ErrClosed", err)
	}
	if _, err := n.Path(network.Internet()); !errors.Is(err, network.ErrNoSuchPlace) {
		t.Errorf("path in a closed network: %v, want ErrNoSuchPlace", err)
	}
	settles(t, before)
}

func TestInterfacesComeAndGo(t *testing.T) {
	n := networktest.Open(t)
	with := shop("", 0)
	without := shop("", 0)
	without.Interfaces = without.Interfaces[:5]
	apply(t, n, with)
	serve(t, n, in("lb"), "10.0.0.6:80")
	open := dial(t, n, network.Internet(), "198.18.0.6:80")
	apply(t, n, without)
	links := linksIn(t, n, network.InVPC("vpc"))
	before := measure(t)
	for range 100 {
		apply(t, n, with)
		l, err := n.Listen(in("db"), "tcp", "10.0.2.5:5432")
		if err != nil {
			t.Fatal(err)
		}
		apply(t, n, without)
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("accepting at a removed interface: %v, want net.ErrClosed", err)
		}
	}
	settles(t, before)
	if now := linksIn(t, n, network.InVPC("vpc")); now != links {
		t.Errorf("links in the router: %s, want %s", now, links)
	}
	if !echoes(open) {
		t.Error("a connection of another interface broke")
	}
}

func linksIn(t testing.TB, n *network.Network, at network.Place) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command("ip", "-brief", "link")
	cmd.Stdout = &out
	if err := n.Start(at, cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestApplyAgainTouchesNothing(t *testing.T) {
	n := networktest.Open(t)
	apply(t, n, shop("", 0))
	path, err := n.Path(in("app1"))
	if err != nil {
		t.Fatal(err)
	}
	inode, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Apply(ctx, region()); err != nil {
		t.Fatalf("removing needs no context: %v", err)
	}
	if err := n.Apply(ctx, region(shop("", 0))); !errors.Is(err, context.Canceled) {
		t.Errorf("applying with a cancelled context: %v", err)
	}
	apply(t, n, shop("", 0))
	serve(t, n, in("db"), "10.0.2.5:5432")
	check(t, "after an interrupted apply", seen(t, n, in("app1"), "10.0.2.5:5432"), "10.0.1.5")
	path, err = n.Path(in("app1"))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := os.Readlink(path); again == inode {
		t.Log("the namespace's number was used again")
	}

	before := linksIn(t, n, in("app1"))
	moved := shop("", 0)
	moved.Interfaces[5].Address = netip.MustParseAddr("10.0.2.6")
	moved.Interfaces[3].LinkLocal = []netip.Addr{netip.MustParseAddr("169.254.169.254")}
	apply(t, n, moved)
	if after := linksIn(t, n, in("app1")); after != before {
		t.Errorf("links of an interface that stays: %s, want %s", after, before)
	}
	serve(t, n, in("app1"), "169.254.169.254:80")
	check(t, "metadata service", seen(t, n, in("app1"), "169.254.169.254:80"), "169.254.169.254")
	check(t, "metadata service of another interface", seen(t, n, in("app2"), "169.254.169.254:80"), "")
	serve(t, n, in("db"), "10.0.2.6:5432")
	check(t, "the interface at its new address", seen(t, n, in("app1"), "10.0.2.6:5432"), "10.0.1.5")
	check(t, "its old address", seen(t, n, in("app1"), "10.0.2.5:5432"), "")
}

func TestPlaces(t *testing.T) {
	n := networktest.Open(t)
	apply(t, n, shop("", 0))
	for _, p := range []network.Place{{}, network.InVPC("lb"), in("vpc"), in("nobody")} {
		if _, err := n.Dial(t.Context(), p, "tcp", "10.0.0.6:80"); !errors.Is(err, network.ErrNoSuchPlace) {
			t.Errorf("dialling from %q: %v, want ErrNoSuchPlace", p, err)
		}
		if err := n.Start(p, exec.Command("true")); !errors.Is(err, network.ErrNoSuchPlace) {
			t.Errorf("starting in %q: %v, want ErrNoSuchPlace", p, err)
		}
	}
	for _, address := range []string{"localhost:80", "10.0.0.6", ":80", ""} {
		if _, err := n.Listen(in("lb"), "tcp", address); err == nil {
			t.Errorf("listening on %q succeeded", address)
		}
	}
	if _, err := n.Dial(t.Context(), in("lb"), "unix", "/run/x"); err == nil {
		t.Error("dialling a unix socket succeeded")
	}
}

// estate is a VPC of three zones with three tiers, 15 interfaces and 20 groups.
func estate() network.VPC {
	v := network.VPC{ID: "vpc", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, InternetGateway: true,
		RouteTables: []network.RouteTable{{ID: "rtb", Routes: []network.Route{{Destination: anywhere, Kind: network.ToInternetGateway}}}},
		ACLs:        []network.ACL{{ID: "acl", Ingress: allowAll(), Egress: allowAll()}}}
	for i := range 20 {
		v.SecurityGroups = append(v.SecurityGroups, network.SecurityGroup{ID: fmt.Sprintf("sg-%d", i),
			Ingress: []network.GroupRule{fromAnywhere(tcp(80)), fromGroup(tcp(8080), fmt.Sprintf("sg-%d", (i+1)%20))}, Egress: []network.GroupRule{fromAnywhere(all)}})
	}
	for i := range 9 {
		v.Subnets = append(v.Subnets, network.Subnet{ID: fmt.Sprintf("subnet-%d", i), CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24), RouteTable: "rtb", ACL: "acl"})
	}
	for i := range 15 {
		v.Interfaces = append(v.Interfaces, network.Interface{ID: fmt.Sprintf("eni-%d", i), Subnet: fmt.Sprintf("subnet-%d", i%9),
			Address: netip.AddrFrom4([4]byte{10, 0, byte(i % 9), byte(10 + i)}), SecurityGroups: []string{fmt.Sprintf("sg-%d", i), fmt.Sprintf("sg-%d", i+5)}})
	}
	return v
}

func BenchmarkApply(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		n := networktest.Open(b)
		for b.Loop() {
			apply(b, n, estate())
			b.StopTimer()
			apply(b, n)
			b.StartTimer()
		}
	})
	b.Run("same", func(b *testing.B) {
		n := networktest.Open(b)
		apply(b, n, estate())
		for b.Loop() {
			apply(b, n, estate())
		}
	})
	b.Run("rule", func(b *testing.B) {
		n := networktest.Open(b)
		v := estate()
		apply(b, n, v)
		for b.Loop() {
			v.SecurityGroups[0].Ingress[0].FromPort ^= 1
			v.SecurityGroups[0].Ingress[0].ToPort ^= 1
			apply(b, n, v)
		}
	})
}

func BenchmarkDial(b *testing.B) {
	n := networktest.Open(b)
	apply(b, n, shop("", 0))
	serve(b, n, in("lb"), "10.0.0.6:80")
	for b.Loop() {
		if seen(b, n, network.Internet(), "198.18.0.6:80") == "" {
			b.Fatal("refused")
		}
	}
}
