package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newProvider makes the stack's only provider. Credentials come from where the AWS SDKs find them, never from the
// configuration. With an endpoint, every service that the stack uses is spoken to there: a service left out would mean AWS.
func (st *stack) newProvider(ctx *pulumi.Context) (*aws.Provider, error) {
	args := &aws.ProviderArgs{
		Region:      pulumi.String(st.settings.Region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(st.tags)},
	}
	if st.settings.Endpoint != "" {
		at := pulumi.String(st.settings.Endpoint)
		args.S3UsePathStyle = pulumi.Bool(true) // buckets have no host names there
		args.Endpoints = aws.ProviderEndpointArray{&aws.ProviderEndpointArgs{
			Acm: at, Appautoscaling: at, Autoscaling: at, Backup: at, Cloudtrail: at, Cloudwatch: at, Ec2: at, Elasticache: at, Elasticsearch: at, Elbv2: at, Fms: at, Iam: at, Kms: at,
			Logs: at, Opensearch: at, Rds: at, S3: at, Secretsmanager: at, Sns: at, Sqs: at, Ssm: at, Sts: at, Wafv2: at,
		}}
	}
	p, err := aws.NewProvider(ctx, "aws", args)
	if err != nil {
		return nil, fmt.Errorf("configuring AWS: %w", err)
	}
	return p, nil
}
