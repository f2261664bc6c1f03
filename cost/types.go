package cost

// Type tokens of what has a price.
const (
	natGateway   = "aws:ec2/natGateway:NatGateway"
	address      = "aws:ec2/eip:Eip"
	endpoint     = "aws:ec2/vpcEndpoint:VpcEndpoint"
	hostedZone   = "aws:route53/zone:Zone"
	loadBalancer = "aws:lb/loadBalancer:LoadBalancer"

	webACL         = "aws:wafv2/webAcl:WebAcl"
	ruleGroup      = "aws:wafv2/ruleGroup:RuleGroup"
	firewallPolicy = "aws:fms/policy:Policy"
	recorder       = "aws:cfg/recorder:Recorder"

	fleet          = "aws:autoscaling/group:Group"
	launchTemplate = "aws:ec2/launchTemplate:LaunchTemplate"

	cluster          = "aws:rds/cluster:Cluster"
	clusterInstance  = "aws:rds/clusterInstance:ClusterInstance"
	scalingTarget    = "aws:appautoscaling/target:Target"
	replicationGroup = "aws:elasticache/replicationGroup:ReplicationGroup"
	elasticsearch    = "aws:elasticsearch/domain:Domain"
	openSearch       = "aws:opensearch/domain:Domain"

	queue  = "aws:sqs/queue:Queue"
	topic  = "aws:sns/topic:Topic"
	bucket = "aws:s3/bucketV2:BucketV2"
	key    = "aws:kms/key:Key"
	secret = "aws:secretsmanager/secret:Secret"

	vault        = "aws:backup/vault:Vault"
	trail        = "aws:cloudtrail/trail:Trail"
	logGroup     = "aws:cloudwatch/logGroup:LogGroup"
	metricFilter = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
	metricAlarm  = "aws:cloudwatch/metricAlarm:MetricAlarm"
	dashboard    = "aws:cloudwatch/dashboard:Dashboard"
)

var priced = []string{
	natGateway, address, endpoint, hostedZone, loadBalancer, webACL, ruleGroup, firewallPolicy, recorder, fleet, launchTemplate,
	cluster, clusterInstance, scalingTarget, replicationGroup, elasticsearch, openSearch, queue, topic, bucket, key, secret,
	vault, trail, logGroup, metricFilter, metricAlarm, dashboard,
}

// free are the types that cost nothing by themselves: settings, permissions, and what other resources pay for.
var free = []string{
	"aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation",
	"aws:appautoscaling/policy:Policy", "aws:autoscaling/lifecycleHook:LifecycleHook", "aws:autoscaling/notification:Notification", "aws:autoscaling/policy:Policy",
	"aws:autoscaling/schedule:Schedule", "aws:backup/plan:Plan", "aws:backup/selection:Selection", "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
	"aws:backup/vaultNotifications:VaultNotifications", "aws:backup/vaultPolicy:VaultPolicy", "aws:cfg/deliveryChannel:DeliveryChannel",
	"aws:cfg/recorderStatus:RecorderStatus", "aws:cloudwatch/compositeAlarm:CompositeAlarm", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
	"aws:ebs/encryptionByDefault:EncryptionByDefault", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", "aws:ec2/defaultRouteTable:DefaultRouteTable",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/flowLog:FlowLog", "aws:ec2/internetGateway:InternetGateway",
	"aws:ec2/networkAcl:NetworkAcl", "aws:ec2/networkAclAssociation:NetworkAclAssociation", "aws:ec2/networkAclRule:NetworkAclRule", "aws:ec2/route:Route",
	"aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation", "aws:ec2/securityGroup:SecurityGroup",
	"aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc", "aws:ec2/vpcDhcpOptions:VpcDhcpOptions", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
	"aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation", "aws:elasticache/parameterGroup:ParameterGroup",
	"aws:elasticache/subnetGroup:SubnetGroup", "aws:elasticache/user:User", "aws:elasticache/userGroup:UserGroup", "aws:elasticsearch/domainPolicy:DomainPolicy",
	"aws:fms/adminAccount:AdminAccount", "aws:iam/instanceProfile:InstanceProfile", "aws:iam/policy:Policy", "aws:iam/role:Role",
	"aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/serviceLinkedRole:ServiceLinkedRole",
	"aws:kms/alias:Alias", "aws:kms/grant:Grant", "aws:kms/keyPolicy:KeyPolicy", "aws:lb/listener:Listener", "aws:lb/listenerCertificate:ListenerCertificate",
	"aws:lb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup", "aws:opensearch/domainPolicy:DomainPolicy",
	"aws:rds/clusterParameterGroup:ClusterParameterGroup", "aws:rds/parameterGroup:ParameterGroup", "aws:rds/subnetGroup:SubnetGroup",
	"aws:route53/record:Record", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "aws:s3/bucketLoggingV2:BucketLoggingV2",
	"aws:s3/bucketNotification:BucketNotification", "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
	"aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "aws:s3/bucketPolicy:BucketPolicy",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "aws:s3/bucketVersioningV2:BucketVersioningV2",
	"aws:s3/inventory:Inventory", "aws:secretsmanager/secretPolicy:SecretPolicy", "aws:secretsmanager/secretVersion:SecretVersion",
	"aws:sns/topicPolicy:TopicPolicy", "aws:sns/topicSubscription:TopicSubscription", "aws:sqs/queuePolicy:QueuePolicy",
	"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "aws:sqs/redrivePolicy:RedrivePolicy", "aws:ssm/parameter:Parameter",
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
	"aws:wafv2/ipSet:IpSet", "aws:wafv2/regexPatternSet:RegexPatternSet", "aws:wafv2/webAclAssociation:WebAclAssociation",
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
}
