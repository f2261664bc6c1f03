package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	estypes "github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

// plantInStores gives a database, a cache and a search domain the passwords that they take, waits until their engines run with them, and lets KMS encrypt a secret.
func plantInStores(t *testing.T, config aws.Config) {
	t.Helper()
	ctx, name := t.Context(), aws.String("planted")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	subnets := plantSubnets(t, config)
	databases, caches, domains := rds.NewFromConfig(config), elasticache.NewFromConfig(config), elasticsearchservice.NewFromConfig(config)
	must(databases.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: name, DBSubnetGroupDescription: name, SubnetIds: subnets}))
	must(databases.CreateDBCluster(ctx, &rds.CreateDBClusterInput{DBClusterIdentifier: name, Engine: aws.String("aurora-postgresql"), DBSubnetGroupName: name,
		MasterUsername: aws.String("owner"), MasterUserPassword: aws.String(planted + "-6")}))
	must(databases.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: name, DBClusterIdentifier: name, Engine: aws.String("aurora-postgresql"), DBInstanceClass: aws.String("db.t4g.medium")}))

	must(caches.CreateCacheSubnetGroup(ctx, &elasticache.CreateCacheSubnetGroupInput{CacheSubnetGroupName: name, CacheSubnetGroupDescription: name, SubnetIds: subnets}))
	must(caches.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{ReplicationGroupId: name, ReplicationGroupDescription: name, Engine: aws.String("redis"), CacheNodeType: aws.String("cache.t4g.micro"),
		NumCacheClusters: aws.Int32(1), CacheSubnetGroupName: name, TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String(planted + "-token-7")}))

	must(iam.NewFromConfig(config).CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("es.amazonaws.com")}))
	must(domains.CreateElasticsearchDomain(ctx, &elasticsearchservice.CreateElasticsearchDomainInput{DomainName: name, ElasticsearchVersion: aws.String("7.10"),
		VPCOptions: &estypes.VPCOptions{SubnetIds: subnets[:1]}, EBSOptions: &estypes.EBSOptions{EBSEnabled: aws.Bool(true), VolumeSize: aws.Int32(10)},
		EncryptionAtRestOptions: &estypes.EncryptionAtRestOptions{Enabled: aws.Bool(true)}, NodeToNodeEncryptionOptions: &estypes.NodeToNodeEncryptionOptions{Enabled: aws.Bool(true)},
		DomainEndpointOptions: &estypes.DomainEndpointOptions{EnforceHTTPS: aws.Bool(true)},
		AdvancedSecurityOptions: &estypes.AdvancedSecurityOptionsInput{Enabled: aws.Bool(true), InternalUserDatabaseEnabled: aws.Bool(true),
			MasterUserOptions: &estypes.MasterUserOptions{MasterUserName: aws.String("owner"), MasterUserPassword: aws.String(planted + "-Aa8")}}}))

	key, err := kms.NewFromConfig(config).CreateKey(ctx, nil)
	must(key, err)
	must(kms.NewFromConfig(config).Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte(planted + "-9")}))

	eventually(t, "wait until the engines run", time.Minute, func() error {
		d, err := databases.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: name})
		if err != nil {
			return err
		}
		c, err := caches.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: name})
		if err != nil {
			return err
		}
		e, err := domains.DescribeElasticsearchDomain(ctx, &elasticsearchservice.DescribeElasticsearchDomainInput{DomainName: name})
		if err != nil {
			return err
		}
		if a, b := *d.DBInstances[0].DBInstanceStatus, *c.ReplicationGroups[0].Status; a != "available" || b != "available" || *e.DomainStatus.Processing {
			return fmt.Errorf("the database is %s, the cache %s, the domain in work: %t", a, b, *e.DomainStatus.Processing)
		}
		return nil
	})
	must(databases.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{DBClusterIdentifier: name, MasterUserPassword: aws.String(planted + "-10"), ApplyImmediately: aws.Bool(true)}))
}

// plantSubnets makes a VPC with two subnets.
func plantSubnets(t *testing.T, config aws.Config) (ids []string) {
	t.Helper()
	api := ec2.NewFromConfig(config)
	vpc, err := api.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	for zone, block := range map[string]string{"a": "10.9.0.0/24", "b": "10.9.1.0/24"} {
		s, err := api.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: &block, AvailabilityZone: aws.String(config.Region + zone)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, *s.Subnet.SubnetId)
	}
	return ids
}
