package main

import (
	"errors"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/artifact"
	"storefront/components/cache"
	"storefront/components/compute"
	"storefront/components/network"
	"storefront/components/search"
)

const (
	service      = "shop" // the systemd unit
	program      = "shopd"
	authorities  = "database-ca.pem"
	databaseName = "shop"
	image        = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
)

// makeFleets declares the servers of both fleets, with their program, and opens the ways to what they use.
func (st *stack) makeFleets(ctx *pulumi.Context) error {
	files := map[string]string{program: st.settings.Artifact}
	if st.settings.DatabaseCA != "" {
		files[authorities] = st.settings.DatabaseCA
	}
	store, err := artifact.NewStore(ctx, st.name+"-artifacts", &artifact.Args{Files: files, ForceDestroy: !st.settings.Protect}, st.provider)
	if err != nil {
		return err
	}
	st.out.ArtifactBucket = store.Bucket
	products, err := st.productFleet(ctx, store)
	if err != nil {
		return err
	}
	summaries, err := st.summaryFleet(ctx, store)
	if err != nil {
		return err
	}
	return errors.Join(
		st.balancer.AllowTo(ctx, product, products.SecurityGroupID),
		st.balancer.AllowTo(ctx, summary, summaries.SecurityGroupID),
		st.db.AllowFrom(ctx, product, products.SecurityGroupID),
		st.db.AllowFrom(ctx, summary, summaries.SecurityGroupID),
		st.cache.AllowFrom(ctx, product, products.SecurityGroupID),
		st.search.AllowFrom(ctx, summary, summaries.SecurityGroupID),
	)
}

// productFleet serves the catalogue and takes orders. Both roles of the program run in one process.
func (st *stack) productFleet(ctx *pulumi.Context, store *artifact.Store) (*compute.Fleet, error) {
	s := st.settings
	args, err := st.fleet(ctx, product, store)
	if err != nil {
		return nil, err
	}
	label, err := st.balancer.RequestLabel(product)
	if err != nil {
		return nil, err
	}
	args.Service.Arguments = []string{"product", "order"}
	args.Min, args.Max = s.MinInstances, s.MaxInstances
	args.Scaling = compute.Scaling{CPU: 50, Requests: 1000, RequestLabel: label}
	args.Egress["cache"] = compute.Peer{Port: cache.Port, SecurityGroupID: st.cache.SecurityGroupID}
	maps.Copy(args.Grants, map[string]pulumi.StringInput{
		"cache": st.cache.GrantSecretRead(), "order-key": st.orderKey.GrantRead(), "queue": st.orders.GrantSend(),
	})
	maps.Copy(args.Environment, pulumi.StringMap{
		"SHOP_DB_READER":        hostPort(st.db.ReaderEndpoint, st.db.Port),
		"SHOP_QUEUE_URL":        st.orders.URL,
		"SHOP_CACHE":            hostPort(st.cache.PrimaryEndpoint, st.cache.Port),
		"SHOP_CACHE_SECRET_ARN": st.cache.SecretARN,
		"SHOP_ORDER_SECRET_ARN": st.orderKey.ARN,
	})
	made, err := compute.New(ctx, st.name+"-"+product, args, st.provider)
	if err != nil {
		return nil, err
	}
	st.out.AutoScalingGroup, st.out.FleetSecurityGroup, st.out.FleetRoleARN = made.GroupName, made.SecurityGroupID, made.RoleARN
	st.out.TargetGroupARN, err = st.balancer.TargetGroupARN(product)
	return made, err
}

