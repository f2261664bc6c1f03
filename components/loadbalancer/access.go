package loadbalancer

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/bucket"
	"storefront/components/internal/policy"
	"storefront/components/internal/securitygroup"
)

// makeLogBucket makes the bucket of the access logs. Load balancers accept S3's own encryption only ("Access logs for your
// Application Load Balancer"), and log files are written once, so there is nothing to version.
func (l *LoadBalancer) makeLogBucket(ctx *pulumi.Context, child pulumi.ResourceOption) (*bucket.Bucket, error) {
	days := l.args.LogDays
	if days == 0 {
		days = 90
	}
	region, partition := l.args.Region, policy.Partition(l.args.Region)
	return bucket.New(ctx, l.name+"-logs", bucket.Args{
		ExpireDays:   days,
		ForceDestroy: l.args.ForceDestroy,
		Values:       []pulumi.StringInput{l.args.AccountID},
		Statements: func(arn string, v []string) policy.Document {
			return policy.Document{{
				Sid:       "LogDelivery",
				Principal: &policy.Principal{Service: policy.Strings{"logdelivery.elasticloadbalancing.amazonaws.com"}},
				Action:    policy.Strings{"s3:PutObject"},
				Resource:  policy.Strings{arn + "/AWSLogs/" + v[0] + "/*"},
				Condition: policy.OnBehalfOf(v[0], "arn:"+partition+":elasticloadbalancing:"+region+":"+v[0]+":loadbalancer/*"),
			}}
		},
	}, child)
}

// makeSecurityGroup lets clients in to the listeners. What goes out is said by AllowTo.
func (l *LoadBalancer) makeSecurityGroup(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	var err error
	if l.group, err = securitygroup.New(ctx, l.name, "Load balancer "+l.name, l.args.VpcID, child); err != nil {
		return err
	}
	cidrs := l.args.AllowedCIDRs
	if len(cidrs) == 0 {
		cidrs = []string{"0.0.0.0/0"}
	}
	ports := []int{80}
	if l.args.CertificateARN != nil {
		ports = append(ports, 443)
	}
	for _, cidr := range cidrs {
		for _, port := range ports {
			_, err := vpc.NewSecurityGroupIngressRule(ctx, fmt.Sprintf("%s-%s-%d", l.name, strings.ReplaceAll(cidr, "/", "-"), port), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: l.group.ID(),
				Description:     pulumi.String("Clients"),
				IpProtocol:      pulumi.String("tcp"),
				FromPort:        pulumi.Int(port),
				ToPort:          pulumi.Int(port),
				CidrIpv4:        pulumi.String(cidr),
			}, child)
			if err != nil {
				return fmt.Errorf("allowing %s to port %d: %w", cidr, port, err)
			}
		}
	}
	return nil
}

// AllowTo lets the load balancer reach the port of a target group, on servers with the security group given and nowhere else.
func (l *LoadBalancer) AllowTo(ctx *pulumi.Context, targetGroup string, securityGroupID pulumi.StringInput) error {
	if _, err := l.targetGroup(targetGroup); err != nil {
		return err
	}
	port := l.args.TargetGroups[targetGroup].Port
	_, err := vpc.NewSecurityGroupEgressRule(ctx, l.name+"-to-"+targetGroup, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId:           l.group.ID(),
		Description:               pulumi.String("Targets of " + targetGroup),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(port),
		ToPort:                    pulumi.Int(port),
		ReferencedSecurityGroupId: securityGroupID.ToStringOutput().ToStringPtrOutput(),
	}, pulumi.Parent(l))
	if err != nil {
		return fmt.Errorf("allowing the load balancer to %s: %w", targetGroup, err)
	}
	return nil
}
