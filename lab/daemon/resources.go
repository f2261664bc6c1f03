//go:build linux

package daemon

import (
	"context"
	"crypto/rand"
	"strings"

	acmapi "storefront/lab/api/acm"
	appscalingapi "storefront/lab/api/applicationautoscaling"
	autoscalingapi "storefront/lab/api/autoscaling"
	backupapi "storefront/lab/api/backup"
	trailapi "storefront/lab/api/cloudtrail"
	cloudwatchapi "storefront/lab/api/cloudwatch"
	ec2api "storefront/lab/api/ec2"
	cacheapi "storefront/lab/api/elasticache"
	elbapi "storefront/lab/api/elbv2"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	osapi "storefront/lab/api/opensearch"
	rdsapi "storefront/lab/api/rds"
	s3api "storefront/lab/api/s3"
	secretsapi "storefront/lab/api/secretsmanager"
	snsapi "storefront/lab/api/sns"
	sqsapi "storefront/lab/api/sqs"
	ssmapi "storefront/lab/api/ssm"
	"storefront/lab/control"
	"storefront/lab/wire"
)

func newID() string { return rand.Text() }

// counter counts the resources of one kind.
type counter func(context.Context) (int, error)

// counted counts with an operation that describes everything.
func counted[I, O any](describe func(context.Context, *I) (*O, error), number func(*O) int) counter {
	return func(ctx context.Context) (int, error) {
		out, err := describe(ctx, new(I))
		if err != nil {
			return 0, err
		}
		return number(out), nil
	}
}

// counters are the kinds of what customers make, each counted with its service's own API.
func (l *lab) counters() map[string]counter {
	return map[string]counter{
		"VPCs":                   counted(l.ec2.DescribeVpcs, func(o *ec2api.DescribeVpcsOutput) int { return len(o.Vpcs) }),
		"subnets":                counted(l.ec2.DescribeSubnets, func(o *ec2api.DescribeSubnetsOutput) int { return len(o.Subnets) }),
		"internet gateways":      counted(l.ec2.DescribeInternetGateways, func(o *ec2api.DescribeInternetGatewaysOutput) int { return len(o.InternetGateways) }),
		"NAT gateways":           counted(l.ec2.DescribeNatGateways, liveGateways),
		"elastic addresses":      counted(l.ec2.DescribeAddresses, func(o *ec2api.DescribeAddressesOutput) int { return len(o.Addresses) }),
		"security groups":        counted(l.ec2.DescribeSecurityGroups, func(o *ec2api.DescribeSecurityGroupsOutput) int { return len(o.SecurityGroups) }),
		"network interfaces":     counted(l.ec2.DescribeNetworkInterfaces, func(o *ec2api.DescribeNetworkInterfacesOutput) int { return len(o.NetworkInterfaces) }),
		"VPC endpoints":          counted(l.ec2.DescribeVpcEndpoints, func(o *ec2api.DescribeVpcEndpointsOutput) int { return len(o.VpcEndpoints) }),
		"launch templates":       counted(l.ec2.DescribeLaunchTemplates, func(o *ec2api.DescribeLaunchTemplatesOutput) int { return len(o.LaunchTemplates) }),
		"flow logs":              counted(l.ec2.DescribeFlowLogs, func(o *ec2api.DescribeFlowLogsOutput) int { return len(o.FlowLogs) }),
		"volumes":                counted(l.ec2.DescribeVolumes, func(o *ec2api.DescribeVolumesOutput) int { return len(o.Volumes) }),
		"load balancers":         counted(l.elb.DescribeLoadBalancers, func(o *elbapi.DescribeLoadBalancersOutput) int { return len(o.LoadBalancers) }),
		"target groups":          counted(l.elb.DescribeTargetGroups, func(o *elbapi.DescribeTargetGroupsOutput) int { return len(o.TargetGroups) }),
		"auto scaling groups":    counted(l.scaling.DescribeAutoScalingGroups, func(o *autoscalingapi.DescribeAutoScalingGroupsOutput) int { return len(o.AutoScalingGroups) }),
		"database clusters":      counted(l.rds.DescribeDBClusters, func(o *rdsapi.DescribeDBClustersOutput) int { return len(o.DBClusters) }),
		"database subnet groups": counted(l.rds.DescribeDBSubnetGroups, func(o *rdsapi.DescribeDBSubnetGroupsOutput) int { return len(o.DBSubnetGroups) }),
		"database snapshots":     counted(l.rds.DescribeDBClusterSnapshots, func(o *rdsapi.DescribeDBClusterSnapshotsOutput) int { return len(o.DBClusterSnapshots) }),
		"backup vaults":          counted(l.backup.ListBackupVaults, func(o *backupapi.ListBackupVaultsOutput) int { return len(o.BackupVaultList) }),
		"backup plans":           counted(l.backup.ListBackupPlans, func(o *backupapi.ListBackupPlansOutput) int { return len(o.BackupPlansList) }),
		"search domains":         counted(l.search.ListDomainNames, func(o *osapi.ListDomainNamesOutput) int { return len(o.DomainNames) }),
		"caches":                 counted(l.cache.DescribeReplicationGroups, func(o *cacheapi.DescribeReplicationGroupsOutput) int { return len(o.ReplicationGroups) }),
		"cache snapshots":        l.countSnapshots,
		"cache subnet groups":    counted(l.cache.DescribeCacheSubnetGroups, func(o *cacheapi.DescribeCacheSubnetGroupsOutput) int { return len(o.CacheSubnetGroups) }),
		"cache parameter groups": counted(l.cache.DescribeCacheParameterGroups, ownParameterGroups),
		"cache users":            counted(l.cache.DescribeUsers, func(o *cacheapi.DescribeUsersOutput) int { return len(o.Users) - 1 }), // every account has one named default
		"cache user groups":      counted(l.cache.DescribeUserGroups, func(o *cacheapi.DescribeUserGroupsOutput) int { return len(o.UserGroups) }),
		"buckets":                counted(l.s3.ListBuckets, func(o *s3api.ListBucketsOutput) int { return len(o.Buckets) }),
		"instance profiles":      counted(l.iam.ListInstanceProfiles, func(o *iamapi.ListInstanceProfilesOutput) int { return len(o.InstanceProfiles) }),
		"roles":                  counted(l.iam.ListRoles, ownRoles),
		"secrets":                counted(l.secrets.ListSecrets, func(o *secretsapi.ListSecretsOutput) int { return len(o.SecretList) }),
		"parameters":             counted(l.ssm.DescribeParameters, func(o *ssmapi.DescribeParametersOutput) int { return len(o.Parameters) }),
		"log groups":             counted(l.logs.DescribeLogGroups, func(o *logsapi.DescribeLogGroupsOutput) int { return len(o.LogGroups) }),
		"queues":                 counted(l.sqs.ListQueues, func(o *sqsapi.ListQueuesOutput) int { return len(o.QueueUrls) }),
		"topics":                 counted(l.sns.ListTopics, func(o *snsapi.ListTopicsOutput) int { return len(o.Topics) }),
		"subscriptions":          counted(l.sns.ListSubscriptions, func(o *snsapi.ListSubscriptionsOutput) int { return len(o.Subscriptions) }),
		"alarms":                 l.countAlarms,
		"scalable targets":       l.countTargets,
		"dashboards":             counted(l.watch.ListDashboards, func(o *cloudwatchapi.ListDashboardsOutput) int { return len(o.DashboardEntries) }),
		"trails":                 counted(l.trail.ListTrails, func(o *trailapi.ListTrailsOutput) int { return len(o.Trails) }),
		"web ACLs":               l.countWebACLs,
		"firewall policies":      l.countPolicies,
		"web ACL IP sets":        l.countIPSets,
		"KMS keys":               l.countKeys,
		"certificates":           l.certificates(acmapi.CertificateStatusIssued, acmapi.CertificateStatusExpired),
		// Nobody can prove a domain to the lab, so these stay: see lab/acm.
		"certificates that wait for a proof": l.certificates(acmapi.CertificateStatusPendingValidation, acmapi.CertificateStatusValidationTimedOut),
	}
}

