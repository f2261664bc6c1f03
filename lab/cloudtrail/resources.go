package cloudtrail

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"storefront/lab/region"
)

// resource is something that an event is about.
type resource struct {
	Type string // "AWS::EC2::SecurityGroup"
	Name string // what LookupEvents compares: an ID, a name or an ARN
	ARN  string `json:",omitempty"` // of the resources that the event itself lists
}

// listed is a resource in an event.
type listed struct {
	ARN       string `json:"ARN,omitempty"`
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type"`
}

// resourceTypes tells what the members of events are the names of, by service and the member's name in events.
func resourceTypes(service string) map[string]string {
	switch service {
	case "s3":
		return map[string]string{"bucketName": "AWS::S3::Bucket"}
	case "iam":
		return map[string]string{"roleName": "AWS::IAM::Role", "userName": "AWS::IAM::User", "policyArn": "AWS::IAM::Policy", "instanceProfileName": "AWS::IAM::InstanceProfile", "accessKeyId": "AWS::IAM::AccessKey"}
	case "sts":
		return map[string]string{"roleArn": "AWS::IAM::Role"}
	case "kms":
		return map[string]string{"keyId": "AWS::KMS::Key", "targetKeyId": "AWS::KMS::Key", "aliasName": "AWS::KMS::Alias"}
	case "rds":
		return map[string]string{"dBInstanceIdentifier": "AWS::RDS::DBInstance", "dBClusterIdentifier": "AWS::RDS::DBCluster", "dBSubnetGroupName": "AWS::RDS::DBSubnetGroup",
			"dBClusterParameterGroupName": "AWS::RDS::DBClusterParameterGroup"}
	case "autoscaling":
		return map[string]string{"autoScalingGroupName": "AWS::AutoScaling::AutoScalingGroup"}
	case "elasticloadbalancing":
		return map[string]string{"loadBalancerArn": "AWS::ElasticLoadBalancingV2::LoadBalancer", "targetGroupArn": "AWS::ElasticLoadBalancingV2::TargetGroup",
			"listenerArn": "AWS::ElasticLoadBalancingV2::Listener"}
	case "sqs":
		return map[string]string{"queueUrl": "AWS::SQS::Queue", "queueName": "AWS::SQS::Queue"}
	case "sns":
		return map[string]string{"topicArn": "AWS::SNS::Topic"}
	case "secretsmanager":
		return map[string]string{"secretId": "AWS::SecretsManager::Secret"}
	case "logs":
		return map[string]string{"logGroupName": "AWS::Logs::LogGroup"}
	case "elasticache":
		return map[string]string{"replicationGroupId": "AWS::ElastiCache::ReplicationGroup"}
	case "es":
		return map[string]string{"domainName": "AWS::OpenSearchService::Domain"}
	case "monitoring":
		return map[string]string{"alarmName": "AWS::CloudWatch::Alarm", "alarmNames": "AWS::CloudWatch::Alarm"}
	case "ssm":
		return map[string]string{"name": "AWS::SSM::Parameter"}
	case "cloudtrail":
		return map[string]string{"name": "AWS::CloudTrail::Trail", "trailName": "AWS::CloudTrail::Trail", "trailARN": "AWS::CloudTrail::Trail", "s3BucketName": "AWS::S3::Bucket"}
	}
	return nil
}

// ec2Type tells what an ID of Amazon EC2 is, by its beginning.
func ec2Type(id string) string {
	prefix, number, _ := strings.Cut(id, "-")
	if len(number) < 8 || strings.Trim(number, "0123456789abcdef") != "" {
		return ""
	}
	return map[string]string{
		"acl": "AWS::EC2::NetworkAcl", "ami": "AWS::EC2::Ami", "eipalloc": "AWS::EC2::EIP", "eni": "AWS::EC2::NetworkInterface", "i": "AWS::EC2::Instance", "igw": "AWS::EC2::InternetGateway",
		"lt": "AWS::EC2::LaunchTemplate", "nat": "AWS::EC2::NatGateway", "rtb": "AWS::EC2::RouteTable", "sg": "AWS::EC2::SecurityGroup", "sgr": "AWS::EC2::SecurityGroupRule",
		"subnet": "AWS::EC2::Subnet", "vol": "AWS::EC2::Volume", "vpc": "AWS::EC2::VPC", "vpce": "AWS::EC2::VPCEndpoint", "fl": "AWS::EC2::FlowLog",
	}[prefix]
}

// find lists the resources that parameters name, each once, in the order of their types and names.
func find(service string, parameters ...map[string]any) []resource {
	var found []resource
	types := resourceTypes(service)
	var walk func(member string, v any)
	walk = func(member string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(name, value)
			}
		case []any:
			for _, value := range v {
				walk(member, value)
			}
		case string:
			kind := types[member]
			if service == "ec2" {
				kind = ec2Type(v)
			}
			if r := (resource{Type: kind, Name: v}); kind != "" && v != "" && v != hidden && !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
	}
	for _, p := range parameters {
		walk("", p)
	}
	slices.SortFunc(found, func(a, b resource) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name)) })
	return found
}

// withARNs fills in the ARNs of what services list in their events: the objects, buckets, queues, topics, keys and roles that were called.
func withARNs(r region.Region, found []resource) []resource {
	for i, f := range found {
		switch f.Type {
		case "AWS::S3::Bucket":
			found[i].ARN = "arn:" + region.Partition + ":s3:::" + f.Name
		case "AWS::SQS::Queue":
			found[i].ARN = r.ARN("sqs", path.Base(f.Name)) // of the queue's URL
		case "AWS::KMS::Key":
			if found[i].ARN = f.Name; !strings.HasPrefix(f.Name, "arn:") && !strings.HasPrefix(f.Name, "alias/") {
				found[i].ARN = r.ARN("kms", "key/"+f.Name)
			}
		case "AWS::SNS::Topic":
			found[i].ARN = f.Name
		}
	}
	return found
}

// objectType is the type of the data events of Amazon S3.
const objectType = "AWS::S3::Object"

// object is the resource of data events of Amazon S3. Operations on no single object are about those that begin with the bucket's ARN.
func object(bucket, key string) resource {
	arn := "arn:" + region.Partition + ":s3:::" + bucket + "/" + key
	return resource{Type: objectType, Name: arn, ARN: arn}
}
