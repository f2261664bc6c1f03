package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/loadbalancer"
	"storefront/components/network"
)

// The fleets, each with a target group of its name.
const (
	product = "product" // serves the catalogue and takes orders
	summary = "summary" // carries orders out and serves their summaries
)

const shopPort = 8080 // where the servers listen

func (st *stack) makeBalancer(ctx *pulumi.Context) error {
	s := st.settings
	servers := loadbalancer.TargetGroup{
		Port: shopPort,
		// Not /readyz: it fails when the database does, on all servers at once, and the group would replace the whole fleet
		// in the middle of a failover.
		HealthPath:     "/healthz",
		HealthInterval: s.HealthInterval,
		DrainSeconds:   s.DrainSeconds,
	}
	args := &loadbalancer.Args{
		Region:             s.Region,
		AccountID:          st.account,
		VpcID:              st.net.VpcID,
		SubnetIDs:          st.net.SubnetIDs(network.Public),
		AllowedCIDRs:       s.AllowedCIDRs,
		TargetGroups:       map[string]loadbalancer.TargetGroup{product: servers, summary: servers},
		Default:            product,
		Rules:              map[string]loadbalancer.Rule{summary: {Priority: 10, Paths: []string{"/summaries", "/summaries/*"}, TargetGroup: summary}},
		DeletionProtection: s.Protect,
		LogDays:            s.LogDays,
		ForceDestroy:       !s.Protect,
		AlarmActions:       st.alarms,
	}
	if s.CertificateARN != "" {
		args.CertificateARN = pulumi.String(s.CertificateARN)
	}
	l, err := loadbalancer.New(ctx, st.name, args, st.provider)
	if err != nil {
		return err
	}
	st.balancer = l
	st.out.URL, st.out.LoadBalancerARN, st.out.LoadBalancerDNSName, st.out.LoadBalancerZoneID = l.URL, l.ARN, l.DNSName, l.ZoneID
	st.out.LoadBalancerSecurityGroup, st.out.LoadBalancerLogBucket = l.SecurityGroupID, l.LogBucket
	return nil
}
