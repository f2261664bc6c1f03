package authorization

import (
	"path"
	"strings"
)

// services are the services by signing name. KMS and S3 ask in their own ways: see kms.go and s3.go.
func services() map[string]service {
	return map[string]service{
		"acm":                     certificateManager(),
		"application-autoscaling": applicationAutoScaling(),
		"autoscaling":             autoscaling(),
		"backup":                  {prefix: "backup", whole: []string{"ListBackupPlans", "ListBackupVaults", "ListBackupJobs", "ListRestoreJobs", "ListCopyJobs", "ListProtectedResources", "DescribeBackupJob", "DescribeRestoreJob"}, creates: map[string][]string{"CreateBackupPlan": {"backup-plan:*"}}, only: map[string][]string{"StartBackupJob": {"BackupVaultName"}}, members: map[string]string{"BackupVaultName": "backup-vault:{}", "BackupPlanId": "backup-plan:{}", "ResourceArn": "", "RecoveryPointArn": ""}},
		"cloudtrail": {prefix: "cloudtrail", whole: []string{"LookupEvents", "DescribeTrails", "ListTrails", "ListPublicKeys"},
			members: map[string]string{"Name": "trail/{}", "TrailName": "trail/{}", "ResourceId": "", "ResourceIdList": ""}},
		"ec2":                  ec2(),
		"elasticache":          elasticache(),
		"elasticloadbalancing": elasticLoadBalancing(),
		"es": {prefix: "es", members: map[string]string{"DomainName": "domain/{}", "DomainNames": "domain/{}", "ARN": ""},
			whole: []string{"ListDomainNames", "List*Versions", "ListVersions", "List*InstanceType*", "Describe*InstanceTypeLimits", "DeleteElasticsearchServiceRole"}},
		"fms":            {prefix: "fms", otherwise: map[string][]string{"PutPolicy": {"policy/*"}}, whole: []string{"*NotificationChannel", "ListPolicies", "ListMember*", "ListCompliance*", "GetAdmin*", "AssociateAdmin*", "DisassociateAdmin*"}, members: map[string]string{"PolicyId": "policy/{}", "ResourceArn": ""}},
		"iam":            iam(),
		"logs":           logs(),
		"monitoring":     cloudWatch(),
		"rds":            rds(),
		"secretsmanager": {prefix: "secretsmanager", context: keyed("secretsmanager", "SecretId", "Name", "KmsKeyId", "VersionStage", "VersionId", "ForceDeleteWithoutRecovery", "RecoveryWindowInDays", "BlockPublicPolicy"), whole: []string{"ListSecrets", "GetRandomPassword"}, members: map[string]string{"SecretId": "secret:{}", "Name": "secret:{}-??????"}},
		"sns": {prefix: "sns", context: keyed("sns", "Protocol", "Endpoint"), whole: []string{"ListTopics", "ListSubscriptions", "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"}, actions: map[string]string{"PublishBatch": "Publish"},
			members: map[string]string{"TopicArn": "", "TargetArn": "", "ResourceArn": "", "Name": "{}"}},
		"sqs": {prefix: "sqs", whole: []string{"ListQueues", "CancelMessageMoveTask"}, value: path.Base,
			actions: map[string]string{"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"},
			members: map[string]string{"QueueUrl": "{}", "QueueName": "{}", "SourceArn": ""}},
		"ssm": {prefix: "ssm", context: keyed("ssm", "Overwrite", "Recursive"), whole: []string{"DescribeParameters"}, value: func(name string) string { return strings.TrimPrefix(name, "/") },
			members: map[string]string{"Name": "parameter/{}", "Names": "parameter/{}", "Path": "parameter/{}", "ResourceId": "parameter/{}"}},
		"wafv2": wafv2(),
	}
}

// keyed are the condition keys of a service that are called like the input's members.
func keyed(prefix string, names ...string) func(any) map[string][]string {
	members := map[string]string{}
	for _, name := range names {
		members[strings.ToLower(prefix+":"+name)] = name
	}
	return func(input any) map[string][]string { return present(input, members) }
}

// present are the condition keys whose members an input has.
func present(input any, members map[string]string) map[string][]string {
	keys := map[string][]string{}
	for key, name := range members {
		if value := member(input, name); value != "" {
			keys[key] = []string{value}
		}
	}
	return keys
}

func certificateManager() service {
	return service{
		prefix: "acm", whole: []string{"ListCertificates", "RequestCertificate"}, members: map[string]string{"CertificateArn": ""}, otherwise: map[string][]string{"ImportCertificate": {"certificate/*"}},
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"acm:validationmethod": "ValidationMethod", "acm:keyalgorithm": "KeyAlgorithm", "acm:certificateauthority": "CertificateAuthorityArn"})
		},
	}
}

