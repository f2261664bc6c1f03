package rds_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"storefront/lab/state"
)

func TestInstances(t *testing.T) {
	l := newCluster(t)
	l.addInstance("Writer", func(in *rds.CreateDBInstanceInput) {
		in.PromotionTier, in.EnablePerformanceInsights, in.CopyTagsToSnapshot, in.AutoMinorVersionUpgrade = aws.Int32(0), aws.Bool(true), aws.Bool(true), aws.Bool(false)
		in.MonitoringInterval, in.MonitoringRoleArn = aws.Int32(60), aws.String("arn:aws:iam::000000000000:role/monitoring")
		in.Tags = []types.Tag{{Key: aws.String("role"), Value: aws.String("writer")}}
	})
	if i := l.instance("writer"); *i.DBInstanceStatus != "creating" || i.Endpoint != nil {
		t.Errorf("a new instance is %s with endpoint %v", *i.DBInstanceStatus, i.Endpoint)
	}
	l.addInstance("reader")
	l.addInstance("third")
	l.settle()
	i := l.instance("writer")
	for what, ok := range map[string]bool{
		"status":     *i.DBInstanceStatus == "available" && *i.DBClusterIdentifier == "shop" && *i.DBInstanceClass == "db.r6g.large",
		"endpoint":   *i.Endpoint.Port == 5432 && *i.Endpoint.Address != "",
		"promotion":  *i.PromotionTier == 0,
		"insights":   *i.PerformanceInsightsEnabled && *i.PerformanceInsightsRetentionPeriod == 7 && *i.PerformanceInsightsKMSKeyId != "",
		"monitoring": *i.MonitoringInterval == 60 && *i.MonitoringRoleArn == "arn:aws:iam::000000000000:role/monitoring",
		"flags":      *i.CopyTagsToSnapshot && !*i.AutoMinorVersionUpgrade && !*i.PubliclyAccessible && *i.StorageEncrypted,
		"authority":  *i.CACertificateIdentifier == "rds-ca-rsa2048-g1",
		"parameters": *i.DBParameterGroups[0].DBParameterGroupName == "default.aurora-postgresql15" && *i.DBParameterGroups[0].ParameterApplyStatus == "in-sync",
		"tags":       len(i.TagList) == 1,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, i)
		}
	}
	zones := []string{*i.AvailabilityZone, *l.instance("reader").AvailabilityZone, *l.instance("third").AvailabilityZone}
	slices.Sort(zones)
	if len(slices.Compact(zones)) != 3 {
		t.Errorf("three instances are in zones %v", zones)
	}
	c := l.cluster()
	if list, writer := members(c); fmt.Sprint(list) != "[reader third writer]" || writer != "writer" || !*c.MultiAZ {
		t.Errorf("got members %v, writer %q, MultiAZ %v", list, writer, *c.MultiAZ)
	}
	filtered, err := l.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{"shop"}}}})
	l.must(err)
	if len(filtered.DBInstances) != 3 {
		t.Errorf("the filter found %d instances", len(filtered.DBInstances))
	}
	_, err = l.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}})
	l.refused(err, "InvalidParameterValue")
}

func TestInvalidInstances(t *testing.T) {
	l := newCluster(t, "a")
	for name, c := range map[string]struct {
		edit func(*rds.CreateDBInstanceInput)
		code string
	}{
		"taken":           {func(in *rds.CreateDBInstanceInput) { in.DBInstanceIdentifier = aws.String("A") }, "DBInstanceAlreadyExists"},
		"identifier":      {func(in *rds.CreateDBInstanceInput) { in.DBInstanceIdentifier = aws.String("b-") }, "InvalidParameterValue"},
		"cluster":         {func(in *rds.CreateDBInstanceInput) { in.DBClusterIdentifier = aws.String("none") }, "DBClusterNotFoundFault"},
		"no cluster":      {func(in *rds.CreateDBInstanceInput) { in.DBClusterIdentifier = nil }, "InvalidParameterCombination"},
		"engine":          {func(in *rds.CreateDBInstanceInput) { in.Engine = aws.String("postgres") }, "InvalidParameterValue"},
		"version":         {func(in *rds.CreateDBInstanceInput) { in.EngineVersion = aws.String("15.3") }, "InvalidParameterCombination"},
		"class":           {func(in *rds.CreateDBInstanceInput) { in.DBInstanceClass = aws.String("r6g.large") }, "InvalidParameterValue"},
		"small class":     {func(in *rds.CreateDBInstanceInput) { in.DBInstanceClass = aws.String("db.t3.micro") }, "InvalidParameterCombination"},
		"serverless":      {func(in *rds.CreateDBInstanceInput) { in.DBInstanceClass = aws.String("db.serverless") }, "InvalidDBClusterStateFault"},
		"tier":            {func(in *rds.CreateDBInstanceInput) { in.PromotionTier = aws.Int32(16) }, "InvalidParameterValue"},
		"zone":            {func(in *rds.CreateDBInstanceInput) { in.AvailabilityZone = aws.String("us-east-1f") }, "InvalidVPCNetworkStateFault"},
		"parameter group": {func(in *rds.CreateDBInstanceInput) { in.DBParameterGroupName = aws.String("none") }, "DBParameterGroupNotFound"},
		"certificate":     {func(in *rds.CreateDBInstanceInput) { in.CACertificateIdentifier = aws.String("rds-ca-2019") }, "CertificateNotFound"},
		"monitoring":      {func(in *rds.CreateDBInstanceInput) { in.MonitoringInterval = aws.Int32(60) }, "InvalidParameterCombination"},
		"interval":        {func(in *rds.CreateDBInstanceInput) { in.MonitoringInterval = aws.Int32(7) }, "InvalidParameterValue"},
		"retention": {func(in *rds.CreateDBInstanceInput) {
			in.EnablePerformanceInsights, in.PerformanceInsightsRetentionPeriod = aws.Bool(true), aws.Int32(8)
		}, "InvalidParameterValue"},
		"the cluster's": {func(in *rds.CreateDBInstanceInput) { in.BackupRetentionPeriod = aws.Int32(3) }, "InvalidParameterCombination"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("b"), DBClusterIdentifier: aws.String("shop"), Engine: aws.String("aurora-postgresql"), DBInstanceClass: aws.String("db.r6g.large")}
			c.edit(in)
			_, err := l.CreateDBInstance(t.Context(), in)
			(&lab{T: t}).refused(err, c.code)
		})
	}
	_, err := l.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("b")})
	l.refused(err, "DBInstanceNotFound")
}

