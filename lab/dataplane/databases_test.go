package dataplane_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	apirds "storefront/lab/api/rds"
	"storefront/lab/dataplane"
	"storefront/lab/instance"
	"storefront/lab/kms"
	"storefront/lab/metrics"
	"storefront/lab/network"
	"storefront/lab/network/networktest"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/region"
	"storefront/lab/secretsmanager"
	"storefront/lab/state"
)

// TestMain lets the test program be the program inside machines, as the lab's is.
func TestMain(m *testing.M) {
	if status, ok := instance.Main(os.Args); ok {
		syscall.Exit(status) // not os.Exit, in which the race detector sleeps for a second
	}
	networktest.Main(m)
}

// databaseLab is a region with a network, in which databases run and a client sits.
type databaseLab struct {
	*testRegion
	metrics *metrics.Store
	rds     *rds.Service
	secrets *secretsmanager.Service
	engine  *postgres.Engine
	client  string // network interface
}

func newDatabaseLab(t *testing.T) *databaseLab {
	t.Helper()
	r, subnets, client := newDataRegion(t)
	l := &databaseLab{testRegion: r, metrics: metrics.New(time.Now, time.Hour), client: client}
	l.openEngine()
	here := region.Default()
	keys := kms.New(l.store, here, time.Now)
	l.secrets = secretsmanager.New(l.store, here, keys, time.Now)
	l.rds = rds.New(rds.Config{Store: l.store, Region: here, Now: time.Now, Engine: l.engine, Network: l.ec2, Secrets: l.secrets, Keys: keys})
	must(l.rds.CreateDBSubnetGroup(l.Context(), &apirds.CreateDBSubnetGroupInput{DBSubnetGroupName: new("data"), DBSubnetGroupDescription: new("d"), SubnetIds: subnets}))(l.T)
	return l
}

func (l *databaseLab) openEngine() {
	l.Helper()
	engine, err := postgres.Open(postgres.Config{Dir: filepath.Join(l.dir, "databases"), Starter: l.net, Issuer: l.authority, Log: l.log})
	if errors.Is(err, postgres.ErrNoServer) {
		l.Skip(err)
	}
	if err != nil {
		l.Fatal(err)
	}
	l.engine = engine
}

func (l *databaseLab) databases() (stop func()) {
	return l.background(&dataplane.Databases{Store: l.store, RDS: l.rds, Engine: l.engine, Log: l.log, Metrics: l.metrics})
}

func (l *databaseLab) createCluster(instances ...string) {
	l.Helper()
	must(l.rds.CreateDBCluster(l.Context(), &apirds.CreateDBClusterInput{
		DBClusterIdentifier: new("shop"), Engine: new("aurora-postgresql"), DatabaseName: new("shop"), MasterUsername: new("shopkeeper"),
		ManageMasterUserPassword: new(true), DBSubnetGroupName: new("data"),
	}))(l.T)
	for _, id := range instances {
		l.createInstance(id)
	}
	l.settled()
}

func (l *databaseLab) createInstance(id string) {
	l.Helper()
	must(l.rds.CreateDBInstance(l.Context(), &apirds.CreateDBInstanceInput{
		DBInstanceIdentifier: &id, DBClusterIdentifier: new("shop"), Engine: new("aurora-postgresql"), DBInstanceClass: new("db.r6g.large"),
	}))(l.T)
}

// cluster returns the cluster as the API shows it, or nil when it is gone.
func (l *databaseLab) cluster() *apirds.DBCluster {
	l.Helper()
	out := must(l.rds.DescribeDBClusters(l.Context(), &apirds.DescribeDBClustersInput{}))(l.T)
	if len(out.DBClusters) == 0 {
		return nil
	}
	return &out.DBClusters[0]
}

// settled waits until the cluster and all its instances are available.
func (l *databaseLab) settled() {
	l.Helper()
	l.eventually("everything is available", func() bool {
		c := l.cluster()
		ok := c != nil && *c.Status == "available"
		for _, i := range must(l.rds.DescribeDBInstances(l.Context(), &apirds.DescribeDBInstancesInput{}))(l.T).DBInstances {
			ok = ok && *i.DBInstanceStatus == "available"
		}
		return ok
	})
}

func (l *databaseLab) writer() string {
	l.Helper()
	for _, m := range l.cluster().DBClusterMembers {
		if *m.IsClusterWriter {
			return *m.DBInstanceIdentifier
		}
	}
	return ""
}

