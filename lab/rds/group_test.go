package rds_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"storefront/lab/state"
)

func TestSubnetGroups(t *testing.T) {
	l := newLab(t)
	create := func(name string, subnets ...string) error {
		_, err := l.CreateDBSubnetGroup(t.Context(), &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: &name, DBSubnetGroupDescription: aws.String("d"), SubnetIds: subnets})
		return err
	}
	l.must(create("Data", l.subnets[:2]...))
	l.refused(create("data", l.subnets...), "DBSubnetGroupAlreadyExists")
	l.refused(create("one", l.subnets[0]), "DBSubnetGroupDoesNotCoverEnoughAZs")
	l.refused(create("none", "subnet-1", "subnet-2"), "InvalidSubnet")
	l.refused(create("default", l.subnets...), "InvalidParameterValue")
	l.refused(create("a/b", l.subnets...), "InvalidParameterValue")
	other, err := l.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
	l.must(err)
	foreign, err := l.ec2.CreateSubnet(t.Context(), &sdkec2.CreateSubnetInput{VpcId: other.Vpc.VpcId, CidrBlock: aws.String("10.9.0.0/24")})
	l.must(err)
	l.refused(create("mixed", l.subnets[1], *foreign.Subnet.SubnetId), "InvalidSubnet")
	out, err := l.DescribeDBSubnetGroups(t.Context(), &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: aws.String("data")})
	l.must(err)
	if g := out.DBSubnetGroups[0]; *g.DBSubnetGroupName != "data" || *g.VpcId != l.vpc || len(g.Subnets) != 2 || *g.Subnets[0].SubnetAvailabilityZone.Name != "us-east-1a" {
		t.Errorf("got %+v", g)
	}
	changed, err := l.ModifyDBSubnetGroup(t.Context(), &rds.ModifyDBSubnetGroupInput{DBSubnetGroupName: aws.String("data"), SubnetIds: l.subnets})
	l.must(err)
	if len(changed.DBSubnetGroup.Subnets) != 3 {
		t.Errorf("got %+v", changed.DBSubnetGroup)
	}
	_, err = l.DeleteDBSubnetGroup(t.Context(), &rds.DeleteDBSubnetGroupInput{DBSubnetGroupName: aws.String("data")})
	l.must(err)
	_, err = l.DescribeDBSubnetGroups(t.Context(), &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: aws.String("data")})
	l.refused(err, "DBSubnetGroupNotFoundFault")
}

func TestClusterParameterGroups(t *testing.T) {
	l := newLab(t)
	name, family := aws.String("shop"), aws.String("aurora-postgresql15")
	_, err := l.CreateDBClusterParameterGroup(t.Context(), &rds.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: name, DBParameterGroupFamily: family, Description: aws.String("d")})
	l.must(err)
	_, err = l.CreateDBClusterParameterGroup(t.Context(), &rds.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: name, DBParameterGroupFamily: family, Description: aws.String("d")})
	l.refused(err, "DBParameterGroupAlreadyExists")
	_, err = l.CreateDBClusterParameterGroup(t.Context(), &rds.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: aws.String("x"), DBParameterGroupFamily: aws.String("aurora-postgresql9"), Description: aws.String("d")})
	l.refused(err, "InvalidParameterValue")
	modify := func(parameter, value string, method types.ApplyMethod) error {
		_, err := l.ModifyDBClusterParameterGroup(t.Context(), &rds.ModifyDBClusterParameterGroupInput{
			DBClusterParameterGroupName: name, Parameters: []types.Parameter{{ParameterName: &parameter, ParameterValue: &value, ApplyMethod: method}},
		})
		return err
	}
	l.must(modify("rds.force_ssl", "1", types.ApplyMethodImmediate))
	l.must(modify("max_connections", "200", types.ApplyMethodPendingReboot))
	l.refused(modify("max_connections", "200", types.ApplyMethodImmediate), "InvalidParameterCombination")
	l.refused(modify("rds.force_ssl", "2", types.ApplyMethodImmediate), "InvalidParameterValue")
	l.refused(modify("work_mem", "nonsense", types.ApplyMethodImmediate), "InvalidParameterValue")
	l.refused(modify("no_such_parameter", "1", types.ApplyMethodImmediate), "InvalidParameterValue")
	l.refused(modify("rds.allowed_extensions", "pgcrypto", types.ApplyMethodImmediate), "InvalidParameterValue")
	list := func(source *string) map[string]types.Parameter {
		t.Helper()
		out, err := l.DescribeDBClusterParameters(t.Context(), &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: name, Source: source})
		l.must(err)
		byName := map[string]types.Parameter{}
		for _, p := range out.Parameters {
			byName[*p.ParameterName] = p
		}
		return byName
	}
	user := list(aws.String("user"))
	if p := user["rds.force_ssl"]; len(user) != 2 || *p.ParameterValue != "1" || p.ApplyMethod != types.ApplyMethodImmediate || *p.ApplyType != "dynamic" {
		t.Errorf("the user's parameters are %+v", user)
	}
	if all := list(nil); len(all) != 8 || *all["max_connections"].ApplyType != "static" || *all["work_mem"].Source != "engine-default" {
		t.Errorf("all parameters are %+v", all)
	}
	_, err = l.ResetDBClusterParameterGroup(t.Context(), &rds.ResetDBClusterParameterGroupInput{DBClusterParameterGroupName: name, Parameters: []types.Parameter{{ParameterName: aws.String("max_connections")}}})
	l.must(err)
	if user := list(aws.String("user")); len(user) != 1 {
		t.Errorf("after the reset: %+v", user)
	}

	l.subnetGroup("data")
	in := request()
	in.DBClusterParameterGroupName = name
	_, err = l.CreateDBCluster(t.Context(), in)
	l.must(err)
	l.addInstance("a")
	l.must(l.store.View(func(tx *state.Tx) error {
		clusters, err := l.service.Clusters(tx)
		if got := clusters[0].Instances[0].Parameters["rds.force_ssl"]; got != "1" {
			t.Errorf("the data plane sees rds.force_ssl = %q", got)
		}
		return err
	}))
	_, err = l.DeleteDBClusterParameterGroup(t.Context(), &rds.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: name})
	l.refused(err, "InvalidDBParameterGroupState")
	_, err = l.DeleteDBClusterParameterGroup(t.Context(), &rds.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: aws.String("default.aurora-postgresql15")})
	l.refused(err, "InvalidParameterValue")
	_, err = l.DescribeDBClusterParameterGroups(t.Context(), &rds.DescribeDBClusterParameterGroupsInput{DBClusterParameterGroupName: aws.String("none")})
	l.refused(err, "DBParameterGroupNotFound")
	groups, err := l.DescribeDBClusterParameterGroups(t.Context(), &rds.DescribeDBClusterParameterGroupsInput{})
	l.must(err)
	if len(groups.DBClusterParameterGroups) != 2 {
		t.Errorf("got %+v, want the default group and ours", groups.DBClusterParameterGroups)
	}
}

