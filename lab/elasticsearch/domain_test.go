package elasticsearch_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"

	"storefront/lab/state"
)

func (l *lab) describe() *types.ElasticsearchDomainStatus {
	l.Helper()
	out, err := l.es.DescribeElasticsearchDomain(l.Context(), &elasticsearchservice.DescribeElasticsearchDomainInput{DomainName: aws.String("orders")})
	l.must(err)
	return out.DomainStatus
}

func (l *lab) nodes() (ids []string) {
	l.Helper()
	l.must(l.store.View(func(tx *state.Tx) error {
		for _, n := range l.service.Domains(tx)[0].Nodes {
			if !n.Leaving {
				ids = append(ids, n.ID)
			}
		}
		return nil
	}))
	return ids
}

func TestADomainFromDeclarationToDeletion(t *testing.T) {
	l := newLab(t)
	l.link()
	role := l.role("summary")
	in := l.full(role)
	in.AccessPolicies = aws.String(`{ "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "` + role + `"}, "Action": "es:ESHttp*", "Resource": "*"}] }`)
	in.TagList = []types.Tag{{Key: aws.String("Name"), Value: aws.String("orders")}}
	created, err := l.es.CreateElasticsearchDomain(t.Context(), in)
	l.must(err)
	d := created.DomainStatus
	if d.DomainProcessingStatus != types.DomainProcessingStatusTypeCreating || !*d.Processing || d.Endpoints != nil {
		t.Errorf("a new domain: %+v", d)
	}
	l.settle()
	d = l.describe()
	host := d.Endpoints["vpc"]
	if d.DomainProcessingStatus != types.DomainProcessingStatusTypeActive || *d.Processing || d.Endpoint != nil || !strings.HasPrefix(host, "vpc-orders-") || !strings.HasSuffix(host, ".us-east-1.es.amazonaws.com") {
		t.Errorf("a domain that has come true: %+v", d)
	}
	if len(strings.TrimSuffix(strings.TrimPrefix(host, "vpc-orders-"), ".us-east-1.es.amazonaws.com")) != 26 {
		t.Errorf("the endpoint %s has no 26 characters after the domain's name", host)
	}
	if *d.ElasticsearchVersion != "7.10" || d.ElasticsearchClusterConfig.InstanceType != "t3.small.elasticsearch" || *d.EBSOptions.Iops != 3000 || *d.EBSOptions.Throughput != 125 {
		t.Errorf("options: %+v %+v", d.ElasticsearchClusterConfig, d.EBSOptions)
	}
	if !strings.HasPrefix(*d.EncryptionAtRestOptions.KmsKeyId, "arn:aws:kms:") || *d.AdvancedSecurityOptions.InternalUserDatabaseEnabled || !*d.AdvancedSecurityOptions.Enabled {
		t.Errorf("security: %+v %+v", d.EncryptionAtRestOptions, d.AdvancedSecurityOptions)
	}
	if strings.Contains(*d.AccessPolicies, " ") || len(d.VPCOptions.AvailabilityZones) != 2 || *d.VPCOptions.VPCId == "" || len(d.VPCOptions.SecurityGroupIds) != 1 {
		t.Errorf("access: %s %+v", *d.AccessPolicies, d.VPCOptions)
	}
	l.must(l.store.View(func(tx *state.Tx) error {
		var addresses []netip.Addr
		if addresses, _ = l.service.Resolve(tx, host); len(addresses) != 2 {
			t.Errorf("%s leads to %v, want both nodes", host, addresses)
		}
		return nil
	}))

	before := l.nodes()
	_, err = l.es.UpdateElasticsearchDomainConfig(t.Context(), &elasticsearchservice.UpdateElasticsearchDomainConfigInput{
		DomainName: aws.String("orders"), ElasticsearchClusterConfig: &types.ElasticsearchClusterConfig{InstanceCount: aws.Int32(3)}})
	l.must(err)
	if d := l.describe(); d.DomainProcessingStatus != types.DomainProcessingStatusTypeModifying || d.Endpoints["vpc"] != host {
		t.Errorf("a domain that changes: %+v", d)
	}
	_, err = l.es.UpdateElasticsearchDomainConfig(t.Context(), &elasticsearchservice.UpdateElasticsearchDomainConfigInput{DomainName: aws.String("orders")})
	l.refused(err, "ValidationException", "A change/update is in progress")
	l.settle()
	after := l.nodes()
	if len(after) != 3 || !slices.Contains(after, before[0]) || !slices.Contains(after, before[1]) {
		t.Errorf("the nodes %v became %v, want them and another one", before, after)
	}
	config, err := l.es.DescribeElasticsearchDomainConfig(t.Context(), &elasticsearchservice.DescribeElasticsearchDomainConfigInput{DomainName: aws.String("orders")})
	l.must(err)
	if c := config.DomainConfig; *c.ElasticsearchClusterConfig.Options.InstanceCount != 3 || c.ElasticsearchClusterConfig.Status.State != types.OptionStateActive || c.AutoTuneOptions.Options.DesiredState != types.AutoTuneDesiredStateDisabled {
		t.Errorf("the configuration: %+v", c)
	}
	tags, err := l.es.ListTags(t.Context(), &elasticsearchservice.ListTagsInput{ARN: d.ARN})
	l.must(err)
	if len(tags.TagList) != 1 || *tags.TagList[0].Value != "orders" {
		t.Errorf("got tags %v", tags.TagList)
	}

	_, err = l.es.DeleteElasticsearchDomain(t.Context(), &elasticsearchservice.DeleteElasticsearchDomainInput{DomainName: aws.String("orders")})
	l.must(err)
	if d := l.describe(); !*d.Deleted || d.DomainProcessingStatus != types.DomainProcessingStatusTypeDeleting {
		t.Errorf("a domain that goes: %+v", d)
	}
	_, err = l.es.CreateElasticsearchDomain(t.Context(), in)
	l.refused(err, "ValidationException", "Domain is still being deleted")
	l.settle()
	_, err = l.es.DescribeElasticsearchDomain(t.Context(), &elasticsearchservice.DescribeElasticsearchDomainInput{DomainName: aws.String("orders")})
	l.refused(err, "ResourceNotFoundException", "Domain not found: orders")
	left, err := l.ec2.DescribeNetworkInterfaces(t.Context(), &sdkec2.DescribeNetworkInterfacesInput{})
	l.must(err)
	if len(left.NetworkInterfaces) > 0 {
		t.Errorf("%d network interfaces are left", len(left.NetworkInterfaces))
	}
}