// connect opens a session from the client's interface to an endpoint, with the managed password and verified TLS.
func (l *databaseLab) connect(endpoint string) (*pgx.Conn, error) {
	var addresses []netip.Addr
	var secret struct{ Username, Password string }
	arn := *l.cluster().MasterUserSecret.SecretArn
	err := l.store.View(func(tx *state.Tx) error {
		addresses, _ = l.rds.Resolve(tx, endpoint)
		value, err := l.secrets.ReadOwned(tx, arn)
		return errors.Join(err, json.Unmarshal([]byte(value), &secret))
	})
	if err != nil || len(addresses) == 0 {
		return nil, fmt.Errorf("%s leads to %v: %w", endpoint, addresses, err)
	}
	config, err := pgx.ParseConfig("host=" + addresses[0].String() + " sslmode=require connect_timeout=3 dbname=shop")
	if err != nil {
		return nil, err
	}
	config.User, config.Password = secret.Username, secret.Password
	config.TLSConfig.InsecureSkipVerify, config.TLSConfig.RootCAs, config.TLSConfig.ServerName = false, l.authority.Pool(), endpoint
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(ctx context.Context, network_, address string) (net.Conn, error) {
		return l.net.Dial(ctx, network.InInterface(l.client), network_, address)
	}
	return pgx.ConnectConfig(l.Context(), config)
}

// exec runs a statement on an endpoint. It tries again while nobody answers there, as clients do during a failover.
func (l *databaseLab) exec(endpoint, sql string) (result string, err error) {
	l.Helper()
	l.eventually(endpoint+" answers", func() bool {
		var conn *pgx.Conn
		if conn, err = l.connect(endpoint); err != nil {
			return false
		}
		defer conn.Close(context.Background())
		err = conn.QueryRow(l.Context(), sql).Scan(&result)
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
		return true
	})
	return result, err
}

func (l *databaseLab) must(result string, err error) string {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
	return result
}

func (l *databaseLab) deleteAll() {
	l.Helper()
	for _, m := range l.cluster().DBClusterMembers {
		must(l.rds.DeleteDBInstance(l.Context(), &apirds.DeleteDBInstanceInput{DBInstanceIdentifier: m.DBInstanceIdentifier}))(l.T)
	}
	must(l.rds.DeleteDBCluster(l.Context(), &apirds.DeleteDBClusterInput{DBClusterIdentifier: new("shop"), SkipFinalSnapshot: new(true)}))(l.T)
	l.eventually("the cluster is gone", func() bool { return l.cluster() == nil })
	if left, _ := filepath.Glob(filepath.Join(l.dir, "databases/clusters/[a-z]*")); len(left) > 0 {
		l.Errorf("data left: %v", left)
	}
	if left := postmasters(l.T, l.dir); len(left) > 0 {
		l.Errorf("servers left: %v", left)
	}
}

// postmasters maps the node directories in dir to the process IDs of their servers.
func postmasters(t *testing.T, dir string) map[string]*os.Process {
	t.Helper()
	found := map[string]*os.Process{}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		args := strings.Split(string(data), "\x00")
		if len(args) > 2 && args[1] == "-D" && strings.HasPrefix(args[2], dir) {
			var pid int
			if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err != nil {
				t.Fatal(err)
			}
			found[filepath.Base(filepath.Dir(args[2]))], _ = os.FindProcess(pid)
		}
	}
	return found
}

func (l *databaseLab) kill(instance string) {
	l.Helper()
	out := must(l.rds.DescribeDBInstances(l.Context(), &apirds.DescribeDBInstancesInput{DBInstanceIdentifier: &instance}))(l.T)
	p := postmasters(l.T, l.dir)[strings.ToLower(*out.DBInstances[0].DbiResourceId)]
	if p == nil {
		l.Fatalf("instance %s has no server", instance)
	}
	if err := p.Kill(); err != nil {
		l.Fatal(err)
	}
}

func TestDatabasesFromDeclarationToDeletion(t *testing.T) {
	l := newDatabaseLab(t)
	l.databases()
	l.createCluster("one", "two")
	c := l.cluster()
	l.must(l.exec(*c.Endpoint, "create table orders (id int primary key)"))
	l.must(l.exec(*c.Endpoint, "insert into orders values (1)"))
	l.eventually("the reader has the row", func() bool {
		n, err := l.exec(*c.ReaderEndpoint, "select count(*)::text from orders")
		return err == nil && n == "1"
	})
	l.eventually("servers are measured by their roles", func() bool {
		names := l.metrics.Names(time.Time{})
		has := func(metric, role string) bool {
			return slices.Contains(names, metrics.Name{Namespace: "AWS/RDS", Metric: metric, Dimensions: metrics.By("DBClusterIdentifier", "shop", "Role", role)})
		}
		return has("CPUUtilization", "WRITER") && has("CPUUtilization", "READER") && has("DatabaseConnections", "WRITER") && has("AuroraReplicaLag", "READER") && !has("AuroraReplicaLag", "WRITER")
	})
	_, err := l.exec(*c.ReaderEndpoint, "insert into orders values (2)")
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "25006" {
		t.Errorf("a write on the reader: got %v, want SQLSTATE 25006", err)
	}

	must(l.rds.FailoverDBCluster(t.Context(), &apirds.FailoverDBClusterInput{DBClusterIdentifier: new("shop")}))(t)
	l.eventually("the other instance writes", func() bool { return l.writer() == "two" })
	l.settled()
	l.must(l.exec(*c.Endpoint, "insert into orders values (2)"))

	must(l.rds.ModifyDBCluster(t.Context(), &apirds.ModifyDBClusterInput{DBClusterIdentifier: new("shop"), RotateMasterUserPassword: new(true), ApplyImmediately: new(true)}))(t)
	if n := l.must(l.exec(*c.Endpoint, "select count(*)::text from orders")); n != "2" {
		t.Errorf("got %s rows after the rotation, want 2", n)
	}

	must(l.rds.DeleteDBInstance(t.Context(), &apirds.DeleteDBInstanceInput{DBInstanceIdentifier: new("two")}))(t) // the writer: its reader takes over
	l.eventually("the deleted writer is replaced", func() bool { return l.writer() == "one" && len(l.cluster().DBClusterMembers) == 1 })
	l.must(l.exec(*c.Endpoint, "insert into orders values (3)"))
	l.deleteAll()
}