// applicationAutoScaling asks for all scalable targets where a request names one by what it scales: their IDs are AWS's.
func applicationAutoScaling() service {
	all := map[string][]string{}
	for _, operation := range []string{"RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy", "PutScheduledAction", "DeleteScheduledAction"} {
		all[operation] = []string{"scalable-target/*"}
	}
	return service{
		prefix: "application-autoscaling", whole: []string{"Describe*"}, members: map[string]string{"ResourceARN": ""}, otherwise: all,
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"application-autoscaling:service-namespace": "ServiceNamespace", "application-autoscaling:scalable-dimension": "ScalableDimension"})
		},
	}
}

func autoscaling() service {
	const group = "autoScalingGroup:*:autoScalingGroupName/"
	return service{
		prefix: "autoscaling", whole: []string{"Describe*"}, members: map[string]string{"AutoScalingGroupName": group + "{}"},
		ids:       func(member, id string) (string, bool) { return group + id, member == "ResourceId" }, // of tags
		otherwise: map[string][]string{"SetInstanceHealth": {group + "*"}, "TerminateInstanceInAutoScalingGroup": {group + "*"}},
	}
}

func cloudWatch() service {
	return service{
		prefix: "cloudwatch",
		whole:  []string{"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics", "ListDashboards", "DescribeAlarmsForMetric"},
		members: map[string]string{
			"AlarmName": "alarm:{}", "AlarmNames": "alarm:{}", "DashboardName": "dashboard/{}", "DashboardNames": "dashboard/{}", "ResourceARN": "",
		},
		otherwise: map[string][]string{"DescribeAlarms": {"alarm:*"}, "DescribeAlarmHistory": {"alarm:*"}},
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"cloudwatch:namespace": "Namespace"})
		},
	}
}

func elasticache() service {
	return service{
		prefix: "elasticache", whole: []string{"DescribeCacheEngine*", "DescribeEngineDefault*", "DescribeEvents", "DescribeServiceUpdates", "DescribeUpdateActions", "DescribeCacheSecurityGroups", "DescribeGlobalReplicationGroups"},
		only: map[string][]string{"DescribeSnapshots": {"SnapshotName"}},
		members: map[string]string{
			"ReplicationGroupId": "replicationgroup:{}", "CacheClusterId": "cluster:{}", "CacheSubnetGroupName": "subnetgroup:{}", "CacheParameterGroupName": "parametergroup:{}",
			"UserId": "user:{}", "UserIds": "user:{}", "UserIdsToAdd": "user:{}", "UserIdsToRemove": "user:{}", "UserGroupId": "usergroup:{}", "UserGroupIds": "usergroup:{}", "SnapshotName": "snapshot:{}",
			"SourceSnapshotName": "snapshot:{}", "TargetSnapshotName": "snapshot:{}", "FinalSnapshotIdentifier": "snapshot:{}", "ResourceName": "",
		},
		otherwise: map[string][]string{"DescribeReplicationGroups": {"replicationgroup:*"}, "DescribeCacheClusters": {"cluster:*"}, "DescribeUsers": {"user:*"}, "DescribeUserGroups": {"usergroup:*"},
			"DescribeCacheSubnetGroups": {"subnetgroup:*"}, "DescribeCacheParameterGroups": {"parametergroup:*"}, "DescribeSnapshots": {"snapshot:*"}, "DescribeServerlessCaches": {"serverlesscache:*"}},
	}
}

func elasticLoadBalancing() service {
	return service{
		prefix: "elasticloadbalancing", whole: []string{"Describe*"}, context: keyed("elasticloadbalancing", "Scheme"),
		creates: map[string][]string{"CreateLoadBalancer": {"loadbalancer/app/{Name}/*"}, "CreateTargetGroup": {"targetgroup/{Name}/*"}},
		members: map[string]string{"LoadBalancerArn": "", "ListenerArn": "", "RuleArn": "", "TargetGroupArn": "", "ResourceArns": ""},
		ids:     func(member, id string) (string, bool) { return id, member == "RuleArn" }, // of SetRulePriorities
	}
}

func iam() service {
	of := map[string][]string{}
	for _, operation := range []string{"AttachRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary"} {
		of[operation] = []string{"RoleName"}
	}
	for _, operation := range []string{"AttachUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary"} {
		of[operation] = []string{"UserName"}
	}
	for _, operation := range []string{"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"} {
		of[operation] = []string{"InstanceProfileName"}
	}
	creates := map[string][]string{"CreateServiceLinkedRole": {"role/aws-service-role/{AWSServiceName}/*"}}
	for operation, resource := range map[string]string{"CreateRole": "role{Path}{RoleName}", "CreateUser": "user{Path}{UserName}", "CreatePolicy": "policy{Path}{PolicyName}", "CreateInstanceProfile": "instance-profile{Path}{InstanceProfileName}"} {
		creates[operation], of[operation] = []string{resource}, nil
	}
	return service{
		prefix: "iam", global: true, whole: []string{"ListPolicies", "ListRoles", "ListUsers", "ListInstanceProfiles", "ListAccountAliases", "*CustomPolicy"}, only: of, creates: creates,
		members:   map[string]string{"RoleName": "role/{}", "UserName": "user/{}", "InstanceProfileName": "instance-profile/{}", "PolicyArn": "", "PolicySourceArn": ""},
		otherwise: map[string][]string{"GetServiceLinkedRoleDeletionStatus": {"role/*"}, "GetUser": {"user/*"}},
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"iam:policyarn": "PolicyArn", "iam:permissionsboundary": "PermissionsBoundary", "iam:awsservicename": "AWSServiceName"})
		},
	}
}

