package search

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticsearch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/opensearch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

const (
	tlsPolicy   = "Policy-Min-TLS-1-2-2019-07"
	masterCount = 3 // an odd number of voters; five serve only very large domains
)

// domain has what both kinds of domain tell.
type domain struct{ arn, name, endpoint pulumi.StringOutput }

// makeDomain makes the domain of the engine asked for. The two resources differ in little but their types, because they are two APIs
// of one service; the newer one, which knows both engines, waits ten minutes at each creation and deletion in the provider.
func (d *Domain) makeDomain(ctx *pulumi.Context, logs map[string]pulumi.StringOutput, opts ...pulumi.ResourceOption) (domain, error) {
	create := d.makeElasticsearch
	if d.args.Engine == OpenSearch {
		create = d.makeOpenSearch
	}
	made, err := create(ctx, logs, opts)
	if err != nil {
		return made, fmt.Errorf("creating the domain: %w", err)
	}
	return made, nil
}

func (d *Domain) makeElasticsearch(ctx *pulumi.Context, logs map[string]pulumi.StringOutput, opts []pulumi.ResourceOption) (domain, error) {
	a, zones := &d.args, len(d.args.SubnetIDs)
	cluster := &elasticsearch.DomainClusterConfigArgs{
		InstanceType: pulumi.String(a.InstanceType + ".elasticsearch"), InstanceCount: pulumi.Int(a.Nodes),
		ZoneAwarenessEnabled: pulumi.Bool(zones > 1), DedicatedMasterEnabled: pulumi.Bool(a.MasterType != ""),
	}
	if zones > 1 {
		cluster.ZoneAwarenessConfig = &elasticsearch.DomainClusterConfigZoneAwarenessConfigArgs{AvailabilityZoneCount: pulumi.Int(zones)}
	}
	if a.MasterType != "" {
		cluster.DedicatedMasterType, cluster.DedicatedMasterCount = pulumi.String(a.MasterType+".elasticsearch"), pulumi.Int(masterCount)
	}
	var publish elasticsearch.DomainLogPublishingOptionArray
	for _, kind := range logKinds {
		publish = append(publish, &elasticsearch.DomainLogPublishingOptionArgs{LogType: pulumi.String(kind.option), CloudwatchLogGroupArn: logs[kind.option]})
	}
	made, err := elasticsearch.NewDomain(ctx, d.name, &elasticsearch.DomainArgs{
		DomainName:           pulumi.String(a.Name),
		ElasticsearchVersion: pulumi.String(a.Version),
		ClusterConfig:        cluster,
		EbsOptions: &elasticsearch.DomainEbsOptionsArgs{
			EbsEnabled: pulumi.Bool(true), VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(a.VolumeGiB),
		},
		VpcOptions:           &elasticsearch.DomainVpcOptionsArgs{SubnetIds: d.subnets(), SecurityGroupIds: pulumi.StringArray{d.group.ID()}},
		EncryptAtRest:        &elasticsearch.DomainEncryptAtRestArgs{Enabled: pulumi.Bool(true), KmsKeyId: a.KeyARN.ToStringOutput().ToStringPtrOutput()},
		NodeToNodeEncryption: &elasticsearch.DomainNodeToNodeEncryptionArgs{Enabled: pulumi.Bool(true)},
		DomainEndpointOptions: &elasticsearch.DomainDomainEndpointOptionsArgs{
			EnforceHttps: pulumi.Bool(true), TlsSecurityPolicy: pulumi.String(tlsPolicy),
		},
		AdvancedSecurityOptions: &elasticsearch.DomainAdvancedSecurityOptionsArgs{
			Enabled: pulumi.Bool(true), InternalUserDatabaseEnabled: pulumi.Bool(false),
			MasterUserOptions: &elasticsearch.DomainAdvancedSecurityOptionsMasterUserOptionsArgs{
				MasterUserArn: a.MasterRoleARN.ToStringOutput().ToStringPtrOutput(),
			},
		},
		AccessPolicies:       d.access(),
		LogPublishingOptions: publish,
		Tags:                 tags.Named(d.name),
	}, opts...)
	if err != nil {
		return domain{}, err
	}
	return domain{made.Arn, made.DomainName, made.Endpoint}, nil
}

