package policy

// Type tokens of the resources that checks look at.
const (
	loadBalancer = "aws:lb/loadBalancer:LoadBalancer"
	listener     = "aws:lb/listener:Listener"

	webACL            = "aws:wafv2/webAcl:WebAcl"
	webACLAssociation = "aws:wafv2/webAclAssociation:WebAclAssociation"
	webACLLogging     = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"

	firewallPolicy = "aws:fms/policy:Policy"

	fleet               = "aws:autoscaling/group:Group"
	launchTemplate      = "aws:ec2/launchTemplate:LaunchTemplate"
	launchConfiguration = "aws:ec2/launchConfiguration:LaunchConfiguration"
	volume              = "aws:ebs/volume:Volume"
	volumeDefault       = "aws:ebs/encryptionByDefault:EncryptionByDefault"

	vpc           = "aws:ec2/vpc:Vpc"
	subnet        = "aws:ec2/subnet:Subnet"
	flowLog       = "aws:ec2/flowLog:FlowLog"
	endpoint      = "aws:ec2/vpcEndpoint:VpcEndpoint"
	group         = "aws:ec2/securityGroup:SecurityGroup"
	defaultGroup  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	groupRule     = "aws:ec2/securityGroupRule:SecurityGroupRule"
	ingressRule   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRule    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	networkACL    = "aws:ec2/networkAcl:NetworkAcl"
	defaultACL    = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
	networkRule   = "aws:ec2/networkAclRule:NetworkAclRule"
	databaseGroup = "aws:rds/clusterParameterGroup:ClusterParameterGroup"

	cluster          = "aws:rds/cluster:Cluster"
	clusterInstance  = "aws:rds/clusterInstance:ClusterInstance"
	clusterSnapshot  = "aws:rds/clusterSnapshot:ClusterSnapshot"
	backupSelection  = "aws:backup/selection:Selection"
	replicationGroup = "aws:elasticache/replicationGroup:ReplicationGroup"
	elasticsearch    = "aws:elasticsearch/domain:Domain"
	openSearch       = "aws:opensearch/domain:Domain"

	queue       = "aws:sqs/queue:Queue"
	queuePolicy = "aws:sqs/queuePolicy:QueuePolicy"
	topic       = "aws:sns/topic:Topic"
	topicPolicy = "aws:sns/topicPolicy:TopicPolicy"
	key         = "aws:kms/key:Key"

	trail        = "aws:cloudtrail/trail:Trail"
	logGroup     = "aws:cloudwatch/logGroup:LogGroup"
	metricFilter = "aws:cloudwatch/logMetricFilter:LogMetricFilter"

	secret         = "aws:secretsmanager/secret:Secret"
	secretRotation = "aws:secretsmanager/secretRotation:SecretRotation"
	secretVersion  = "aws:secretsmanager/secretVersion:SecretVersion"

	role             = "aws:iam/role:Role"
	rolePolicy       = "aws:iam/rolePolicy:RolePolicy"
	roleAttachment   = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	instanceProfile  = "aws:iam/instanceProfile:InstanceProfile"
	identityPolicy   = "aws:iam/policy:Policy"
	userPolicy       = "aws:iam/userPolicy:UserPolicy"
	groupPolicy      = "aws:iam/groupPolicy:GroupPolicy"
	accountS3        = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
	threatDetector   = "aws:guardduty/detector:Detector"
	settingsRecorder = "aws:cfg/recorder:Recorder"
)