// Nodes of each kind go to the subnets in turns; those that are too many leave, and take their interfaces along.
func TestNodesAreSpreadOverTheSubnets(t *testing.T) {
	l := newLab(t)
	l.link()
	in := l.plain()
	c := in.ElasticsearchClusterConfig
	c.InstanceCount, c.ZoneAwarenessEnabled, c.ZoneAwarenessConfig = aws.Int32(3), aws.Bool(true), &types.ZoneAwarenessConfig{AvailabilityZoneCount: aws.Int32(3)}
	c.DedicatedMasterEnabled, c.DedicatedMasterCount, c.DedicatedMasterType = aws.Bool(true), aws.Int32(3), "t3.small.elasticsearch"
	in.VPCOptions.SubnetIds = l.subnets
	_, err := l.es.CreateElasticsearchDomain(t.Context(), in)
	l.must(err)
	l.settle()
	type place struct {
		zone   string
		master bool
	}
	count := func() map[place]int {
		places := map[place]int{}
		l.must(l.store.View(func(tx *state.Tx) error {
			for _, n := range l.service.Domains(tx)[0].Nodes {
				places[place{n.Zone, n.Master}]++
			}
			return nil
		}))
		return places
	}
	if got := count(); len(got) != 6 {
		t.Errorf("got %v, want a data node and a master in each zone", got)
	}
	_, err = l.es.UpdateElasticsearchDomainConfig(t.Context(), &elasticsearchservice.UpdateElasticsearchDomainConfigInput{DomainName: in.DomainName, VPCOptions: &types.VPCOptions{SubnetIds: l.subnets[1:2]},
		ElasticsearchClusterConfig: &types.ElasticsearchClusterConfig{InstanceCount: aws.Int32(2), ZoneAwarenessEnabled: aws.Bool(false), DedicatedMasterEnabled: aws.Bool(false)}})
	l.must(err)
	if got := count(); len(got) != 6 {
		t.Errorf("got %v: nodes went before their data had moved", got)
	}
	l.settle()
	if got := count(); len(got) != 1 || got[place{"us-east-1b", false}] != 2 {
		t.Errorf("got %v, want two data nodes in us-east-1b", got)
	}
}

