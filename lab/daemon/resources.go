//go:build linux

package daemon

import (
	"context"
	"crypto/rand"
	"strings"

	autoscalingapi "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	elbapi "storefront/lab/api/elbv2"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	rdsapi "storefront/lab/api/rds"
	s3api "storefront/lab/api/s3"
	secretsapi "storefront/lab/api/secretsmanager"
	ssmapi "storefront/lab/api/ssm"
	"storefront/lab/control"
	"storefront/lab/wire"
)

func newID() string { return rand.Text() }

// countResources counts what customers have made, by kind, with the services' own API. What every account has from the start does not count, nor what only
// awaits its end: keys and secrets that are scheduled for deletion, terminated instances, deleted gateways.
func (l *lab) countResources(ctx context.Context, s *control.Status) error {
	s.Resources = map[string]int{}
	for kind, number := range map[string]func(context.Context) (int, error){
		"VPCs": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeVpcs(ctx, &ec2api.DescribeVpcsInput{})
			return count(err, func() int { return len(out.Vpcs) })
		},
		"subnets": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeSubnets(ctx, &ec2api.DescribeSubnetsInput{})
			return count(err, func() int { return len(out.Subnets) })
		},
		"internet gateways": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeInternetGateways(ctx, &ec2api.DescribeInternetGatewaysInput{})
			return count(err, func() int { return len(out.InternetGateways) })
		},
		"NAT gateways": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeNatGateways(ctx, &ec2api.DescribeNatGatewaysInput{})
			return count(err, func() int {
				return countIf(out.NatGateways, func(g ec2api.NatGateway) bool { return wire.Value(g.State) != "deleted" })
			})
		},
		"elastic addresses": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeAddresses(ctx, &ec2api.DescribeAddressesInput{})
			return count(err, func() int { return len(out.Addresses) })
		},
		"security groups": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeSecurityGroups(ctx, &ec2api.DescribeSecurityGroupsInput{})
			return count(err, func() int { return len(out.SecurityGroups) })
		},
		"network interfaces": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeNetworkInterfaces(ctx, &ec2api.DescribeNetworkInterfacesInput{})
			return count(err, func() int { return len(out.NetworkInterfaces) })
		},
		"VPC endpoints": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeVpcEndpoints(ctx, &ec2api.DescribeVpcEndpointsInput{})
			return count(err, func() int { return len(out.VpcEndpoints) })
		},
		"launch templates": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeLaunchTemplates(ctx, &ec2api.DescribeLaunchTemplatesInput{})
			return count(err, func() int { return len(out.LaunchTemplates) })
		},
		"flow logs": func(ctx context.Context) (int, error) {
			out, err := l.ec2.DescribeFlowLogs(ctx, &ec2api.DescribeFlowLogsInput{})
			return count(err, func() int { return len(out.FlowLogs) })
		},
		"load balancers": func(ctx context.Context) (int, error) {
			out, err := l.elb.DescribeLoadBalancers(ctx, &elbapi.DescribeLoadBalancersInput{})
			return count(err, func() int { return len(out.LoadBalancers) })
		},
		"target groups": func(ctx context.Context) (int, error) {
			out, err := l.elb.DescribeTargetGroups(ctx, &elbapi.DescribeTargetGroupsInput{})
			return count(err, func() int { return len(out.TargetGroups) })
		},
		"auto scaling groups": func(ctx context.Context) (int, error) {
			out, err := l.scaling.DescribeAutoScalingGroups(ctx, &autoscalingapi.DescribeAutoScalingGroupsInput{})
			return count(err, func() int { return len(out.AutoScalingGroups) })
		},
		"database clusters": func(ctx context.Context) (int, error) {
			out, err := l.rds.DescribeDBClusters(ctx, &rdsapi.DescribeDBClustersInput{})
			return count(err, func() int { return len(out.DBClusters) })
		},
		"database subnet groups": func(ctx context.Context) (int, error) {
			out, err := l.rds.DescribeDBSubnetGroups(ctx, &rdsapi.DescribeDBSubnetGroupsInput{})
			return count(err, func() int { return len(out.DBSubnetGroups) })
		},
		"buckets": func(ctx context.Context) (int, error) {
			out, err := l.s3.ListBuckets(ctx, &s3api.ListBucketsInput{})
			return count(err, func() int { return len(out.Buckets) })
		},
		"KMS keys":   l.countKeys,
		"roles":      l.countRoles,
		"secrets":    l.countSecrets,
		"parameters": l.countParameters,
		"log groups": l.countLogGroups,
		"IAM profiles": func(ctx context.Context) (int, error) {
			out, err := l.iam.ListInstanceProfiles(ctx, &iamapi.ListInstanceProfilesInput{})
			return count(err, func() int { return len(out.InstanceProfiles) })
		},
	} {
		n, err := number(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			s.Resources[kind] = n
		}
	}
	return nil
}

func count(err error, n func() int) (int, error) {
	if err != nil {
		return 0, err
	}
	return n(), nil
}

func countIf[T any](all []T, want func(T) bool) (n int) {
	for _, v := range all {
		if want(v) {
			n++
		}
	}
	return n
}

func (l *lab) countKeys(ctx context.Context) (n int, err error) {
	out, err := l.kms.ListKeys(ctx, &kmsapi.ListKeysInput{})
	if err != nil {
		return 0, err
	}
	for _, k := range out.Keys {
		d, err := l.kms.DescribeKey(ctx, &kmsapi.DescribeKeyInput{KeyId: k.KeyId})
		if err != nil {
			return 0, err
		}
		if m := d.KeyMetadata; wire.Value(m.KeyManager) == "CUSTOMER" && wire.Value(m.KeyState) != "PendingDeletion" {
			n++
		}
	}
	return n, nil
}

func (l *lab) countRoles(ctx context.Context) (int, error) {
	out, err := l.iam.ListRoles(ctx, &iamapi.ListRolesInput{MaxItems: new(int64(1000))})
	return count(err, func() int {
		return countIf(out.Roles, func(r iamapi.Role) bool { return !strings.HasPrefix(*r.Path, "/aws-service-role/") })
	})
}

func (l *lab) countSecrets(ctx context.Context) (int, error) {
	out, err := l.secrets.ListSecrets(ctx, &secretsapi.ListSecretsInput{})
	return count(err, func() int { return len(out.SecretList) })
}

func (l *lab) countParameters(ctx context.Context) (int, error) {
	out, err := l.ssm.DescribeParameters(ctx, &ssmapi.DescribeParametersInput{})
	return count(err, func() int { return len(out.Parameters) })
}

func (l *lab) countLogGroups(ctx context.Context) (int, error) {
	out, err := l.logs.DescribeLogGroups(ctx, &logsapi.DescribeLogGroupsInput{})
	return count(err, func() int { return len(out.LogGroups) })
}