// summaryFleet carries orders out and serves their summaries. It grows with the orders that wait.
func (st *stack) summaryFleet(ctx *pulumi.Context, store *artifact.Store) (*compute.Fleet, error) {
	s := st.settings
	args, err := st.fleet(ctx, summary, store)
	if err != nil {
		return nil, err
	}
	args.Role = st.role
	args.Service.Arguments = []string{"summary"}
	args.Min, args.Max = s.SummaryMinInstances, s.SummaryMaxInstances
	args.Scaling = compute.Scaling{CPU: 60, Backlog: float64(s.BacklogPerInstance), BacklogQueue: st.orders.Name}
	args.Egress["search"] = compute.Peer{Port: search.Port, SecurityGroupID: st.search.SecurityGroupID}
	maps.Copy(args.Grants, map[string]pulumi.StringInput{"queue": st.orders.GrantConsume(), "search": st.search.GrantReadWrite()})
	maps.Copy(args.Environment, pulumi.StringMap{"SHOP_QUEUE_URL": st.orders.URL, "SHOP_SEARCH": st.search.URL})
	made, err := compute.New(ctx, st.name+"-"+summary, args, st.provider)
	if err != nil {
		return nil, err
	}
	st.out.SummaryAutoScalingGroup, st.out.SummarySecurityGroup, st.out.SummaryRoleARN = made.GroupName, made.SecurityGroupID, made.RoleARN
	st.out.SummaryTargetGroupARN, err = st.balancer.TargetGroupARN(summary)
	return made, err
}

// fleet is what the two fleets have in common.
func (st *stack) fleet(ctx *pulumi.Context, name string, store *artifact.Store) (*compute.Args, error) {
	s := st.settings
	target, err := st.balancer.TargetGroupARN(name)
	if err != nil {
		return nil, err
	}
	args := &compute.Args{
		GroupName: st.name + "-" + name,
		Region:    s.Region,
		AccountID: st.account,
		VpcID:     st.net.VpcID,
		SubnetIDs: st.net.SubnetIDs(network.Private),

		Service:     compute.Service{Name: service, Binary: program},
		Files:       map[string]compute.SourceFile{},
		Environment: st.environment(),
		Grants:      map[string]pulumi.StringInput{"artifacts": store.GrantRead(program, authorities), "database": st.db.GrantSecretRead()},

		KeyARN:             st.keys.Volumes.ARN,
		ImageID:            pulumi.String(s.Image),
		PinImage:           s.Image != "",
		InstanceTypes:      s.InstanceTypes,
		OnDemandBase:       s.OnDemandBase,
		OnDemandPercentage: s.OnDemandPercentage,

		Ingress: map[string]compute.Peer{"loadbalancer": {Port: shopPort, SecurityGroupID: st.balancer.SecurityGroupID}},
		Egress: map[string]compute.Peer{
			"database": {Port: s.DatabasePort, SecurityGroupID: st.db.SecurityGroupID},
			"aws":      {Port: 443, CIDR: "0.0.0.0/0"}, // AWS's own services have no fixed addresses
		},
		TargetGroupARNs: pulumi.StringArray{target},
		GraceSeconds:    s.GraceSeconds,
		WarmupSeconds:   s.WarmupSeconds,
		Tags:            st.tags,
		ForceDelete:     !s.Protect,
	}
	if s.Image == "" {
		args.ImageID = ssm.LookupParameterOutput(ctx, ssm.LookupParameterOutputArgs{Name: pulumi.String(image)}, pulumi.Provider(st.aws)).Value()
	}
	for name, file := range store.Files {
		args.Files[name] = compute.SourceFile{URL: file.URL, SHA256: file.SHA256}
	}
	return args, nil
}

// environment is the part of the shop's contract with its servers that all of its roles share: see services/shop/cmd/shopd.
func (st *stack) environment() pulumi.StringMap {
	ca := "/etc/pki/tls/certs/ca-bundle.crt" // the system's, on Amazon Linux
	if st.settings.DatabaseCA != "" {
		ca = "/opt/" + service + "/" + authorities
	}
	return pulumi.StringMap{
		"AWS_REGION":         pulumi.String(st.settings.Region),
		"SHOP_LISTEN":        pulumi.String(fmt.Sprintf(":%d", shopPort)),
		"SHOP_DB_WRITER":     hostPort(st.db.WriterEndpoint, st.db.Port),
		"SHOP_DB_NAME":       pulumi.String(databaseName),
		"SHOP_DB_SECRET_ARN": st.db.SecretARN,
		"SHOP_DB_CA":         pulumi.String(ca),
	}
}

func hostPort(host pulumi.StringOutput, port pulumi.IntOutput) pulumi.StringOutput {
	return pulumi.Sprintf("%s:%d", host, port)
}