// countResources counts what customers have made, by kind. What every account has from the start does not count, nor what only awaits its end: keys and
// secrets that are scheduled for deletion, terminated instances, deleted gateways.
func (l *lab) countResources(ctx context.Context, s *control.Status) error {
	s.Resources = map[string]int{}
	for kind, count := range l.counters() {
		n, err := count(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			s.Resources[kind] = n
		}
	}
	return nil
}

// certificates counts those of some statuses, with keys of all algorithms.
func (l *lab) certificates(statuses ...string) counter {
	keys := []string{acmapi.KeyAlgorithmRsa1024, acmapi.KeyAlgorithmRsa2048, acmapi.KeyAlgorithmRsa3072, acmapi.KeyAlgorithmRsa4096, acmapi.KeyAlgorithmEcPrime256v1, acmapi.KeyAlgorithmEcSecp384r1, acmapi.KeyAlgorithmEcSecp521r1}
	return func(ctx context.Context) (int, error) {
		out, err := l.acm.ListCertificates(ctx, &acmapi.ListCertificatesInput{CertificateStatuses: statuses, Includes: &acmapi.Filters{KeyTypes: keys}})
		if err != nil {
			return 0, err
		}
		return len(out.CertificateSummaryList), nil
	}
}

// countSnapshots counts those that customers have taken: daily ones come and go by themselves.
func (l *lab) countSnapshots(ctx context.Context) (int, error) {
	out, err := l.cache.DescribeSnapshots(ctx, &cacheapi.DescribeSnapshotsInput{SnapshotSource: new("user")})
	if err != nil {
		return 0, err
	}
	return len(out.Snapshots), nil
}

func (l *lab) countTargets(ctx context.Context) (int, error) {
	out, err := l.readers.DescribeScalableTargets(ctx, &appscalingapi.DescribeScalableTargetsInput{ServiceNamespace: new(appscalingapi.ServiceNamespaceRds)})
	if err != nil {
		return 0, err
	}
	return len(out.ScalableTargets), nil
}

func liveGateways(o *ec2api.DescribeNatGatewaysOutput) (n int) {
	for _, g := range o.NatGateways {
		if wire.Value(g.State) != ec2api.NatGatewayStateDeleted {
			n++
		}
	}
	return n
}

// ownRoles leaves out the roles that services make for themselves.
func ownRoles(o *iamapi.ListRolesOutput) (n int) {
	for _, r := range o.Roles {
		if !strings.HasPrefix(*r.Path, "/aws-service-role/") {
			n++
		}
	}
	return n
}

// ownParameterGroups leaves out the groups that every account has.
func ownParameterGroups(o *cacheapi.DescribeCacheParameterGroupsOutput) (n int) {
	for _, g := range o.CacheParameterGroups {
		if !strings.HasPrefix(*g.CacheParameterGroupName, "default.") {
			n++
		}
	}
	return n
}

func (l *lab) countAlarms(ctx context.Context) (n int, err error) {
	in := &cloudwatchapi.DescribeAlarmsInput{AlarmTypes: []string{cloudwatchapi.AlarmTypeMetricAlarm, cloudwatchapi.AlarmTypeCompositeAlarm}}
	for {
		out, err := l.watch.DescribeAlarms(ctx, in)
		if err != nil {
			return 0, err
		}
		n += len(out.MetricAlarms) + len(out.CompositeAlarms)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return n, nil
		}
	}
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
