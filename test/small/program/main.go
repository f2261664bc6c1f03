// Command program is the small stack: a network, queues, a bucket, an instance and a load balancer that answers by itself.
package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/network"
	"storefront/components/queue"
)

const (
	name   = "small"
	region = "us-east-1"
	// image is what AWS calls the newest Amazon Linux 2023.
	image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
)

func main() { pulumi.Run(deploy) }

// deploy makes one zone, queue and bucket, or with storefront:size the number of them: 1 to 3. An update from one size to another makes and deletes as much.
func deploy(ctx *pulumi.Context) error {
	endpoint, _ := ctx.GetConfig("storefront:endpoint")
	if endpoint == "" {
		return errors.New("storefront:endpoint is not set: this stack is for the lab alone")
	}
	size := 1
	if set, ok := ctx.GetConfig("storefront:size"); ok {
		var err error
		if size, err = strconv.Atoi(set); err != nil || size < 1 || size > 3 {
			return fmt.Errorf("storefront:size is %q, want 1 to 3", set)
		}
	}
	provider, err := newProvider(ctx, pulumi.String(endpoint))
	if err != nil {
		return err
	}
	net, err := network.NewNetwork(ctx, name, &network.Args{
		Region: region, Zones: []string{region + "a", region + "b", region + "c"}[:max(size, 2)], CIDR: "10.9.0.0/16", NAT: network.NATNone, FlowLogDays: 1,
	}, provider)
	if err != nil {
		return err
	}
	for n := range size {
		if _, err := queue.New(ctx, fmt.Sprintf("%s-%d", name, n), &queue.Args{}, provider); err != nil {
			return err
		}
		if _, err := s3.NewBucketV2(ctx, fmt.Sprintf("%s-%d", name, n), &s3.BucketV2Args{Bucket: pulumi.Sprintf("storefront-%s-%d", name, n)}, provider); err != nil {
			return err
		}
	}
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		VpcId: net.VpcID, Name: pulumi.String(name), Description: pulumi.String("The small stack"),
		Ingress: ec2.SecurityGroupIngressArray{ec2.SecurityGroupIngressArgs{Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(80), ToPort: pulumi.Int(80), CidrBlocks: pulumi.ToStringArray([]string{"0.0.0.0/0"})}},
	}, provider)
	if err != nil {
		return err
	}
	if _, err := ec2.NewInstance(ctx, name, &ec2.InstanceArgs{
		Ami:          ssm.LookupParameterOutput(ctx, ssm.LookupParameterOutputArgs{Name: pulumi.String(image)}, provider).Value(),
		InstanceType: pulumi.String("t3.micro"), SubnetId: net.Subnets[network.Private][region+"a"].ID(), VpcSecurityGroupIds: pulumi.StringArray{group.ID()},
	}, provider); err != nil {
		return err
	}
	return makeBalancer(ctx, net, group, provider)
}

func makeBalancer(ctx *pulumi.Context, net *network.Network, group *ec2.SecurityGroup, provider pulumi.ResourceOption) error {
	balancer, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		Name: pulumi.String(name), Subnets: net.SubnetIDs(network.Public), SecurityGroups: pulumi.StringArray{group.ID()},
	}, provider)
	if err != nil {
		return err
	}
	_, err = lb.NewListener(ctx, name, &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(80),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"), FixedResponse: lb.ListenerDefaultActionFixedResponseArgs{ContentType: pulumi.String("text/plain"), StatusCode: pulumi.String("200"), MessageBody: pulumi.String(name)},
		}},
	}, provider)
	ctx.Export("url", pulumi.Sprintf("http://%s", balancer.DnsName))
	ctx.Export("region", pulumi.String(region))
	return err
}

func newProvider(ctx *pulumi.Context, at pulumi.StringPtrInput) (pulumi.ResourceOrInvokeOption, error) {
	p, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region: pulumi.String(region), S3UsePathStyle: pulumi.Bool(true),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"Project": pulumi.String(name)}},
		Endpoints:   aws.ProviderEndpointArray{&aws.ProviderEndpointArgs{Cloudwatch: at, Ec2: at, Elbv2: at, Iam: at, Kms: at, Logs: at, Rds: at, S3: at, Sqs: at, Ssm: at, Sts: at}},
	})
	return pulumi.Provider(p), err
}
