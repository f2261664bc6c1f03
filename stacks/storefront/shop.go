package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/artifact"
	"storefront/components/compute"
	"storefront/components/database"
	"storefront/components/loadbalancer"
	"storefront/components/network"
)

const (
	product      = "product" // the fleet that serves the catalogue
	productPort  = 8080
	program      = "shopd"
	authorities  = "database-ca.pem"
	databaseName = "shop"
	image        = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
)

func (st *stack) balancer(ctx *pulumi.Context, net *network.Network) (*loadbalancer.LoadBalancer, error) {
	s := st.settings
	args := &loadbalancer.Args{
		Region:       s.Region,
		AccountID:    st.account,
		VpcID:        net.VpcID,
		SubnetIDs:    net.SubnetIDs(network.Public),
		AllowedCIDRs: s.AllowedCIDRs,
		Default:      product,
		TargetGroups: map[string]loadbalancer.TargetGroup{product: {
			Port: productPort,
			// Not /readyz: it fails when the database does, on all servers at once, and the group would replace the whole fleet
			// in the middle of a failover.
			HealthPath:     "/healthz",
			HealthInterval: s.HealthInterval,
			DrainSeconds:   s.DrainSeconds,
		}},
		DeletionProtection: s.Protect,
		LogDays:            s.LogDays,
		ForceDestroy:       !s.Protect,
	}
	if s.CertificateARN != "" {
		args.CertificateARN = pulumi.String(s.CertificateARN)
	}
	l, err := loadbalancer.New(ctx, st.name, args, st.provider)
	if err != nil {
		return nil, err
	}
	st.out.URL, st.out.LoadBalancerARN, st.out.LoadBalancerDNSName, st.out.LoadBalancerZoneID = l.URL, l.ARN, l.DNSName, l.ZoneID
	st.out.LoadBalancerSecurityGroup, st.out.LoadBalancerLogBucket = l.SecurityGroupID, l.LogBucket
	return l, nil
}

// shop declares the product servers, with their program, and joins them to the load balancer and the database.
func (st *stack) shop(ctx *pulumi.Context, p *aws.Provider, net *network.Network, db *database.Database, balancer *loadbalancer.LoadBalancer) error {
	files := map[string]string{program: st.settings.Artifact}
	if st.settings.DatabaseCA != "" {
		files[authorities] = st.settings.DatabaseCA
	}
	store, err := artifact.NewStore(ctx, st.name+"-artifacts", &artifact.Args{Files: files, ForceDestroy: !st.settings.Protect}, st.provider)
	if err != nil {
		return err
	}
	args, err := st.productArgs(ctx, p, net, db, balancer, store)
	if err != nil {
		return err
	}
	fleet, err := compute.New(ctx, st.name+"-"+product, args, st.provider)
	if err != nil {
		return err
	}
	if err := balancer.AllowTo(ctx, product, fleet.SecurityGroupID); err != nil {
		return err
	}
	if err := db.AllowFrom(ctx, product, fleet.SecurityGroupID); err != nil {
		return err
	}
	st.out.ArtifactBucket, st.out.AutoScalingGroup = store.Bucket, fleet.GroupName
	st.out.FleetSecurityGroup, st.out.FleetRoleARN = fleet.SecurityGroupID, fleet.RoleARN
	st.out.TargetGroupARN, err = balancer.TargetGroupARN(product)
	return err
}

func (st *stack) productArgs(ctx *pulumi.Context, p *aws.Provider, net *network.Network, db *database.Database,
	balancer *loadbalancer.LoadBalancer, store *artifact.Store,
) (*compute.Args, error) {
	s := st.settings
	target, err := balancer.TargetGroupARN(product)
	if err != nil {
		return nil, err
	}
	label, err := balancer.RequestLabel(product)
	if err != nil {
		return nil, err
	}
	args := &compute.Args{
		GroupName: st.name + "-" + product,
		Region:    s.Region,
		AccountID: st.account,
		VpcID:     net.VpcID,
		SubnetIDs: net.SubnetIDs(network.Private),

		Service:     compute.Service{Name: "shop", Binary: program, Arguments: []string{product}},
		Files:       map[string]compute.SourceFile{},
		Environment: st.environment(db),
		Grants:      map[string]pulumi.StringInput{"artifacts": store.GrantRead(program, authorities), "database": db.GrantSecretRead()},

		ImageID:            pulumi.String(s.Image),
		PinImage:           s.Image != "",
		InstanceTypes:      s.InstanceTypes,
		Min:                s.MinInstances,
		Max:                s.MaxInstances,
		OnDemandBase:       s.OnDemandBase,
		OnDemandPercentage: s.OnDemandPercentage,

		Ingress: map[string]compute.Peer{"loadbalancer": {Port: productPort, SecurityGroupID: balancer.SecurityGroupID}},
		Egress: map[string]compute.Peer{
			"database": {Port: s.DatabasePort, SecurityGroupID: db.SecurityGroupID},
			"aws":      {Port: 443, CIDR: "0.0.0.0/0"}, // AWS's own services have no fixed addresses
		},
		TargetGroupARNs: pulumi.StringArray{target},
		Scaling:         compute.Scaling{CPU: 50, Requests: 1000, RequestLabel: label},
		Tags:            st.tags,
		ForceDelete:     !s.Protect,
	}
	if s.Image == "" {
		args.ImageID = ssm.LookupParameterOutput(ctx, ssm.LookupParameterOutputArgs{Name: pulumi.String(image)}, pulumi.Provider(p)).Value()
	}
	for name, file := range store.Files {
		args.Files[name] = compute.SourceFile{URL: file.URL, SHA256: file.SHA256}
	}
	return args, nil
}

// environment is the shop's contract with its servers: see services/shop/cmd/shopd.
func (st *stack) environment(db *database.Database) pulumi.StringMap {
	ca := "/etc/pki/tls/certs/ca-bundle.crt" // the system's, on Amazon Linux
	if st.settings.DatabaseCA != "" {
		ca = "/opt/shop/" + authorities
	}
	at := func(host pulumi.StringOutput) pulumi.StringOutput {
		return pulumi.Sprintf("%s:%d", host, db.Port)
	}
	return pulumi.StringMap{
		"AWS_REGION":         pulumi.String(st.settings.Region),
		"SHOP_LISTEN":        pulumi.String(fmt.Sprintf(":%d", productPort)),
		"SHOP_DB_WRITER":     at(db.WriterEndpoint),
		"SHOP_DB_READER":     at(db.ReaderEndpoint),
		"SHOP_DB_NAME":       pulumi.String(databaseName),
		"SHOP_DB_SECRET_ARN": db.SecretARN,
		"SHOP_DB_CA":         pulumi.String(ca),
	}
}
