package authorization

import (
	"path"
	"strings"
)

// services are the services by signing name. S3 names its actions in its own way: see s3.go.
func services() map[string]service {
	return map[string]service{
		"application-autoscaling": {prefix: "application-autoscaling", whole: []string{"Describe"}, members: map[string]string{"ResourceARN": ""}},
		"autoscaling":             autoscaling(),
		"backup":                  {prefix: "backup", whole: []string{"List"}, members: map[string]string{"BackupVaultName": "backup-vault:{}", "BackupPlanId": "backup-plan:{}", "ResourceArn": "", "RecoveryPointArn": ""}},
		"cloudtrail":              {prefix: "cloudtrail", whole: []string{"LookupEvents", "DescribeTrails", "ListTrails"}, members: map[string]string{"Name": "trail/{}", "TrailName": "trail/{}", "ResourceId": "", "ResourceIdList": ""}},
		"ec2":                     ec2(),
		"elasticache":             elasticache(),
		"elasticloadbalancing":    elasticLoadBalancing(),
		"es":                      {prefix: "es", whole: []string{"List", "DescribeElasticsearchInstanceType", "DescribeInstanceType"}, members: map[string]string{"DomainName": "domain/{}", "DomainNames": "domain/{}", "ARN": ""}},
		"fms":                     {prefix: "fms", whole: []string{"List", "GetAdmin", "AssociateAdmin", "DisassociateAdmin"}, members: map[string]string{"PolicyId": "policy/{}", "ResourceArn": ""}},
		"iam":                     iam(),
		"kms":                     {prefix: "kms", whole: []string{"ListKeys", "ListAliases", "CreateKey", "GenerateRandom"}, members: map[string]string{"AliasName": "{}", "KeyId": "key/{}", "TargetKeyId": "key/{}"}},
		"logs": {prefix: "logs", whole: []string{"DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy", "DeleteResourcePolicy"},
			members: map[string]string{"LogGroupName": "log-group:{}:*", "ResourceArn": ""}},
		"monitoring":     cloudWatch(),
		"rds":            rds(),
		"secretsmanager": {prefix: "secretsmanager", whole: []string{"ListSecrets", "GetRandomPassword"}, members: map[string]string{"SecretId": "secret:{}", "Name": "secret:{}-??????"}},
		"sns":            {prefix: "sns", whole: []string{"ListTopics", "ListSubscriptions"}, actions: map[string]string{"PublishBatch": "Publish"}, members: map[string]string{"TopicArn": "", "ResourceArn": "", "Name": "{}"}},
		"sqs": {prefix: "sqs", whole: []string{"ListQueues"}, actions: map[string]string{"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"},
			members: map[string]string{"QueueUrl": "{}", "QueueName": "{}", "SourceArn": ""}, value: path.Base},
		"ssm": {prefix: "ssm", whole: []string{"DescribeParameters"}, members: map[string]string{"Name": "parameter/{}", "Names": "parameter/{}", "Path": "parameter/{}", "ResourceId": "parameter/{}"}},
		"sts": {prefix: "sts", whole: []string{"Get"}, global: true, members: map[string]string{"RoleArn": ""}},
		"wafv2": {prefix: "wafv2", whole: []string{"List", "DescribeManaged", "CheckCapacity", "DescribeAllManaged"},
			members: map[string]string{"ARN": "", "WebACLArn": "", "ResourceArn": "", "ResourceARN": ""}},
	}
}

func autoscaling() service {
	return service{prefix: "autoscaling", whole: []string{"Describe"}, members: map[string]string{"AutoScalingGroupName": "autoScalingGroup:*:autoScalingGroupName/{}"}}
}

func cloudWatch() service {
	return service{
		prefix: "cloudwatch",
		whole:  []string{"PutMetricData", "GetMetric", "ListMetrics", "ListDashboards", "DescribeAlarmsForMetric"},
		members: map[string]string{
			"AlarmName": "alarm:{}", "AlarmNames": "alarm:{}", "DashboardName": "dashboard/{}", "DashboardNames": "dashboard/{}", "ResourceARN": "",
		},
	}
}

