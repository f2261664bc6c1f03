package drill

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"
)

const restoreWithin = 15 * time.Minute

// server is a database and the way to it.
type server struct {
	host, port, local string // local is the tunnel's end here
	user, password    string
	database          string
	authority         string
}

func (c Config) drillDatabase(ctx context.Context, store bucket, run string) (err error) {
	client := rds.NewFromConfig(c.AWS)
	found, err := client.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &c.Cluster})
	if err != nil {
		return fmt.Errorf("looking for the database: %w", err)
	}
	source, err := c.server(ctx, found.DBClusters[0], c.SecretARN)
	if err != nil {
		return err
	}
	var snapshot *snapshot
	if err := c.step("database dumped into s3://"+store.name+"/"+store.prefix+"database.dump", func() (err error) {
		if snapshot, err = source.snapshot(ctx); err != nil {
			return err
		}
		// Without comments: those on the engine's own extensions are the engine's.
		dump, err := source.run(ctx, nil, "pg_dump", "--format=custom", "--no-owner", "--no-comments", "--snapshot="+snapshot.id)
		if err != nil {
			return err
		}
		return store.put(ctx, "database.dump", dump)
	}); err != nil {
		return err
	}
	defer snapshot.conn.Close(ctx)

	id := c.Cluster + "-drill-" + run
	defer func() {
		err = errors.Join(err, c.step("cluster "+id+" taken away", func() error { return remove(context.WithoutCancel(ctx), client, id) }))
	}()
	var target server
	if err := c.step("new cluster "+id, func() error {
		made, err := create(ctx, client, found.DBClusters[0], id)
		if err != nil {
			return err
		}
		target, err = c.server(ctx, *made, aws.ToString(made.MasterUserSecret.SecretArn))
		return err
	}); err != nil {
		return err
	}
	if err := c.step("dump loaded into "+id, func() error {
		dump, err := store.get(ctx, "database.dump")
		if err != nil {
			return err
		}
		_, err = target.run(ctx, dump, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+target.dsn())
		return err
	}); err != nil {
		return err
	}
	restored, err := target.connect(ctx)
	if err != nil {
		return err
	}
	defer restored.Close(ctx)
	return c.compareTables(ctx, snapshot.conn, restored)
}

// server finds the login of a cluster and opens the way to its writer.
func (c Config) server(ctx context.Context, cluster types.DBCluster, secret string) (server, error) {
	s := server{host: aws.ToString(cluster.Endpoint), port: strconv.Itoa(int(aws.ToInt32(cluster.Port))), database: c.Database, authority: c.Authority}
	value, err := secretsmanager.NewFromConfig(c.AWS).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret})
	if err != nil {
		return s, fmt.Errorf("reading the login of %s: %w", s.host, err)
	}
	var login struct{ Username, Password string }
	if err := json.Unmarshal([]byte(aws.ToString(value.SecretString)), &login); err != nil || login.Password == "" {
		return s, fmt.Errorf("the login of %s is no JSON object with username and password", s.host)
	}
	s.user, s.password = login.Username, login.Password
	s.local, err = c.DatabaseVia.open(ctx, s.host, s.port)
	return s, err
}

// dsn is the connection string for PostgreSQL's own programs, without the password: the name that the certificate is for, at the tunnel's end.
func (s server) dsn() string {
	_, port, _ := net.SplitHostPort(s.local)
	return fmt.Sprintf("host=%s hostaddr=127.0.0.1 port=%s user=%s dbname=%s sslmode=verify-full sslrootcert=%s", s.host, port, s.user, s.database, s.authority)
}

// run runs one of PostgreSQL's programs. The password goes through the environment: everybody can read arguments.
func (s server) run(ctx context.Context, input []byte, program string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(program)
	if err != nil { // Debian keeps them out of the way
		installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
		if len(installed) == 0 {
			return nil, fmt.Errorf("%s is not installed; `make tools` installs it", program)
		}
		path = installed[len(installed)-1]
	}
	if program == "pg_dump" {
		args = append(args, "--dbname="+s.dsn())
	}
	var out, problems bytes.Buffer
	c := exec.CommandContext(ctx, path, args...)
	c.Env = append(os.Environ(), "PGPASSWORD="+s.password)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &out, &problems
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(problems.Bytes()))
	}
	return out.Bytes(), nil
}