func TestDatabasesAfterCrashes(t *testing.T) {
	l := newDatabaseLab(t)
	stop := l.databases()
	l.createCluster("one", "two")
	c := l.cluster()
	l.must(l.exec(*c.Endpoint, "create table orders (id int primary key)"))
	l.must(l.exec(*c.Endpoint, "insert into orders values (1)"))

	l.kill("one") // the writer: a reader takes over, and it comes back as a reader
	l.eventually("the reader has taken over", func() bool { return l.writer() == "two" })
	l.must(l.exec(*c.Endpoint, "insert into orders values (2)"))
	l.eventually("the killed instance reads again", func() bool {
		conn, err := l.connect(*c.ReaderEndpoint)
		if err != nil {
			return false
		}
		defer conn.Close(context.Background())
		var n int
		return conn.QueryRow(t.Context(), "select count(*) from orders where pg_is_in_recovery()").Scan(&n) == nil && n == 2
	})

	stop() // and all servers with it
	if left := postmasters(t, l.dir); len(left) > 0 {
		t.Errorf("servers left: %v", left)
	}
	l.openEngine()
	l.databases()
	if n := l.must(l.exec(*c.Endpoint, "select count(*)::text from orders where not pg_is_in_recovery()")); n != "2" {
		t.Errorf("got %s rows after a new start, want 2", n)
	}
	if w := l.writer(); w != "two" {
		t.Errorf("the writer is %s, want two", w)
	}
	l.settled()
	l.deleteAll()
}

func TestSnapshotsHoldData(t *testing.T) {
	l := newDatabaseLab(t)
	l.databases()
	l.createCluster("one")
	l.must(l.exec(*l.cluster().Endpoint, "create table orders (id int primary key)"))
	l.must(l.exec(*l.cluster().Endpoint, "insert into orders values (1)"))
	must(l.rds.DeleteDBInstance(t.Context(), &apirds.DeleteDBInstanceInput{DBInstanceIdentifier: new("one")}))(t)
	must(l.rds.DeleteDBCluster(t.Context(), &apirds.DeleteDBClusterInput{DBClusterIdentifier: new("shop"), FinalDBSnapshotIdentifier: new("final")}))(t)
	l.eventually("the cluster is gone", func() bool { return l.cluster() == nil })
	must(l.rds.RestoreDBClusterFromSnapshot(t.Context(), &apirds.RestoreDBClusterFromSnapshotInput{
		DBClusterIdentifier: new("shop"), SnapshotIdentifier: new("final"), Engine: new("aurora-postgresql"), DBSubnetGroupName: new("data"),
	}))(t)
	l.createInstanceAfterSettling("two")
	must(l.rds.ModifyDBCluster(t.Context(), &apirds.ModifyDBClusterInput{DBClusterIdentifier: new("shop"), ManageMasterUserPassword: new(true)}))(t)
	if n := l.must(l.exec(*l.cluster().Endpoint, "select count(*)::text from orders")); n != "1" {
		t.Errorf("the restored cluster has %s rows, want 1", n)
	}
	must(l.rds.DeleteDBClusterSnapshot(t.Context(), &apirds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: new("final")}))(t)
	l.eventually("the snapshot is gone", func() bool {
		return len(must(l.rds.DescribeDBClusterSnapshots(t.Context(), &apirds.DescribeDBClusterSnapshotsInput{}))(t).DBClusterSnapshots) == 0
	})
	l.deleteAll()
}

func (l *databaseLab) createInstanceAfterSettling(id string) {
	l.Helper()
	l.settled()
	l.createInstance(id)
	l.settled()
}