// logs names a log group by its ARN and the beginning of its streams', as CloudWatch Logs does: policies about "log-group:name:*" cover both.
func logs() service {
	const group, stream = "log-group:{}:log-stream:", "log-group:{LogGroupName}:log-stream:{LogStreamName}"
	creates, only := map[string][]string{}, map[string][]string{}
	for _, operation := range []string{"PutLogEvents", "GetLogEvents", "DeleteLogStream"} {
		creates[operation], only[operation] = []string{stream}, nil
	}
	return service{
		prefix: "logs", whole: []string{"DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy", "DeleteResourcePolicy", "TestMetricFilter"}, creates: creates, only: only,
		otherwise: map[string][]string{"DescribeMetricFilters": {"log-group:*"}},
		members:   map[string]string{"LogGroupName": group, "LogGroupIdentifier": group, "ResourceArn": "", "ResourceIdentifier": ""},
	}
}

func rds() service {
	return service{
		prefix: "rds",
		whole:  []string{"DescribeAccountAttributes", "DescribeCertificates", "DescribeDBEngineVersions", "DescribeEngineDefault*", "DescribeEvent*", "DescribeOrderable*", "DescribeSourceRegions", "DescribeGlobalClusters"},
		members: map[string]string{
			"DBClusterIdentifier": "cluster:{}", "DBInstanceIdentifier": "db:{}", "DBSubnetGroupName": "subgrp:{}", "DBClusterParameterGroupName": "cluster-pg:{}", "DBParameterGroupName": "pg:{}",
			"DBClusterSnapshotIdentifier": "cluster-snapshot:{}", "SourceDBClusterSnapshotIdentifier": "cluster-snapshot:{}", "TargetDBClusterSnapshotIdentifier": "cluster-snapshot:{}",
			"SnapshotIdentifier": "cluster-snapshot:{}", "SourceDBClusterIdentifier": "cluster:{}", "DBClusterEndpointIdentifier": "cluster-endpoint:{}", "ResourceName": "",
			"FinalDBSnapshotIdentifier": "cluster-snapshot:{}", "OptionGroupName": "og:{}", "SourceDBClusterParameterGroupIdentifier": "cluster-pg:{}", "TargetDBClusterParameterGroupIdentifier": "cluster-pg:{}",
			"SourceDBParameterGroupIdentifier": "pg:{}", "TargetDBParameterGroupIdentifier": "pg:{}",
		},
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"rds:databaseclass": "DBInstanceClass", "rds:databaseengine": "Engine", "rds:databasename": "DatabaseName", "rds:storageencrypted": "StorageEncrypted"})
		},
		value: strings.ToLower, only: map[string][]string{"DeleteDBInstance": {"DBInstanceIdentifier"}},
		otherwise: map[string][]string{"DescribeDBClusters": {"cluster:*"}, "DescribeDBInstances": {"db:*"}, "DescribeDBSubnetGroups": {"subgrp:*"}, "DescribeDBClusterSnapshots": {"cluster-snapshot:*"},
			"DescribeDBClusterParameterGroups": {"cluster-pg:*"}, "DescribeDBParameterGroups": {"pg:*"}, "DescribeDBClusterEndpoints": {"cluster-endpoint:*"}, "DescribeOptionGroups": {"og:*"}, "DescribePendingMaintenanceActions": {"cluster:*", "db:*"}},
	}
}

// wafv2 names what it makes by name and ID. The lab has regional resources only.
func wafv2() service {
	creates := map[string][]string{"GetRateBasedStatementManagedKeys": {"regional/webacl/{WebACLName}/{WebACLId}"}}
	only := map[string][]string{"GetRateBasedStatementManagedKeys": nil}
	for kind, resource := range map[string]string{"WebACL": "webacl", "IPSet": "ipset", "RegexPatternSet": "regexpatternset", "RuleGroup": "rulegroup"} {
		for _, verb := range []string{"Create", "Get", "Update", "Delete"} {
			creates[verb+kind], only[verb+kind] = []string{"regional/" + resource + "/{Name}/{Id}"}, nil
		}
	}
	return service{
		prefix: "wafv2", creates: creates, only: only,
		whole:   []string{"ListWebACLs", "ListIPSets", "ListRuleGroups", "ListRegexPatternSets", "ListLoggingConfigurations", "ListAvailable*", "DescribeManaged*", "CheckCapacity", "DescribeAllManaged*"},
		members: map[string]string{"ARN": "", "WebACLArn": "", "WebAclArn": "", "ResourceArn": "", "ResourceARN": ""},
		ids: func(member, id string) (string, bool) {
			return id, member == "ResourceArn" && strings.HasPrefix(id, "arn:aws:wafv2:")
		}, // of a logging configuration
	}
}