func TestFailover(t *testing.T) {
	l := newCluster(t, "a")
	fail := func(target *string) error {
		_, err := l.FailoverDBCluster(t.Context(), &rds.FailoverDBClusterInput{DBClusterIdentifier: aws.String("shop"), TargetDBInstanceIdentifier: target})
		return err
	}
	l.refused(fail(nil), "InvalidDBClusterStateFault")
	l.addInstance("b", func(in *rds.CreateDBInstanceInput) { in.PromotionTier = aws.Int32(5) })
	l.addInstance("c", func(in *rds.CreateDBInstanceInput) { in.PromotionTier = aws.Int32(2) })
	l.settle()
	l.refused(fail(aws.String("a")), "InvalidDBClusterStateFault")
	l.refused(fail(aws.String("none")), "DBInstanceNotFound")
	l.must(fail(nil))
	if s := *l.cluster().Status; s != "failing-over" {
		t.Errorf("the cluster is %s", s)
	}
	l.refused(fail(nil), "InvalidDBClusterStateFault")
	l.settle()
	if _, writer := members(l.cluster()); writer != "c" || *l.cluster().Status != "available" {
		t.Errorf("the writer is %s, want the reader of the lowest tier", writer)
	}
	l.must(fail(aws.String("b")))
	l.settle()
	if _, writer := members(l.cluster()); writer != "b" {
		t.Errorf("the writer is %s, want b", writer)
	}
}

func TestStopStartReboot(t *testing.T) {
	l := newCluster(t, "a", "b")
	status := func(want string) {
		t.Helper()
		if got := *l.cluster().Status; got != want {
			t.Errorf("the cluster is %s, want %s", got, want)
		}
		if got := *l.instance("b").DBInstanceStatus; got != want {
			t.Errorf("the instance is %s, want %s", got, want)
		}
	}
	_, err := l.StartDBCluster(t.Context(), &rds.StartDBClusterInput{DBClusterIdentifier: aws.String("shop")})
	l.refused(err, "InvalidDBClusterStateFault")
	_, err = l.StopDBCluster(t.Context(), &rds.StopDBClusterInput{DBClusterIdentifier: aws.String("shop")})
	l.must(err)
	status("stopping")
	l.settle()
	status("stopped")
	_, err = l.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("shop"), Port: aws.Int32(5433)})
	l.refused(err, "InvalidDBClusterStateFault")
	_, err = l.RebootDBInstance(t.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("b")})
	l.refused(err, "InvalidDBInstanceState")
	_, err = l.StartDBCluster(t.Context(), &rds.StartDBClusterInput{DBClusterIdentifier: aws.String("shop")})
	l.must(err)
	status("starting")
	l.settle()
	status("available")
	_, err = l.RebootDBInstance(t.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("b")})
	l.must(err)
	if s := *l.instance("b").DBInstanceStatus; s != "rebooting" {
		t.Errorf("the instance is %s", s)
	}
	l.settle()
	status("available")
	_, err = l.StopDBInstance(t.Context(), &rds.StopDBInstanceInput{DBInstanceIdentifier: aws.String("b")})
	l.refused(err, "InvalidDBInstanceState")
}