func TestAnInstancesParametersWin(t *testing.T) {
	l := newCluster(t)
	_, err := l.CreateDBParameterGroup(t.Context(), &rds.CreateDBParameterGroupInput{DBParameterGroupName: aws.String("big"), DBParameterGroupFamily: aws.String("aurora-postgresql15"), Description: aws.String("d")})
	l.must(err)
	_, err = l.ModifyDBParameterGroup(t.Context(), &rds.ModifyDBParameterGroupInput{DBParameterGroupName: aws.String("big"),
		Parameters: []types.Parameter{{ParameterName: aws.String("work_mem"), ParameterValue: aws.String("65536"), ApplyMethod: types.ApplyMethodImmediate}}})
	l.must(err)
	l.addInstance("a", func(in *rds.CreateDBInstanceInput) { in.DBParameterGroupName = aws.String("big") })
	l.must(l.store.View(func(tx *state.Tx) error {
		clusters, err := l.service.Clusters(tx)
		if got := clusters[0].Instances[0].Parameters["work_mem"]; got != "65536" {
			t.Errorf("the data plane sees work_mem = %q", got)
		}
		return err
	}))
	_, err = l.DeleteDBParameterGroup(t.Context(), &rds.DeleteDBParameterGroupInput{DBParameterGroupName: aws.String("big")})
	l.refused(err, "InvalidDBParameterGroupState")
}

func TestTags(t *testing.T) {
	l := newCluster(t)
	arn := l.cluster().DBClusterArn
	_, err := l.AddTagsToResource(t.Context(), &rds.AddTagsToResourceInput{ResourceName: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
	l.must(err)
	_, err = l.RemoveTagsFromResource(t.Context(), &rds.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: []string{"a"}})
	l.must(err)
	out, err := l.ListTagsForResource(t.Context(), &rds.ListTagsForResourceInput{ResourceName: arn})
	l.must(err)
	if len(out.TagList) != 1 || *out.TagList[0].Key != "b" {
		t.Errorf("got %+v", out.TagList)
	}
	_, err = l.ListTagsForResource(t.Context(), &rds.ListTagsForResourceInput{ResourceName: aws.String("arn:aws:rds:us-east-1:000000000000:cluster:none")})
	l.refused(err, "DBClusterNotFoundFault")
	_, err = l.ListTagsForResource(t.Context(), &rds.ListTagsForResourceInput{ResourceName: aws.String("nonsense")})
	l.refused(err, "InvalidParameterValue")
}

func TestVersions(t *testing.T) {
	l := newLab(t)
	out, err := l.DescribeDBEngineVersions(t.Context(), &rds.DescribeDBEngineVersionsInput{Engine: aws.String("aurora-postgresql"), DefaultOnly: aws.Bool(true)})
	l.must(err)
	if len(out.DBEngineVersions) != 1 || *out.DBEngineVersions[0].DBParameterGroupFamily != "aurora-postgresql15" {
		t.Errorf("got %+v", out.DBEngineVersions)
	}
	var classes int
	pages := rds.NewDescribeOrderableDBInstanceOptionsPaginator(l.Client, &rds.DescribeOrderableDBInstanceOptionsInput{Engine: aws.String("aurora-postgresql")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		l.must(err)
		classes += len(page.OrderableDBInstanceOptions)
	}
	if classes != 13*53 {
		t.Errorf("got %d options over all pages", classes)
	}
	_, err = l.DescribeOrderableDBInstanceOptions(t.Context(), &rds.DescribeOrderableDBInstanceOptionsInput{Engine: aws.String("aurora-postgresql"), MaxRecords: aws.Int32(5)})
	l.refused(err, "InvalidParameterValue")
	certificates, err := l.DescribeCertificates(t.Context(), &rds.DescribeCertificatesInput{CertificateIdentifier: aws.String("rds-ca-rsa2048-g1")})
	l.must(err)
	if len(certificates.Certificates) != 1 {
		t.Errorf("got %+v", certificates.Certificates)
	}
}