func (s server) connect(ctx context.Context) (*pgx.Conn, error) {
	conf, err := pgx.ParseConfig("postgres://" + net.JoinHostPort(s.host, s.port) + "/" + s.database + "?sslmode=disable")
	if err != nil {
		return nil, err
	}
	authorities, err := os.ReadFile(s.authority)
	if err != nil {
		return nil, fmt.Errorf("authorities of the database: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	conf.User, conf.Password, conf.TLSConfig = s.user, s.password, &tls.Config{ServerName: s.host, RootCAs: pool, MinVersion: tls.VersionTLS12}
	conf.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	conf.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.local)
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", s.host, err)
	}
	return conn, nil
}

// snapshot is a transaction that goes on, and the name by which others see what it sees.
type snapshot struct {
	conn *pgx.Conn
	id   string
}

func (s server) snapshot(ctx context.Context) (*snapshot, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	out := &snapshot{conn: conn}
	if _, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&out.id)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("taking a snapshot of %s: %w", s.host, err), conn.Close(ctx))
	}
	return out, nil
}

// create makes an empty cluster like another one, with one instance, and waits for it.
func create(ctx context.Context, client *rds.Client, like types.DBCluster, id string) (*types.DBCluster, error) {
	in := &rds.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: like.Engine, EngineVersion: like.EngineVersion, DatabaseName: like.DatabaseName, MasterUsername: like.MasterUsername,
		ManageMasterUserPassword: aws.Bool(true), DBSubnetGroupName: like.DBSubnetGroup, DBClusterParameterGroupName: like.DBClusterParameterGroup, Port: like.Port,
		StorageEncrypted: like.StorageEncrypted, KmsKeyId: like.KmsKeyId,
	}
	if like.MasterUserSecret != nil {
		in.MasterUserSecretKmsKeyId = like.MasterUserSecret.KmsKeyId
	}
	for _, g := range like.VpcSecurityGroups {
		in.VpcSecurityGroupIds = append(in.VpcSecurityGroupIds, aws.ToString(g.VpcSecurityGroupId))
	}
	if _, err := client.CreateDBCluster(ctx, in); err != nil {
		return nil, err
	}
	class, err := client.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: like.DBClusterMembers[0].DBInstanceIdentifier})
	if err != nil {
		return nil, err
	}
	if _, err := client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String(id + "-1"), DBClusterIdentifier: &id, Engine: like.Engine,
		DBInstanceClass: class.DBInstances[0].DBInstanceClass}); err != nil {
		return nil, err
	}
	instance := &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(id + "-1")}
	if err := rds.NewDBInstanceAvailableWaiter(client, func(o *rds.DBInstanceAvailableWaiterOptions) { o.MinDelay = time.Second }).Wait(ctx, instance, restoreWithin); err != nil {
		return nil, err
	}
	out, err := client.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
	if err != nil {
		return nil, err
	}
	return &out.DBClusters[0], nil
}

// remove deletes a cluster with its instance. One that was never made is no error.
func remove(ctx context.Context, client *rds.Client, id string) error {
	var none *types.DBClusterNotFoundFault
	var noInstance *types.DBInstanceNotFoundFault
	if _, err := client.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: aws.String(id + "-1"), SkipFinalSnapshot: aws.Bool(true)}); err != nil && !errors.As(err, &noInstance) {
		return err
	}
	if _, err := client.DeleteDBCluster(ctx, &rds.DeleteDBClusterInput{DBClusterIdentifier: &id, SkipFinalSnapshot: aws.Bool(true)}); errors.As(err, &none) {
		return nil
	} else if err != nil {
		return err
	}
	wait := rds.NewDBClusterDeletedWaiter(client, func(o *rds.DBClusterDeletedWaiterOptions) { o.MinDelay = time.Second })
	return wait.Wait(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id}, restoreWithin)
}
