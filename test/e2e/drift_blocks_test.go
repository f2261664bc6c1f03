package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	cachetypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	estypes "github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// changeBlocks changes a setting of each block of the order path, and of what guards the stack. It returns what a report of drift has to name: properties by resource.
func (d *deployment) changeBlocks(t *testing.T) map[string][]string {
	t.Helper()
	d.changeQueue(t)
	d.changeCache(t)
	d.changeSearch(t)
	d.changeTopic(t)
	changed := d.openGuards(t)
	maps.Copy(changed, map[string][]string{
		"aws:sqs/queue:Queue":                               {"visibilityTimeoutSeconds"},
		"aws:elasticache/parameterGroup:ParameterGroup":     {"parameters"},
		"aws:elasticache/replicationGroup:ReplicationGroup": {"maintenanceWindow"},
		"aws:elasticsearch/domain:Domain":                   {"domainEndpointOptions"},
		"aws:sns/topicPolicy:TopicPolicy":                   {"policy"},
	})
	return changed
}

// reported tells whether a report of drift has a property below a resource of a type.
func reported(report, resource, property string) bool {
	inside := false
	for line := range strings.Lines(report) {
		if !strings.HasPrefix(line, " ") {
			inside = strings.HasPrefix(line, "changed: "+resource)
		} else if inside && strings.HasPrefix(strings.TrimSpace(line), property) {
			return true
		}
	}
	return false
}

func (d *deployment) changeQueue(t *testing.T) {
	t.Helper()
	if _, err := sqs.NewFromConfig(d.aws).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.out.QueueURL, Attributes: map[string]string{"VisibilityTimeout": "7"}}); err != nil {
		t.Fatal(err)
	}
}

func (d *deployment) changeCache(t *testing.T) {
	t.Helper()
	api := elasticache.NewFromConfig(d.aws)
	nodes, err := api.DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{})
	if err != nil || len(nodes.CacheClusters) == 0 {
		t.Fatalf("describing the cache: %v, %v", nodes, err)
	}
	parameters := nodes.CacheClusters[0].CacheParameterGroup.CacheParameterGroupName
	if _, err := api.ModifyCacheParameterGroup(t.Context(), &elasticache.ModifyCacheParameterGroupInput{CacheParameterGroupName: parameters,
		ParameterNameValues: []cachetypes.ParameterNameValue{{ParameterName: new("maxmemory-policy"), ParameterValue: new("noeviction")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.ModifyReplicationGroup(t.Context(), &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: &d.out.CacheID, ApplyImmediately: new(true),
		PreferredMaintenanceWindow: new("wed:10:00-wed:11:00")}); err != nil {
		t.Fatal(err)
	}
}

func (d *deployment) changeSearch(t *testing.T) {
	t.Helper()
	if _, err := elasticsearchservice.NewFromConfig(d.aws).UpdateElasticsearchDomainConfig(t.Context(), &elasticsearchservice.UpdateElasticsearchDomainConfigInput{DomainName: &d.out.SearchDomain,
		DomainEndpointOptions: &estypes.DomainEndpointOptions{EnforceHTTPS: new(true), TLSSecurityPolicy: estypes.TLSSecurityPolicyPolicyMinTls10201907}}); err != nil {
		t.Fatal(err)
	}
}

// changeTopic takes the statement that refuses plain connections, or whichever is the last, out of the policy of the alarms' topic.
func (d *deployment) changeTopic(t *testing.T) {
	t.Helper()
	api := sns.NewFromConfig(d.aws)
	out, err := api.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &d.out.AlarmTopicARN})
	if err != nil {
		t.Fatal(err)
	}
	var policy map[string]any
	if err := json.Unmarshal([]byte(out.Attributes["Policy"]), &policy); err != nil {
		t.Fatal(err)
	}
	statements, _ := policy["Statement"].([]any)
	if len(statements) < 2 {
		t.Fatalf("the topic's policy has %d statements: %s", len(statements), out.Attributes["Policy"])
	}
	policy["Statement"] = statements[:len(statements)-1]
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: &d.out.AlarmTopicARN, AttributeName: new("Policy"), AttributeValue: new(string(b))}); err != nil {
		t.Fatal(err)
	}
}
