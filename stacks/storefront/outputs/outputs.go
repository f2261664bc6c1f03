// Package outputs has what the stack tells its users, in two forms: Live while it is deployed, Outputs once it is. Tests and
// tools decode Outputs and know no output by a string.
package outputs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Outputs are the stack's outputs. Subnets are IDs by tier (public, private, data) and zone name.
type Outputs struct {
	URL    string `json:"url"`    // of the shop
	Region string `json:"region"` // AWS region

	VpcID   string                       `json:"vpcId"`
	Subnets map[string]map[string]string `json:"subnets"`

	LoadBalancerARN           string `json:"loadBalancerArn"`
	LoadBalancerDNSName       string `json:"loadBalancerDnsName"`
	LoadBalancerZoneID        string `json:"loadBalancerZoneId"`
	LoadBalancerSecurityGroup string `json:"loadBalancerSecurityGroupId"`
	LoadBalancerLogBucket     string `json:"loadBalancerLogBucket"`
	TargetGroupARN            string `json:"targetGroupArn"`

	WebACLARN        string `json:"webAclArn"`        // "none" without a firewall, as in the next one
	FirewallLogGroup string `json:"firewallLogGroup"` // name

	AutoScalingGroup   string `json:"autoScalingGroup"` // name
	FleetSecurityGroup string `json:"fleetSecurityGroupId"`
	FleetRoleARN       string `json:"fleetRoleArn"`

	SummaryAutoScalingGroup string `json:"summaryAutoScalingGroup"` // name
	SummarySecurityGroup    string `json:"summarySecurityGroupId"`
	SummaryRoleARN          string `json:"summaryRoleArn"`
	SummaryTargetGroupARN   string `json:"summaryTargetGroupArn"`

	QueueURL       string `json:"queueUrl"` // of orders
	DeadLetterURL  string `json:"deadLetterUrl"`
	OrderSecretARN string `json:"orderSecretArn"` // {"key": ...}

	CacheID            string `json:"cacheId"`      // of the replication group
	CachePrimary       string `json:"cachePrimary"` // host name
	CacheReader        string `json:"cacheReader"`  // host name
	CachePort          int    `json:"cachePort"`
	CacheSecretARN     string `json:"cacheSecretArn"` // {"token": ...}
	CacheSecurityGroup string `json:"cacheSecurityGroupId"`

	SearchDomain        string `json:"searchDomain"` // name
	SearchURL           string `json:"searchUrl"`
	SearchSecurityGroup string `json:"searchSecurityGroupId"`

	DatabaseCluster       string `json:"databaseCluster"` // identifier
	DatabaseWriter        string `json:"databaseWriter"`  // host name
	DatabaseReader        string `json:"databaseReader"`  // host name
	DatabasePort          int    `json:"databasePort"`
	DatabaseSecretARN     string `json:"databaseSecretArn"`
	DatabaseSecurityGroup string `json:"databaseSecurityGroupId"`
	DatabaseLogGroup      string `json:"databaseLogGroup"`

	BackupBucket        string `json:"backupBucket"`
	BackupReplicaBucket string `json:"backupReplicaBucket"`
	BackupVault         string `json:"backupVault"` // name

	AlarmTopicARN  string            `json:"alarmTopicArn"`
	KeyARNs        map[string]string `json:"keyArns"` // by class of data: database, cache, search, secrets, messages, volumes, backups, logs, audit
	ArtifactBucket string            `json:"artifactBucket"`
	FlowLogGroup   string            `json:"flowLogGroup"`

	AuditTrailARN string `json:"auditTrailArn"` // "none" when the stack makes no trail, as in the next two
	AuditBucket   string `json:"auditBucket"`
	AuditLogGroup string `json:"auditLogGroup"`
}

// Live has the same fields as Outputs, not yet known.
type Live struct {
	URL, Region                                                      pulumi.StringInput
	VpcID                                                            pulumi.StringInput
	Subnets                                                          pulumi.StringMapMap
	LoadBalancerARN, LoadBalancerDNSName, LoadBalancerZoneID         pulumi.StringInput
	LoadBalancerSecurityGroup, LoadBalancerLogBucket, TargetGroupARN pulumi.StringInput
	AutoScalingGroup, FleetSecurityGroup, FleetRoleARN               pulumi.StringInput
	DatabaseCluster, DatabaseWriter, DatabaseReader                  pulumi.StringInput
	DatabasePort                                                     pulumi.IntInput
	DatabaseSecretARN, DatabaseSecurityGroup, DatabaseLogGroup       pulumi.StringInput
	SummaryAutoScalingGroup, SummarySecurityGroup, SummaryRoleARN    pulumi.StringInput
	SummaryTargetGroupARN                                            pulumi.StringInput
	QueueURL, DeadLetterURL, OrderSecretARN                          pulumi.StringInput
	CacheID, CachePrimary, CacheReader                               pulumi.StringInput
	CachePort                                                        pulumi.IntInput
	CacheSecretARN, CacheSecurityGroup                               pulumi.StringInput
	SearchDomain, SearchURL, SearchSecurityGroup                     pulumi.StringInput
	BackupBucket, BackupReplicaBucket, BackupVault                   pulumi.StringInput
	AlarmTopicARN, ArtifactBucket, FlowLogGroup                      pulumi.StringInput
	KeyARNs                                                          pulumi.StringMap
	AuditTrailARN, AuditBucket, AuditLogGroup                        pulumi.StringInput
	WebACLARN, FirewallLogGroup                                      pulumi.StringInput
}

// Export makes the fields stack outputs, under the names that Outputs gives them.
func (l Live) Export(ctx *pulumi.Context) error {
	values, names := reflect.ValueOf(l), reflect.TypeFor[Outputs]()
	for i := range values.NumField() {
		field := values.Type().Field(i)
		plain, ok := names.FieldByName(field.Name)
		if !ok {
			return fmt.Errorf("stack output %s is not among Outputs", field.Name)
		}
		value, ok := values.Field(i).Interface().(pulumi.Input)
		if !ok || values.Field(i).IsZero() {
			return fmt.Errorf("stack output %s is not set", field.Name)
		}
		ctx.Export(plain.Tag.Get("json"), value)
	}
	if values.NumField() != names.NumField() {
		return fmt.Errorf("%d stack outputs are set of %d", values.NumField(), names.NumField())
	}
	return nil
}

// Decode returns the outputs in a JSON object, such as `pulumi stack output --json` prints. Too few and too many are errors.
func Decode(object []byte) (Outputs, error) {
	var o Outputs
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, fmt.Errorf("decoding the stack's outputs: %w", err)
	}
	for i := range reflect.TypeFor[Outputs]().NumField() {
		if reflect.ValueOf(o).Field(i).IsZero() {
			return o, fmt.Errorf("decoding the stack's outputs: %s is missing", reflect.TypeFor[Outputs]().Field(i).Tag.Get("json"))
		}
	}
	return o, nil
}