func (d *Domain) makeOpenSearch(ctx *pulumi.Context, logs map[string]pulumi.StringOutput, opts []pulumi.ResourceOption) (domain, error) {
	a, zones := &d.args, len(d.args.SubnetIDs)
	cluster := &opensearch.DomainClusterConfigArgs{
		InstanceType: pulumi.String(a.InstanceType + ".search"), InstanceCount: pulumi.Int(a.Nodes),
		ZoneAwarenessEnabled: pulumi.Bool(zones > 1), DedicatedMasterEnabled: pulumi.Bool(a.MasterType != ""),
	}
	if zones > 1 {
		cluster.ZoneAwarenessConfig = &opensearch.DomainClusterConfigZoneAwarenessConfigArgs{AvailabilityZoneCount: pulumi.Int(zones)}
	}
	if a.MasterType != "" {
		cluster.DedicatedMasterType, cluster.DedicatedMasterCount = pulumi.String(a.MasterType+".search"), pulumi.Int(masterCount)
	}
	var publish opensearch.DomainLogPublishingOptionArray
	for _, kind := range logKinds {
		publish = append(publish, &opensearch.DomainLogPublishingOptionArgs{LogType: pulumi.String(kind.option), CloudwatchLogGroupArn: logs[kind.option]})
	}
	made, err := opensearch.NewDomain(ctx, d.name, &opensearch.DomainArgs{
		DomainName:    pulumi.String(a.Name),
		EngineVersion: pulumi.String("OpenSearch_" + a.Version),
		ClusterConfig: cluster,
		EbsOptions: &opensearch.DomainEbsOptionsArgs{
			EbsEnabled: pulumi.Bool(true), VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(a.VolumeGiB),
		},
		VpcOptions:           &opensearch.DomainVpcOptionsArgs{SubnetIds: d.subnets(), SecurityGroupIds: pulumi.StringArray{d.group.ID()}},
		EncryptAtRest:        &opensearch.DomainEncryptAtRestArgs{Enabled: pulumi.Bool(true), KmsKeyId: a.KeyARN.ToStringOutput().ToStringPtrOutput()},
		NodeToNodeEncryption: &opensearch.DomainNodeToNodeEncryptionArgs{Enabled: pulumi.Bool(true)},
		DomainEndpointOptions: &opensearch.DomainDomainEndpointOptionsArgs{
			EnforceHttps: pulumi.Bool(true), TlsSecurityPolicy: pulumi.String(tlsPolicy),
		},
		AdvancedSecurityOptions: &opensearch.DomainAdvancedSecurityOptionsArgs{
			Enabled: pulumi.Bool(true), InternalUserDatabaseEnabled: pulumi.Bool(false),
			MasterUserOptions: &opensearch.DomainAdvancedSecurityOptionsMasterUserOptionsArgs{
				MasterUserArn: a.MasterRoleARN.ToStringOutput().ToStringPtrOutput(),
			},
		},
		AccessPolicies:        d.access().ToStringPtrOutput(),
		LogPublishingOptions:  publish,
		OffPeakWindowOptions:  &opensearch.DomainOffPeakWindowOptionsArgs{Enabled: pulumi.Bool(true)},
		SoftwareUpdateOptions: &opensearch.DomainSoftwareUpdateOptionsArgs{AutoSoftwareUpdateEnabled: pulumi.Bool(true)}, // in the off-peak window
		Tags:                  tags.Named(d.name),
	}, opts...)
	if err != nil {
		return domain{}, err
	}
	return domain{made.Arn, made.DomainName, made.Endpoint}, nil
}

func (d *Domain) subnets() pulumi.StringArray {
	var ids pulumi.StringArray
	for _, id := range d.args.SubnetIDs {
		ids = append(ids, id)
	}
	return ids
}

// access is the domain's policy: requests over HTTP, from the roles named and nobody else.
func (d *Domain) access() pulumi.StringOutput {
	a := &d.args
	return policy.Output(func(v []string) policy.Document {
		arn := "arn:" + policy.Partition(a.Region) + ":es:" + a.Region + ":" + v[0] + ":domain/" + a.Name
		return policy.Document{{
			Principal: &policy.Principal{AWS: v[1:]}, Action: policy.Strings{"es:ESHttp*"}, Resource: policy.Strings{arn + "/*"},
		}}
	}, append([]pulumi.StringInput{a.AccountID}, a.RoleARNs...)...)
}
