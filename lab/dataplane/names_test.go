package dataplane_test

import (
	"net/netip"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/dns"
	"storefront/lab/state"
)

func TestNames(t *testing.T) {
	r := newTestRegion(t, time.Now)
	other := r.newVPC()
	endpoint := must(r.ec2.CreateVpcEndpoint(t.Context(), &ec2api.CreateVpcEndpointInput{VpcId: &r.vpc, VpcEndpointType: new("Interface"),
		ServiceName: new("com.amazonaws.us-east-1.sts"), SubnetIds: []string{r.subnet}}))(t).VpcEndpoint
	var private netip.Addr
	if err := r.store.View(func(tx *state.Tx) error {
		eni, err := r.ec2.Interface(tx, endpoint.NetworkInterfaceIds[0])
		private = eni.Address
		return err
	}); err != nil {
		t.Fatal(err)
	}
	const sts, iam, s3 = "203.0.113.10", "203.0.113.11", "203.0.113.12"
	for _, c := range []struct {
		vpc, name, address string // "" is no such name
		ttl                uint32
	}{
		{r.vpc, "ip-10-0-1-5.ec2.internal", "10.0.1.5", 60},
		{r.vpc, "ip-10.0.1.5.ec2.internal", "", 0},
		{r.vpc, "ip-10-0-1-256.ec2.internal", "", 0},
		{r.vpc, "ip-10-0-1.ec2.internal", "", 0},
		{r.vpc, "ip-fd00--1.ec2.internal", "", 0},
		{r.vpc, "host.ec2.internal", "", 0},
		{r.vpc, "ec2.internal", "", 0},
		{r.vpc, "ip-10-0-1-5.example.com", "", 0},
		{r.vpc, "web-1.us-east-1.elb.amazonaws.com", "198.18.0.9", dns.LoadBalancerTTL},
		{r.vpc, "shop.cluster-1.us-east-1.rds.amazonaws.com", "10.0.0.9", dns.ClusterTTL},
		{r.vpc, "master.shop.abc123.use1.cache.amazonaws.com", "10.0.0.11", dns.ClusterTTL},
		{r.vpc, "vpc-orders-1.us-east-1.es.amazonaws.com", "10.0.0.10", 60},
		{r.vpc, "sts.us-east-1.amazonaws.com", private.String(), 60},
		{r.vpc, "sts.amazonaws.com", sts, 60}, // private DNS is for the regional name alone
		{other, "sts.us-east-1.amazonaws.com", sts, 60},
		{r.vpc, *endpoint.VpcEndpointId + ".sts.us-east-1.vpce.amazonaws.com", private.String(), 60},
		{other, *endpoint.VpcEndpointId + ".sts.us-east-1.vpce.amazonaws.com", private.String(), 60},
		{r.vpc, *endpoint.VpcEndpointId + ".s3.us-east-1.vpce.amazonaws.com", "", 0},
		{r.vpc, "vpce-0000000000000ffff.sts.us-east-1.vpce.amazonaws.com", "", 0},
		{r.vpc, "sts.us-east-1.vpce.amazonaws.com", "", 0},
		{r.vpc, *endpoint.VpcEndpointId + ".sts.vpce.amazonaws.com", "", 0},
		{r.vpc, "iam.amazonaws.com", iam, 60},
		{r.vpc, "s3.us-east-1.amazonaws.com", s3, 60},
		{r.vpc, "s3.amazonaws.com", s3, 60},
		{r.vpc, "bucket.s3.us-east-1.amazonaws.com", s3, 60},
		{r.vpc, "bucket.s3.amazonaws.com", s3, 60},
		{r.vpc, "bucket.with.dots.s3.us-east-1.amazonaws.com", s3, 60},
		{r.vpc, "s3.s3.us-east-1.amazonaws.com", s3, 60},
		{r.vpc, "bucket.sts.us-east-1.amazonaws.com", "", 0},
		{r.vpc, "sqs.us-east-1.amazonaws.com", "", 0},
		{r.vpc, "sts.eu-west-1.amazonaws.com", "", 0},
		{r.vpc, "bucket.s3.eu-west-1.amazonaws.com", "", 0},
		{r.vpc, "us-east-1.amazonaws.com", "", 0},
		{r.vpc, "amazonaws.com", "", 0},
		{r.vpc, "sts.us-east-1.amazonaws.com.example.com", "", 0},
		{r.vpc, "example.com", "", 0},
	} {
		records, found := r.names.Lookup(c.vpc, c.name, mdns.TypeA)
		if found != (c.address != "") {
			t.Errorf("%s: found is %t", c.name, found)
		} else if found && (len(records) != 1 || records[0].Address.String() != c.address || records[0].TTL != c.ttl) {
			t.Errorf("%s: got %+v, want %s for %d s", c.name, records, c.address, c.ttl)
		}
		if records, v6 := r.names.Lookup(c.vpc, c.name, mdns.TypeAAAA); len(records) != 0 || v6 != found {
			t.Errorf("%s AAAA: got %+v, found is %t", c.name, records, v6)
		}
	}

	must(r.ec2.DeleteVpcEndpoints(t.Context(), &ec2api.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*endpoint.VpcEndpointId}}))(t)
	must(r.ec2.CreateVpcEndpoint(t.Context(), &ec2api.CreateVpcEndpointInput{VpcId: &r.vpc, VpcEndpointType: new("Interface"),
		ServiceName: endpoint.ServiceName, SubnetIds: []string{r.subnet}, PrivateDnsEnabled: new(false)}))(t)
	if records, _ := r.names.Lookup(r.vpc, "sts.us-east-1.amazonaws.com", mdns.TypeA); len(records) != 1 || records[0].Address.String() != sts {
		t.Errorf("without private DNS: got %+v, want %s", records, sts)
	}
}
