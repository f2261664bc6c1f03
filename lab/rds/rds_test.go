package rds_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	apiec2 "storefront/lab/api/ec2"
	apikms "storefront/lab/api/kms"
	apirds "storefront/lab/api/rds"
	apisecrets "storefront/lab/api/secretsmanager"
	"storefront/lab/ec2"
	"storefront/lab/kms"
	"storefront/lab/postgres"
	labrds "storefront/lab/rds"
	"storefront/lab/region"
	labsecrets "storefront/lab/secretsmanager"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// engine stands for a PostgreSQL 15 on the machine.
type engine struct{}

func (engine) Version() postgres.Version { return postgres.Version{Major: 15, Minor: 18} }

func (engine) Parameters() []postgres.Parameter {
	return []postgres.Parameter{
		{Name: "max_connections", Kind: "integer", Static: true, Min: "1", Max: "262143"},
		{Name: "work_mem", Kind: "integer", Min: "64", Max: "2147483647"},
	}
}

func (engine) CheckParameter(name, value string) error {
	if value == "nonsense" {
		return postgres.ErrParameter
	}
	return nil
}

// lab is a control plane with a VPC of three subnets.
type lab struct {
	*testing.T
	*rds.Client
	secrets *secretsmanager.Client
	service *labrds.Service
	store   *state.Store
	now     time.Time
	subnets []string
	vpc     string
	ec2     *sdkec2.Client
}

func newLab(t *testing.T) *lab {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l := &lab{T: t, store: store, now: time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)} // a Wednesday
	now, r := func() time.Time { return l.now }, region.Default()
	keys := kms.New(store, r, now)
	secrets := labsecrets.New(store, r, keys, now)
	network := ec2.New(ec2.Config{Store: store, Region: r, Now: now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	l.service = labrds.New(labrds.Config{Store: store, Region: r, Now: now, Engine: engine{}, Network: network, Secrets: secrets, Keys: keys})
	config := wiretest.New(t, apirds.New(l.service), apiec2.New(network), apikms.New(keys), apisecrets.New(secrets)).Config()
	l.Client, l.secrets, l.ec2 = rds.NewFromConfig(config), secretsmanager.NewFromConfig(config), sdkec2.NewFromConfig(config)

	vpc, err := l.ec2.CreateVpc(t.Context(), &sdkec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	l.must(err)
	l.vpc = *vpc.Vpc.VpcId
	for i, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		out, err := l.ec2.CreateSubnet(t.Context(), &sdkec2.CreateSubnetInput{VpcId: &l.vpc, CidrBlock: aws.String("10.0." + string(rune('0'+i)) + ".0/24"), AvailabilityZone: &zone})
		l.must(err)
		l.subnets = append(l.subnets, *out.Subnet.SubnetId)
	}
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// refused wants an error of AWS's with a code.
func (l *lab) refused(err error, code string) {
	l.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		l.Errorf("got %v, want %s", err, code)
	}
}

// settle does what the data plane does: everything that is declared becomes true at once.
func (l *lab) settle() {
	l.Helper()
	l.must(l.store.Update(func(tx *state.Tx) error {
		list, err := l.service.Clusters(tx)
		if err != nil {
			return err
		}
		for _, c := range list {
			var problems []error
			if c.Target != "" {
				problems = append(problems, l.service.Promoted(tx, c.ID, c.Target))
			}
			for _, i := range c.Instances {
				if i.Deleting() {
					problems = append(problems, l.service.InstanceGone(tx, i.ID, ""))
				} else {
					problems = append(problems, l.service.InstanceSettled(tx, i.ID, i.Status, false))
				}
			}
			problems = append(problems, l.service.ClusterSettled(tx, c.ID, c.Status), l.service.Made(tx, c.ID, c.Master.Verifier))
			if !c.Exists {
				problems = append(problems, l.service.ClusterGone(tx, c.ID))
			}
			if err := errors.Join(problems...); err != nil {
				return err
			}
		}
		take, drop := l.service.Snapshots(tx)
		for id := range take {
			if err := l.service.SnapshotTaken(tx, id); err != nil {
				return err
			}
		}
		for _, id := range drop {
			if err := l.service.SnapshotGone(tx, id); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (l *lab) subnetGroup(name string) {
	l.Helper()
	_, err := l.CreateDBSubnetGroup(l.Context(), &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: &name, DBSubnetGroupDescription: aws.String("data"), SubnetIds: l.subnets})
	l.must(err)
}

// request is a valid request for a cluster.
func request() *rds.CreateDBClusterInput {
	return &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("shop"), Engine: aws.String("aurora-postgresql"), EngineVersion: aws.String("15.10"), DatabaseName: aws.String("shop"),
		MasterUsername: aws.String("shopkeeper"), ManageMasterUserPassword: aws.Bool(true), DBSubnetGroupName: aws.String("data"), StorageEncrypted: aws.Bool(true),
	}
}

func (l *lab) cluster() *types.DBCluster {
	l.Helper()
	out, err := l.DescribeDBClusters(l.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("shop")})
	l.must(err)
	return &out.DBClusters[0]
}

func (l *lab) instance(id string) *types.DBInstance {
	l.Helper()
	out, err := l.DescribeDBInstances(l.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
	l.must(err)
	return &out.DBInstances[0]
}

func (l *lab) addInstance(id string, edit ...func(*rds.CreateDBInstanceInput)) {
	l.Helper()
	in := &rds.CreateDBInstanceInput{DBInstanceIdentifier: &id, DBClusterIdentifier: aws.String("shop"), Engine: aws.String("aurora-postgresql"), DBInstanceClass: aws.String("db.r6g.large")}
	for _, f := range edit {
		f(in)
	}
	_, err := l.CreateDBInstance(l.Context(), in)
	l.must(err)
}

// newCluster makes a cluster with instances.
func newCluster(t *testing.T, instances ...string) *lab {
	t.Helper()
	l := newLab(t)
	l.subnetGroup("data")
	_, err := l.CreateDBCluster(t.Context(), request())
	l.must(err)
	for _, id := range instances {
		l.addInstance(id)
	}
	l.settle()
	return l
}

func members(c *types.DBCluster) (list []string, writer string) {
	for _, m := range c.DBClusterMembers {
		list = append(list, *m.DBInstanceIdentifier)
		if *m.IsClusterWriter {
			writer = *m.DBInstanceIdentifier
		}
	}
	slices.Sort(list)
	return list, writer
}
