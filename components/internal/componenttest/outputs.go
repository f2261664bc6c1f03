package componenttest

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// outputs answers a registration as the provider would: an ID of AWS's form, the inputs, and what only AWS knows.
func outputs(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	out := args.Inputs.Copy()
	set := func(key, format string, a ...any) {
		k := resource.PropertyKey(key)
		if _, ok := out[k]; !ok {
			out[k] = resource.NewStringProperty(fmt.Sprintf(format, a...))
		}
	}
	name := args.Name
	id := name + "-id"
	switch strings.TrimPrefix(args.TypeToken, "aws:") {
	case "ec2/vpc:Vpc":
		id = "vpc-" + name
		set("arn", "%s", arn("ec2", "vpc/%s", id))
		set("defaultSecurityGroupId", "sg-default")
		set("defaultNetworkAclId", "acl-default")
		set("defaultRouteTableId", "rtb-default")
	case "ec2/securityGroup:SecurityGroup":
		id = "sg-" + name
	case "ec2/launchTemplate:LaunchTemplate":
		id = "lt-" + name
		out["latestVersion"] = resource.NewNumberProperty(7)
	case "iam/role:Role":
		id = name
		set("name", "%s", name)
		set("arn", "arn:aws:iam::%s:role/%s", Account, name)
	case "iam/instanceProfile:InstanceProfile":
		set("arn", "arn:aws:iam::%s:instance-profile/%s", Account, name)
	case "cloudwatch/logGroup:LogGroup":
		set("name", "%s", name)
		id = out["name"].StringValue()
		set("arn", "%s", arn("logs", "log-group:%s", id))
	case "s3/bucketV2:BucketV2":
		id = name + "-0a1b2c3"
		set("bucket", "%s", id)
		set("arn", "arn:aws:s3:::%s", id)
	case "kms/key:Key":
		id = "11111111-2222-3333-4444-555555555555"
		set("arn", "%s", arn("kms", "key/%s", id))
		set("keyId", "%s", id)
	case "backup/vault:Vault":
		set("name", "%s", name)
		set("arn", "%s", arn("backup", "backup-vault:%s", name))
	case "lb/loadBalancer:LoadBalancer":
		id = arn("elasticloadbalancing", "loadbalancer/app/%s/50dc6c495c0c9188", name)
		set("arn", "%s", id)
		set("arnSuffix", "app/%s/50dc6c495c0c9188", name)
		set("dnsName", "%s-1234567890.%s.elb.amazonaws.com", name, Region)
		set("zoneId", "Z35SXDOTRQ7X7K")
	case "lb/targetGroup:TargetGroup":
		id = arn("elasticloadbalancing", "targetgroup/%s/73e2d6bc24d8a067", name)
		set("arn", "%s", id)
		set("arnSuffix", "targetgroup/%s/73e2d6bc24d8a067", name)
	case "lb/listener:Listener":
		id = arn("elasticloadbalancing", "listener/app/%s/50dc6c495c0c9188/f2f7dc8efc522ab2", name)
		set("arn", "%s", id)
	case "autoscaling/group:Group":
		set("name", "%s", name)
		set("arn", "%s", arn("autoscaling", "autoScalingGroup:0:autoScalingGroupName/%s", name))
	case "rds/cluster:Cluster":
		id = out["clusterIdentifier"].StringValue()
		set("arn", "%s", arn("rds", "cluster:%s", id))
		set("endpoint", "%s.cluster-abc.%s.rds.amazonaws.com", id, Region)
		set("readerEndpoint", "%s.cluster-ro-abc.%s.rds.amazonaws.com", id, Region)
		out["masterUserSecrets"] = resource.NewArrayProperty([]resource.PropertyValue{resource.NewObjectProperty(resource.PropertyMap{
			"secretArn": resource.NewStringProperty(arn("secretsmanager", "secret:rds!cluster-%s-AbCdEf", id)),
		})})
	case "elasticache/parameterGroup:ParameterGroup", "elasticache/subnetGroup:SubnetGroup",
		"rds/subnetGroup:SubnetGroup", "rds/clusterParameterGroup:ClusterParameterGroup":
		set("name", "%s", name)
		id = out["name"].StringValue()
	default:
		if made := stores(args, out, set); made != "" {
			id = made
		}
	}
	return id, out, nil
}

func arn(service, format string, a ...any) string {
	return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + fmt.Sprintf(format, a...)
}

// stores answers for what keeps messages, secrets, cached values, documents and audit events; the ID is empty for all else.
func stores(args pulumi.MockResourceArgs, out resource.PropertyMap, set func(key, format string, a ...any)) (id string) {
	name := args.Name
	switch strings.TrimPrefix(args.TypeToken, "aws:") {
	case "sqs/queue:Queue":
		full := name
		if f, ok := out["fifoQueue"]; ok && f.BoolValue() {
			full += ".fifo"
		}
		set("name", "%s", full)
		set("arn", "%s", arn("sqs", "%s", full))
		set("url", "https://sqs.%s.amazonaws.com/%s/%s", Region, Account, full)
		id = out["url"].StringValue()
	case "cloudtrail/trail:Trail":
		id = arn("cloudtrail", "trail/%s", out["name"].StringValue())
		set("arn", "%s", id)
	case "wafv2/webAcl:WebAcl", "wafv2/ipSet:IpSet":
		id = "a1b2c3d4-5678-90ab-cdef-111122223333"
		set("name", "%s", name)
		set("arn", "%s", arn("wafv2", "regional/%s/%s/%s", strings.ToLower(args.TypeToken[strings.LastIndex(args.TypeToken, ":")+1:]), name, id))
	case "sns/topic:Topic":
		set("name", "%s", name)
		set("arn", "%s", arn("sns", "%s", name))
		id = out["arn"].StringValue()
	case "secretsmanager/secret:Secret":
		id = arn("secretsmanager", "secret:%s-AbCdEf", name)
		set("arn", "%s", id)
	case "secretsmanager/secretVersion:SecretVersion":
		id = out["secretId"].StringValue() + "|1"
		set("arn", "%s", out["secretId"].StringValue())
	case "elasticache/replicationGroup:ReplicationGroup":
		id = out["replicationGroupId"].StringValue()
		set("arn", "%s", arn("elasticache", "replicationgroup:%s", id))
		set("primaryEndpointAddress", "master.%s.abc.use1.cache.amazonaws.com", id)
		set("readerEndpointAddress", "replica.%s.abc.use1.cache.amazonaws.com", id)
	case "elasticsearch/domain:Domain", "opensearch/domain:Domain":
		domain := out["domainName"].StringValue()
		id = arn("es", "domain/%s", domain)
		set("arn", "%s", id)
		set("endpoint", "vpc-%s-abc.%s.es.amazonaws.com", domain, Region)
	}
	return id
}
