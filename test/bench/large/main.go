// Command large declares a stack of 500 resources, composed of the project's components: a network over three zones, and queues with alarms.
package main

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/network"
	"storefront/components/queue"
)

const (
	name   = "large"
	region = "us-east-1"
	// queues of eight resources each, beside the network, make more than 500.
	queues = 56
)

func main() { pulumi.Run(deploy) }

func deploy(ctx *pulumi.Context) error {
	endpoint, _ := ctx.GetConfig("storefront:endpoint")
	if endpoint == "" {
		return errors.New("storefront:endpoint is not set: this stack is for the lab alone")
	}
	at := pulumi.String(endpoint)
	p, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region:    pulumi.String(region),
		Endpoints: aws.ProviderEndpointArray{&aws.ProviderEndpointArgs{Cloudwatch: at, Ec2: at, Elasticache: at, Iam: at, Kms: at, Logs: at, Rds: at, S3: at, Sns: at, Sqs: at, Ssm: at, Sts: at}},
	})
	if err != nil {
		return err
	}
	provider := pulumi.Provider(p)
	if _, err := network.NewNetwork(ctx, name, &network.Args{
		Region: region, Zones: []string{region + "a", region + "b", region + "c"}, CIDR: "10.9.0.0/16", NAT: network.NATPerZone, FlowLogDays: 1,
	}, provider); err != nil {
		return err
	}
	topic := pulumi.String("arn:aws:sns:" + region + ":000000000000:alarms")
	for n := range queues {
		if _, err := queue.New(ctx, fmt.Sprintf("%s-%d", name, n), &queue.Args{AlarmActions: []pulumi.StringInput{topic}}, provider); err != nil {
			return err
		}
	}
	return nil
}