// What one API makes, the other shows under its own names.
func TestBothAPIsLeadToTheSameDomains(t *testing.T) {
	l := newLab(t)
	l.link()
	_, err := l.es.CreateElasticsearchDomain(t.Context(), l.plain())
	l.must(err)
	l.settle()
	out, err := l.os.DescribeDomain(t.Context(), &opensearch.DescribeDomainInput{DomainName: aws.String("orders")})
	l.must(err)
	if d := out.DomainStatus; *d.EngineVersion != "Elasticsearch_7.10" || d.ClusterConfig.InstanceType != "t3.small.search" || d.Endpoints["vpc"] != l.describe().Endpoints["vpc"] {
		t.Errorf("got %+v", d)
	}
	_, err = l.os.CreateDomain(t.Context(), &opensearch.CreateDomainInput{DomainName: aws.String("orders")})
	l.refused(err, "ResourceAlreadyExistsException", "orders")
	names, err := l.os.ListDomainNames(t.Context(), &opensearch.ListDomainNamesInput{EngineType: "OpenSearch"})
	l.must(err)
	if len(names.DomainNames) != 0 {
		t.Errorf("got OpenSearch domains %v", names.DomainNames)
	}
	versions, err := l.es.ListElasticsearchVersions(t.Context(), &elasticsearchservice.ListElasticsearchVersionsInput{})
	l.must(err)
	if !slices.Contains(versions.ElasticsearchVersions, "7.10") || !slices.Contains(versions.ElasticsearchVersions, "OpenSearch_1.3") {
		t.Errorf("got versions %v", versions.ElasticsearchVersions)
	}
	_, err = l.os.UpgradeDomain(t.Context(), &opensearch.UpgradeDomainInput{DomainName: aws.String("orders"), TargetVersion: aws.String("OpenSearch_1.3")})
	l.refused(err, "ValidationException", "OpenSearch_1.3")
	types, err := l.es.ListElasticsearchInstanceTypes(t.Context(), &elasticsearchservice.ListElasticsearchInstanceTypesInput{ElasticsearchVersion: aws.String("7.10")})
	l.must(err)
	if !slices.ContainsFunc(types.ElasticsearchInstanceTypes, func(v typeName) bool { return v == "m5.large.elasticsearch" }) {
		t.Errorf("got instance types %v", types.ElasticsearchInstanceTypes)
	}
	limits, err := l.os.DescribeInstanceTypeLimits(t.Context(), &opensearch.DescribeInstanceTypeLimitsInput{EngineVersion: aws.String("OpenSearch_1.3"), InstanceType: "t3.small.search"})
	l.must(err)
	if got := limits.LimitsByRole["data"].StorageTypes[0].StorageTypeLimits[1].LimitValues[0]; got != "100" {
		t.Errorf("the largest volume is %s, want 100", got)
	}
}

type typeName = types.ESPartitionInstanceType

// The master user's password is neither kept nor told.
func TestTheMasterPasswordIsKeptNowhere(t *testing.T) {
	l := newLab(t)
	l.link()
	in := l.full("")
	const password = "Sup3r-Secret-Passw0rd"
	in.AdvancedSecurityOptions.InternalUserDatabaseEnabled = aws.Bool(true)
	in.AdvancedSecurityOptions.MasterUserOptions = &types.MasterUserOptions{MasterUserName: aws.String("keeper"), MasterUserPassword: aws.String(password)}
	_, err := l.es.CreateElasticsearchDomain(t.Context(), in)
	l.must(err)
	l.must(l.store.View(func(tx *state.Tx) error {
		d := l.service.Domains(tx)[0]
		if !d.Login("keeper", password) || d.Login("keeper", "another") || d.Login("someone", password) || d.Master("") {
			t.Error("the wrong people are the master user")
		}
		return nil
	}))
	b, err := os.ReadFile(filepath.Join(l.dir, "state"))
	l.must(err)
	if bytes.Contains(b, []byte(password)) {
		t.Error("the state tells the password")
	}
}