func elasticache() service {
	return service{
		prefix: "elasticache", whole: []string{"DescribeCacheEngine", "DescribeEngineDefault", "DescribeEvents", "DescribeServiceUpdates", "DescribeUpdateActions"},
		members: map[string]string{
			"ReplicationGroupId": "replicationgroup:{}", "CacheClusterId": "cluster:{}", "CacheSubnetGroupName": "subnetgroup:{}", "CacheParameterGroupName": "parametergroup:{}",
			"UserId": "user:{}", "UserIds": "user:{}", "UserGroupId": "usergroup:{}", "UserGroupIds": "usergroup:{}", "SnapshotName": "snapshot:{}", "ResourceName": "",
		},
	}
}

func elasticLoadBalancing() service {
	return service{
		prefix: "elasticloadbalancing", whole: []string{"Describe"}, creates: map[string]string{"CreateLoadBalancer": "loadbalancer/app/*/*", "CreateTargetGroup": "targetgroup/*/*"},
		ids: func(id string) (string, bool) { return id, strings.HasPrefix(id, "arn:aws:elasticloadbalancing:") },
	}
}

func iam() service {
	return service{
		prefix: "iam", global: true, whole: []string{"ListRoles", "ListPolicies", "ListUsers", "ListInstanceProfiles", "ListAccountAliases"},
		members: map[string]string{"RoleName": "role/{}", "UserName": "user/{}", "InstanceProfileName": "instance-profile/{}", "PolicyArn": "", "AWSServiceName": "role/aws-service-role/{}/*"},
	}
}

func rds() service {
	return service{
		prefix: "rds", whole: []string{"DescribeAccountAttributes", "DescribeCertificates", "DescribeDBEngineVersions", "DescribeEngineDefault", "DescribeEvent", "DescribeOrderable", "DescribeSourceRegions"},
		members: map[string]string{
			"DBClusterIdentifier": "cluster:{}", "DBInstanceIdentifier": "db:{}", "DBSubnetGroupName": "subgrp:{}", "DBClusterParameterGroupName": "cluster-pg:{}", "DBParameterGroupName": "pg:{}",
			"DBClusterSnapshotIdentifier": "cluster-snapshot:{}", "SourceDBClusterSnapshotIdentifier": "cluster-snapshot:{}", "TargetDBClusterSnapshotIdentifier": "cluster-snapshot:{}",
			"SourceDBClusterIdentifier": "cluster:{}", "DBClusterEndpointIdentifier": "cluster-endpoint:{}", "ResourceName": "",
		},
	}
}

func ec2() service {
	creates := map[string]string{
		"AllocateAddress": "elastic-ip/*", "CreateFlowLogs": "vpc-flow-log/*", "CreateInternetGateway": "internet-gateway/*", "CreateKeyPair": "key-pair/*", "CreateLaunchTemplate": "launch-template/*",
		"CreateNatGateway": "natgateway/*", "CreateNetworkAcl": "network-acl/*", "CreateNetworkInterface": "network-interface/*", "CreateRouteTable": "route-table/*",
		"CreateSecurityGroup": "security-group/*", "CreateSubnet": "subnet/*", "CreateVpc": "vpc/*", "CreateVpcEndpoint": "vpc-endpoint/*", "ImportKeyPair": "key-pair/*", "RunInstances": "instance/*",
	}
	return service{prefix: "ec2", whole: []string{"Describe", "GetEbs", "EnableEbs", "DisableEbs", "ModifyEbs", "ResetEbs"}, creates: creates, ids: ec2Resource}
}

// ec2Resource tells what an ID of EC2 is: its beginning says so.
func ec2Resource(id string) (string, bool) {
	prefix, number, ok := strings.Cut(id, "-")
	kind, known := map[string]string{
		"acl": "network-acl", "ami": "image", "eipalloc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log", "i": "instance", "igw": "internet-gateway", "key": "key-pair",
		"lt": "launch-template", "nat": "natgateway", "pl": "prefix-list", "rtb": "route-table", "sg": "security-group", "sgr": "security-group-rule", "subnet": "subnet", "vol": "volume",
		"vpc": "vpc", "vpce": "vpc-endpoint",
	}[prefix]
	if !ok || !known || len(number) != 17 || strings.Trim(number, "0123456789abcdef") != "" {
		return "", false
	}
	return kind + "/" + id, true
}
