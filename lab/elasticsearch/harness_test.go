package elasticsearch_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/smithy-go"

	apiec2 "storefront/lab/api/ec2"
	apies "storefront/lab/api/elasticsearch"
	apiiam "storefront/lab/api/iam"
	apilogs "storefront/lab/api/logs"
	apios "storefront/lab/api/opensearch"
	"storefront/lab/ec2"
	"storefront/lab/elasticsearch"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/logs"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// lab is a control plane with a VPC of three subnets, and clients of both APIs.
type lab struct {
	*testing.T
	es      *elasticsearchservice.Client
	os      *opensearch.Client
	ec2     *sdkec2.Client
	service *elasticsearch.Service
	iam     *iam.Service
	logs    *logs.Service
	store   *state.Store
	dir     string
	subnets []string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, dir: t.TempDir()}
	store, err := state.Open(filepath.Join(l.dir, "state"))
	l.must(err)
	t.Cleanup(func() { _ = store.Close() })
	now, r := time.Now, region.Default()
	l.store, l.iam, l.logs = store, iam.New(store, r, now), logs.New(logs.Config{Store: store, Region: r, Now: now})
	network := ec2.New(ec2.Config{Store: store, Region: r, Now: now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	l.service = elasticsearch.New(elasticsearch.Config{Store: store, Region: r, Now: now, Network: network, Roles: l.iam, Keys: kms.New(store, r, now), Logs: l.logs})
	config := wiretest.New(t, apies.New(l.service.Legacy()), apios.New(l.service), apiec2.New(network)).Config()
	l.es, l.os, l.ec2 = elasticsearchservice.NewFromConfig(config), opensearch.NewFromConfig(config), sdkec2.NewFromConfig(config)
	vpc, err := l.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	l.must(err)
	for i, zone := range r.Zones() {
		subnet, err := l.ec2.CreateSubnet(t.Context(), &sdkec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, AvailabilityZone: &zone.Name, CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", i))})
		l.must(err)
		l.subnets = append(l.subnets, *subnet.Subnet.SubnetId)
	}
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// refused wants an error of a code, with a message that has a part.
func (l *lab) refused(err error, code, part string) {
	l.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		l.Errorf("got %v, want %s: %s", err, code, part)
	}
}

// link makes the service-linked role that domains in a VPC need.
func (l *lab) link() {
	l.Helper()
	_, err := l.iam.CreateServiceLinkedRole(l.Context(), &apiiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("es.amazonaws.com")})
	l.must(err)
}

// role makes a role and returns its ARN.
func (l *lab) role(name string) string {
	l.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	out, err := l.iam.CreateRole(l.Context(), &apiiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	l.must(err)
	return *out.Role.Arn
}

// group makes a log group and returns its ARN.
func (l *lab) group(name string) string {
	l.Helper()
	_, err := l.logs.CreateLogGroup(l.Context(), &apilogs.CreateLogGroupInput{LogGroupName: &name})
	l.must(err)
	return "arn:aws:logs:us-east-1:000000000000:log-group:" + name
}

// plain is the request for a domain of one node in one subnet.
func (l *lab) plain() *elasticsearchservice.CreateElasticsearchDomainInput {
	return &elasticsearchservice.CreateElasticsearchDomainInput{
		DomainName: aws.String("orders"), ElasticsearchVersion: aws.String("7.10"),
		ElasticsearchClusterConfig: &types.ElasticsearchClusterConfig{InstanceType: "t3.small.elasticsearch", InstanceCount: aws.Int32(1)},
		EBSOptions:                 &types.EBSOptions{EBSEnabled: aws.Bool(true), VolumeSize: aws.Int32(10), VolumeType: types.VolumeTypeGp3},
		VPCOptions:                 &types.VPCOptions{SubnetIds: l.subnets[:1]},
	}
}

// full is the request for a domain as the shop has it.
func (l *lab) full(master string) *elasticsearchservice.CreateElasticsearchDomainInput {
	in := l.plain()
	in.ElasticsearchClusterConfig.InstanceCount, in.ElasticsearchClusterConfig.ZoneAwarenessEnabled = aws.Int32(2), aws.Bool(true)
	in.VPCOptions.SubnetIds = l.subnets[:2]
	in.EncryptionAtRestOptions = &types.EncryptionAtRestOptions{Enabled: aws.Bool(true)}
	in.NodeToNodeEncryptionOptions = &types.NodeToNodeEncryptionOptions{Enabled: aws.Bool(true)}
	in.DomainEndpointOptions = &types.DomainEndpointOptions{EnforceHTTPS: aws.Bool(true), TLSSecurityPolicy: types.TLSSecurityPolicyPolicyMinTls12201907}
	in.AdvancedSecurityOptions = &types.AdvancedSecurityOptionsInput{Enabled: aws.Bool(true), MasterUserOptions: &types.MasterUserOptions{MasterUserARN: &master}}
	return in
}

// settle reports what is declared as true, as the data plane does.
func (l *lab) settle() {
	l.Helper()
	l.must(l.store.Update(func(tx *state.Tx) error {
		for _, d := range l.service.Domains(tx) {
			var gone []string
			for _, n := range d.Nodes {
				if n.Leaving {
					gone = append(gone, n.ID)
				}
			}
			report := l.service.Settled
			if !d.Exists {
				report = l.service.Gone
			}
			if err := errors.Join(l.service.NodesGone(tx, d, gone), report(tx, d)); err != nil {
				return err
			}
		}
		return nil
	}))
}