func TestModifyInstance(t *testing.T) {
	l := newCluster(t, "a")
	modify := func(in rds.ModifyDBInstanceInput) error {
		in.DBInstanceIdentifier = aws.String("a")
		_, err := l.ModifyDBInstance(t.Context(), &in)
		return err
	}
	l.must(modify(rds.ModifyDBInstanceInput{DBInstanceClass: aws.String("db.r6g.xlarge"), CACertificateIdentifier: aws.String("rds-ca-ecc384-g1"), PromotionTier: aws.Int32(3)}))
	i := l.instance("a")
	if *i.DBInstanceClass != "db.r6g.large" || *i.PendingModifiedValues.DBInstanceClass != "db.r6g.xlarge" || *i.PendingModifiedValues.CACertificateIdentifier != "rds-ca-ecc384-g1" || *i.PromotionTier != 3 {
		t.Errorf("got %+v", i)
	}
	l.must(modify(rds.ModifyDBInstanceInput{ApplyImmediately: aws.Bool(true)}))
	if i := l.instance("a"); *i.DBInstanceClass != "db.r6g.xlarge" || *i.CACertificateIdentifier != "rds-ca-ecc384-g1" || i.PendingModifiedValues != nil {
		t.Errorf("got %+v", i)
	}
	l.refused(modify(rds.ModifyDBInstanceInput{BackupRetentionPeriod: aws.Int32(3)}), "InvalidParameterCombination")
	l.refused(modify(rds.ModifyDBInstanceInput{DBInstanceClass: aws.String("db.m1.large")}), "InvalidParameterCombination")
	l.refused(modify(rds.ModifyDBInstanceInput{DBParameterGroupName: aws.String("none")}), "DBParameterGroupNotFound")
}

func TestEndpoints(t *testing.T) {
	l := newCluster(t, "a", "b", "c")
	create := func(id, kind string, static, excluded []string) error {
		_, err := l.CreateDBClusterEndpoint(t.Context(), &rds.CreateDBClusterEndpointInput{
			DBClusterIdentifier: aws.String("shop"), DBClusterEndpointIdentifier: &id, EndpointType: &kind, StaticMembers: static, ExcludedMembers: excluded,
		})
		return err
	}
	l.must(create("reports", "READER", nil, []string{"b"}))
	l.must(create("both", "ANY", []string{"a", "b"}, nil))
	l.refused(create("both", "ANY", nil, nil), "DBClusterEndpointAlreadyExistsFault")
	l.refused(create("odd", "WRITER", nil, nil), "InvalidParameterValue")
	l.refused(create("odd", "ANY", []string{"a"}, []string{"b"}), "InvalidParameterCombination")
	l.refused(create("odd", "ANY", []string{"none"}, nil), "DBInstanceNotFound")
	out, err := l.DescribeDBClusterEndpoints(t.Context(), &rds.DescribeDBClusterEndpointsInput{DBClusterIdentifier: aws.String("shop")})
	l.must(err)
	names := map[string]string{}
	for _, e := range out.DBClusterEndpoints {
		key := *e.EndpointType
		if e.DBClusterEndpointIdentifier != nil {
			key = *e.DBClusterEndpointIdentifier
		}
		names[key] = *e.Endpoint
	}
	if len(names) != 4 {
		t.Fatalf("got endpoints %v", names)
	}
	c := l.cluster()
	resolve := func(name string) (ids []string) {
		t.Helper()
		l.must(l.store.View(func(tx *state.Tx) error {
			byAddress := map[netip.Addr]string{}
			list, err := l.service.Clusters(tx)
			for _, i := range list[0].Instances {
				byAddress[i.Address] = i.ID
			}
			for _, a := range l.service.Addresses(tx)[name] {
				ids = append(ids, byAddress[a])
			}
			return err
		}))
		slices.Sort(ids)
		return ids
	}
	check := func(want map[string]string) {
		t.Helper()
		for name, ids := range want {
			if got := fmt.Sprint(resolve(name)); got != ids {
				t.Errorf("%s leads to %s, want %s", name, got, ids)
			}
		}
	}
	check(map[string]string{*c.Endpoint: "[a]", *c.ReaderEndpoint: "[b c]", names["reports"]: "[c]", names["both"]: "[a b]", *l.instance("b").Endpoint.Address: "[b]", "none": "[]"})
	_, err = l.FailoverDBCluster(t.Context(), &rds.FailoverDBClusterInput{DBClusterIdentifier: aws.String("shop"), TargetDBInstanceIdentifier: aws.String("c")})
	l.must(err)
	l.settle()
	check(map[string]string{*c.Endpoint: "[c]", *c.ReaderEndpoint: "[a b]", names["reports"]: "[a]"})
	for _, id := range []string{"a", "b"} {
		_, err := l.DeleteDBInstance(t.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id})
		l.must(err)
	}
	l.settle()
	check(map[string]string{*c.Endpoint: "[c]", *c.ReaderEndpoint: "[c]"}) // without a reader the writer answers reads
	_, err = l.DeleteDBClusterEndpoint(t.Context(), &rds.DeleteDBClusterEndpointInput{DBClusterEndpointIdentifier: aws.String("both")})
	l.must(err)
	_, err = l.DeleteDBClusterEndpoint(t.Context(), &rds.DeleteDBClusterEndpointInput{DBClusterEndpointIdentifier: aws.String("both")})
	l.refused(err, "DBClusterEndpointNotFoundFault")
}
