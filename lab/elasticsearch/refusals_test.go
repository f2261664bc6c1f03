package elasticsearch_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"

	apilogs "storefront/lab/api/logs"
)

type createInput = elasticsearchservice.CreateElasticsearchDomainInput

func TestDomainsThatAreRefused(t *testing.T) {
	l := newLab(t)
	_, err := l.es.CreateElasticsearchDomain(t.Context(), l.plain())
	l.refused(err, "ValidationException", "Before you can proceed, you must enable a service-linked role to give Amazon ES permissions to access your VPC.")
	l.link()
	master := l.role("summary")
	for name, c := range map[string]struct {
		edit       func(*createInput)
		code, part string
	}{
		"name":                {func(in *createInput) { in.DomainName = aws.String("Orders") }, "ValidationException", "domainName"},
		"version":             {func(in *createInput) { in.ElasticsearchVersion = aws.String("6.8") }, "ValidationException", "Elasticsearch_6.8"},
		"no version":          {func(in *createInput) { in.ElasticsearchVersion = nil }, "ValidationException", "Elasticsearch_1.5"},
		"public":              {func(in *createInput) { in.VPCOptions = nil }, "ValidationException", "public endpoint"},
		"subnets for no zone": {func(in *createInput) { in.ElasticsearchClusterConfig.ZoneAwarenessEnabled = aws.Bool(false) }, "ValidationException", "You must specify exactly one subnet."},
		"subnets for three zones": {func(in *createInput) {
			in.ElasticsearchClusterConfig.InstanceCount = aws.Int32(3)
			in.ElasticsearchClusterConfig.ZoneAwarenessConfig = &types.ZoneAwarenessConfig{AvailabilityZoneCount: aws.Int32(3)}
		}, "ValidationException", "You must specify exactly three subnets because you’ve set zone count to three."},
		"nodes for two zones": {func(in *createInput) { in.ElasticsearchClusterConfig.InstanceCount = aws.Int32(1) }, "ValidationException", "a minimum of two data nodes"},
		"unknown subnet":      {func(in *createInput) { in.VPCOptions.SubnetIds = []string{l.subnets[0], "subnet-0"} }, "ValidationException", "subnet-0"},
		"unknown group":       {func(in *createInput) { in.VPCOptions.SecurityGroupIds = []string{"sg-0"} }, "ValidationException", "sg-0"},
		"no volume":           {func(in *createInput) { in.EBSOptions = nil }, "ValidationException", "EBS storage must be selected for t3.small"},
		"large volume":        {func(in *createInput) { in.EBSOptions.VolumeSize = aws.Int32(101) }, "LimitExceededException", "between 10 and 100"},
		"encryption of t2":    {func(in *createInput) { in.ElasticsearchClusterConfig.InstanceType = "t2.small.elasticsearch" }, "ValidationException", "Encryption at rest is not supported"},
		"unknown key":         {func(in *createInput) { in.EncryptionAtRestOptions.KmsKeyId = aws.String("alias/nothing") }, "ValidationException", "alias/nothing"},
		"no encryption":       {func(in *createInput) { in.EncryptionAtRestOptions = nil }, "ValidationException", "encryption at rest"},
		"open nodes":          {func(in *createInput) { in.NodeToNodeEncryptionOptions = nil }, "ValidationException", "node-to-node"},
		"plain HTTP":          {func(in *createInput) { in.DomainEndpointOptions = nil }, "ValidationException", "You must enable EnforceHTTPS in the domain endpoint options to use advanced security."},
		"no master name":      {func(in *createInput) { in.AdvancedSecurityOptions.InternalUserDatabaseEnabled = aws.Bool(true) }, "ValidationException", "You must provide a master username and password"},
		"weak password": {func(in *createInput) {
			in.AdvancedSecurityOptions.InternalUserDatabaseEnabled = aws.Bool(true)
			in.AdvancedSecurityOptions.MasterUserOptions = &types.MasterUserOptions{MasterUserName: aws.String("m"), MasterUserPassword: aws.String("password1")}
		}, "ValidationException", "uppercase"},
		"warm": {func(in *createInput) {
			in.ElasticsearchClusterConfig.WarmEnabled, in.ElasticsearchClusterConfig.WarmCount = aws.Bool(true), aws.Int32(2)
		}, "ValidationException", "UltraWarm"},
		"four masters": {func(in *createInput) {
			in.ElasticsearchClusterConfig.DedicatedMasterEnabled, in.ElasticsearchClusterConfig.DedicatedMasterCount = aws.Bool(true), aws.Int32(4)
			in.ElasticsearchClusterConfig.DedicatedMasterType = "t3.small.elasticsearch"
		}, "ValidationException", "three or five"},
		"advanced option": {func(in *createInput) { in.AdvancedOptions = map[string]string{"path.data": "/"} }, "ValidationException", "Unrecognized advanced option 'path.data'"},
		"explicit index": {func(in *createInput) {
			in.AdvancedOptions = map[string]string{"rest.action.multi.allow_explicit_index": "false"}
		}, "ValidationException", "not supported"},
		"policy": {func(in *createInput) { in.AccessPolicies = aws.String(`{"Statement":[]}`) }, "InvalidTypeException", "Error setting policy"},
		"policy of nobody": {func(in *createInput) {
			in.AccessPolicies = aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/nobody"},"Action":"es:*","Resource":"*"}]}`)
		}, "InvalidTypeException", "Error setting policy"},
		"policy of addresses": {func(in *createInput) {
			in.AccessPolicies = aws.String(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"es:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`)
		}, "ValidationException", "You can't attach an IP-based policy to a domain that has a VPC endpoint."},
	} {
		t.Run(name, func(t *testing.T) {
			in := l.full(master)
			c.edit(in)
			_, err := l.es.CreateElasticsearchDomain(t.Context(), in)
			l.T = t
			l.refused(err, c.code, c.part)
		})
	}
}

// Logs go only to groups that are there and whose resource policies let the service write.
func TestLogsNeedAResourcePolicy(t *testing.T) {
	l := newLab(t)
	l.link()
	in := l.plain()
	group := l.group("/aws/es/orders")
	publish := func(kind, arn string) error {
		in.LogPublishingOptions = map[string]types.LogPublishingOption{kind: {CloudWatchLogsLogGroupArn: &arn}}
		_, err := l.es.CreateElasticsearchDomain(t.Context(), in)
		return err
	}
	l.refused(publish("AUDIT_LOGS", group), "ValidationException", "audit log publishing cannot be enabled as you do not have advanced security options configured.")
	l.refused(publish("INDEX_SLOW_LOGS", group+"/missing"), "ResourceNotFoundException", "does not exist")
	l.refused(publish("INDEX_SLOW_LOGS", group), "ValidationException", "The Resource Access Policy specified for the CloudWatch Logs log group /aws/es/orders does not grant sufficient permissions")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},"Action":["logs:PutLogEvents","logs:CreateLogStream"],"Resource":"` + group + `:*"}]}`
	_, err := l.logs.PutResourcePolicy(t.Context(), &apilogs.PutResourcePolicyInput{PolicyName: aws.String("search"), PolicyDocument: &policy})
	l.must(err)
	l.must(publish("INDEX_SLOW_LOGS", group+":*"))
	if o := l.describe().LogPublishingOptions["INDEX_SLOW_LOGS"]; *o.CloudWatchLogsLogGroupArn != group+":*" || !*o.Enabled {
		t.Errorf("got %+v", o)
	}
}
