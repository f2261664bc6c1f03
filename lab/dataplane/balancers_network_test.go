package dataplane_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	api "storefront/lab/api/elbv2"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/network/networktest"
	"storefront/lab/state"
)

// TestLoadBalancerInItsNetwork runs a load balancer in network namespaces: from the host's port over the internet side and the node's
// public address to a target that lets in the load balancer's security group alone.
func TestLoadBalancerInItsNetwork(t *testing.T) {
	s := newShopRegion(t)
	vpcs, _ := s.elb.VPCs.(*ec2.Service)
	lb := s.balancer(t)
	machine := networktest.Open(t)

	route(t, vpcs, lb.VPC)
	public, private := securityGroup(t, vpcs, lb.VPC, "lb"), securityGroup(t, vpcs, lb.VPC, "app")
	allow(t, vpcs, public, 80, ec2api.IpPermission{IpRanges: []ec2api.IpRange{{CidrIp: new("0.0.0.0/0")}}})
	allow(t, vpcs, private, 8080, ec2api.IpPermission{UserIdGroupPairs: []ec2api.UserIdGroupPair{{GroupId: &public}}})
	must(s.elb.SetSecurityGroups(t.Context(), &api.SetSecurityGroupsInput{LoadBalancerArn: &s.arn, SecurityGroups: []string{public}}))(t)
	target, stranger := server(t, s.store, vpcs, lb.Nodes[0].Subnet, private), server(t, s.store, vpcs, lb.Nodes[0].Subnet, private)
	address := target.Address.String()
	s.run = &dataplane.Balancers{ELB: s.elb, Net: machine, Log: slog.New(slog.DiscardHandler)}
	s.begin(t)
	follow(t, s.store, vpcs, machine)

	serveWho(t, machine, target.ID, address)
	must(s.elb.RegisterTargets(t.Context(), &api.RegisterTargetsInput{TargetGroupArn: &s.group, Targets: []api.TargetDescription{{Id: &address}}}))(t)
	eventually(t, "the target is healthy", func() bool { return s.health(t)[address] == "healthy" })
	nodes := map[string]bool{}
	for range 4 {
		_, body := fetch(t, s.url(t))
		node, forwarded, _ := strings.Cut(body, " ")
		nodes[node] = true
		if _, err := netip.ParseAddr(forwarded); err != nil || strings.HasPrefix(forwarded, "10.") || strings.HasPrefix(forwarded, "127.") {
			t.Errorf("the target was told of the client %q, want an address of the internet side", forwarded)
		}
	}
	for _, n := range lb.Nodes {
		if !nodes[n.Address.String()] {
			t.Errorf("the target saw %v, want node %s among them", nodes, n.Address)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if conn, err := machine.Dial(ctx, network.InInterface(stranger.ID), "tcp", address+":8080"); err == nil {
		_ = conn.Close()
		t.Error("the target is reachable without the load balancer's security group")
	}
}

// server makes an interface that stands for a server's.
func server(t *testing.T, store *state.Store, vpcs *ec2.Service, subnet, group string) (eni ec2.Interface) {
	t.Helper()
	if err := store.Update(func(tx *state.Tx) (err error) {
		eni, err = vpcs.CreateManagedInterface(tx, ec2.ManagedInterface{Subnet: subnet, SecurityGroups: []string{group}, RequesterID: "test"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return eni
}

// follow applies the topology that EC2 declares and tells of it, as the network's reconciler does.
func follow(t *testing.T, store *state.Store, vpcs *ec2.Service, machine *network.Network) {
	t.Helper()
	var topology network.Topology
	if err := store.View(func(tx *state.Tx) (err error) {
		topology, err = vpcs.Topology(tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := machine.Apply(t.Context(), topology); err != nil {
		t.Fatal(err)
	}
	if err := store.Update(func(tx *state.Tx) error { return state.NewTable[int](dataplane.Applied).Put(tx, "revision", 1) }); err != nil {
		t.Fatal(err)
	}
}

// route sends what is for the internet to the VPC's gateway.
func route(t *testing.T, vpcs *ec2.Service, vpc string) {
	t.Helper()
	filter := []ec2api.Filter{{Name: new("vpc-id"), Values: []string{vpc}}}
	tables := must(vpcs.DescribeRouteTables(t.Context(), &ec2api.DescribeRouteTablesInput{Filters: filter}))(t)
	gateways := must(vpcs.DescribeInternetGateways(t.Context(), &ec2api.DescribeInternetGatewaysInput{}))(t)
	must(vpcs.CreateRoute(t.Context(), &ec2api.CreateRouteInput{
		RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateways.InternetGateways[0].InternetGatewayId,
	}))(t)
}

func securityGroup(t *testing.T, vpcs *ec2.Service, vpc, name string) string {
	t.Helper()
	return *must(vpcs.CreateSecurityGroup(t.Context(), &ec2api.CreateSecurityGroupInput{GroupName: &name, Description: &name, VpcId: &vpc}))(t).GroupId
}

func allow(t *testing.T, vpcs *ec2.Service, group string, port int64, from ec2api.IpPermission) {
	t.Helper()
	from.IpProtocol, from.FromPort, from.ToPort = new("tcp"), &port, &port
	must(vpcs.AuthorizeSecurityGroupIngress(t.Context(), &ec2api.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []ec2api.IpPermission{from}}))(t)
}

// serveWho serves in an interface, and answers with who connects and for whom.
func serveWho(t *testing.T, machine *network.Network, eni, ip string) {
	t.Helper()
	l, err := machine.Listen(network.InInterface(eni), "tcp", ip+":8080")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := netip.MustParseAddrPort(r.RemoteAddr).Addr()
		_, _ = io.WriteString(w, fmt.Sprint(peer, " ", r.Header.Get("X-Forwarded-For")))
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}
