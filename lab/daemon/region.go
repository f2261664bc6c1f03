//go:build linux

package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"storefront/lab/access"
	"storefront/lab/acm"
	acmapi "storefront/lab/api/acm"
	appscalingapi "storefront/lab/api/applicationautoscaling"
	autoscalingapi "storefront/lab/api/autoscaling"
	backupapi "storefront/lab/api/backup"
	trailapi "storefront/lab/api/cloudtrail"
	cloudwatchapi "storefront/lab/api/cloudwatch"
	ec2api "storefront/lab/api/ec2"
	cacheapi "storefront/lab/api/elasticache"
	esapi "storefront/lab/api/elasticsearch"
	elbv2api "storefront/lab/api/elbv2"
	fmsapi "storefront/lab/api/fms"
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
	stsapi "storefront/lab/api/sts"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/applicationautoscaling"
	"storefront/lab/authority"
	"storefront/lab/authorization"
	"storefront/lab/autoscaling"
	"storefront/lab/backup"
	"storefront/lab/cloudtrail"
	"storefront/lab/cloudwatch"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/elasticache"
	"storefront/lab/elasticsearch"
	"storefront/lab/elbv2"
	"storefront/lab/fms"
	"storefront/lab/iam"
	"storefront/lab/imds"
	"storefront/lab/instance"
	"storefront/lab/kms"
	"storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/network"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/redis"
	"storefront/lab/region"
	"storefront/lab/s3"
	"storefront/lab/secretsmanager"
	"storefront/lab/sns"
	"storefront/lab/sqs"
	"storefront/lab/ssm"
	"storefront/lab/state"
	"storefront/lab/sts"
	"storefront/lab/wafv2"
	"storefront/lab/wire"
)

// pace is the least time of calls with long answers: below it AWS SDK for Go v2 may cut the connection. See wire.Options.
const pace = 10 * time.Millisecond

// privateDomain is the domain of private host names in us-east-1.
const privateDomain = "ec2.internal"

// lab is the region: what it keeps, the services that declare, and the data plane that makes it true.
type lab struct {
	id       string // drawn when the region began
	endpoint string
	started  time.Time
	region   region.Region
	log      *slog.Logger

	store     *state.Store
	authority *authority.Authority
	net       *network.Network
	engine    *postgres.Engine
	redis     *redis.Engine
	wire      *wire.Server
	metrics   *metrics.Store
	access    *authorization.Authorizer
	calls     disturbances // that faults make

	iam     *iam.Service
	sts     *sts.Service
	kms     *kms.Service
	secrets *secretsmanager.Service
	ssm     *ssm.Service
	logs    *logs.Service
	s3      *s3.Service
	ec2     *ec2.Service
	elb     *elbv2.Service
	rds     *rds.Service
	cache   *elasticache.Service
	search  *elasticsearch.Service
	scaling *autoscaling.Service
	sqs     *sqs.Service
	sns     *sns.Service
	watch   *cloudwatch.Service
	backup  *backup.Service
	trail   *cloudtrail.Service
	waf     *wafv2.Service
	guard   *fms.Service
	acm     *acm.Service
	readers *applicationautoscaling.Service

	endpoints dataplane.Endpoints
	spot      *dataplane.Spot
	instances *dataplane.Instances
	databases *dataplane.Databases
	caches    *dataplane.Caches
	balancers *dataplane.Balancers
	domains   *dataplane.Domains
	walls     *dataplane.Firewalls
}

// open brings a region up from what it keeps in dir. The data plane starts with run.
func open(dir, address string, log *slog.Logger) (_ *lab, err error) {
	l := &lab{endpoint: "http://" + address, started: time.Now(), region: region.Default(), log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close(log))
		}
	}()
	if err := instance.Sweep(instancesDir(dir)); err != nil {
		return nil, err
	}
	if l.store, err = state.Open(filepath.Join(dir, "state.db")); err != nil {
		return nil, err
	}
	if l.authority, err = authority.Open(dir); err != nil {
		return nil, err
	}
	if l.net, err = network.Open(dir, log); err != nil {
		return nil, err
	}
	if l.engine, err = postgres.Open(postgres.Config{Dir: databasesDir(dir), Starter: l.net, Issuer: l.authority, Log: log}); err != nil {
		return nil, err
	}
	if l.redis, err = redis.Open(redis.Config{Dir: cachesDir(dir), Network: l.net, Issuer: l.authority, Log: log}); err != nil {
		return nil, err
	}
	if err := l.openServices(dir); err != nil {
		return nil, err
	}
	if err := bootstrap(l.store, l.iam, dir); err != nil {
		return nil, err
	}
	if err := l.identify(); err != nil {
		return nil, err
	}
	return l, l.openDataPlane(dir)
}

// endpointNames are the services that answer inside the region's network, named as their endpoints are.
func endpointNames() []string {
	return []string{"sts", "iam", "ec2", "elasticloadbalancing", "autoscaling", "rds", "s3", "kms", "secretsmanager", "ssm", "logs", "sqs", "sns", "monitoring", "es", "elasticache", "cloudtrail", "wafv2", "fms", "backup", "acm", "application-autoscaling"}
}

func (l *lab) openServices(dir string) (err error) {
	now, r := time.Now, l.region
	l.endpoints = dataplane.NewEndpoints(r, endpointNames())
	l.metrics = metrics.New(now, cloudwatch.Retention)
	l.iam = iam.New(l.store, r, now)
	l.sts = sts.New(l.store, r, l.iam, now)
	l.kms = kms.New(l.store, r, now)
	l.kms.Principals = l.iam.Exists
	l.secrets = secretsmanager.New(l.store, r, l.kms, now)
	l.ssm = ssm.New(l.store, r, l.kms, now)
	l.logs = logs.New(logs.Config{Store: l.store, Region: r, Now: now, Log: l.log, Publish: func(ctx context.Context, in *cloudwatchapi.PutMetricDataInput) error {
		_, err := l.watch.PutMetricData(ctx, in)
		return err
	}})
	if l.s3, err = s3.New(s3.Options{Store: l.store, Dir: objectsDir(dir), Region: r, Keys: s3.KMS(l.kms), Clock: now, Permits: l.permits, Log: l.log}); err != nil {
		return err
	}
	l.ec2 = ec2.New(ec2.Config{Store: l.store, Region: r, Now: now, Profile: l.profile, VolumeKey: l.volumeKey, Endpoints: l.endpoints.Services()})
	l.acm = acm.New(acm.Config{Store: l.store, Region: r, Now: now, Keys: l.kms, Users: func(tx *state.Tx, arn string) []string { return l.elb.CertificateUsers(tx, arn) }})
	l.elb = elbv2.New(elbv2.Config{Store: l.store, Region: r, Now: now, VPCs: l.ec2, Certificate: l.acm.Certificate, Health: l.health, PutLog: l.putLog})
	l.rds = rds.New(rds.Config{Store: l.store, Region: r, Now: now, Engine: l.engine, Network: l.ec2, Secrets: l.secrets, Keys: l.kms})
	l.backup = backup.New(backup.Config{Store: l.store, Region: r, Now: now, Databases: l.rds, Permits: l.permits, Log: l.log})
	l.cache = elasticache.New(elasticache.Config{Store: l.store, Region: r, Now: now, Engine: l.redis, Network: l.ec2, Keys: l.kms})
	l.search = elasticsearch.New(elasticsearch.Config{Store: l.store, Region: r, Now: now, Network: l.ec2, Roles: l.iam, Keys: l.kms, Logs: l.logs})
	if l.sqs, err = sqs.New(sqs.Config{Store: l.store, Region: r, Endpoint: func() string { return l.endpoint }, Now: now, Keys: l.kms, KeyAdmits: l.keyAdmits, Observe: dataplane.ObserveQueues(l.metrics)}); err != nil {
		return err
	}
	l.sns = sns.New(sns.Config{Store: l.store, Region: r, Now: now, Queues: l.sqs, Keys: l.kms, KeyAdmits: l.keyAdmits, Log: l.log})
	l.spot = &dataplane.Spot{Store: l.store, EC2: l.ec2, Now: now, Log: l.log}
	l.scaling = autoscaling.New(autoscaling.Config{Store: l.store, Region: r, Now: now, EC2: l.ec2, LoadBalancing: l.elb, IAM: l.iam, Metrics: l.metrics, Spot: l.spotSignals, Log: l.log})
	l.readers = applicationautoscaling.New(applicationautoscaling.Config{Store: l.store, Region: r, Now: now, Databases: l.rds, IAM: l.iam, Metrics: l.metrics, Log: l.log})
	if l.watch, err = cloudwatch.New(cloudwatch.Config{Store: l.store, Region: r, Now: now, Metrics: l.metrics, Log: l.log, Notify: l.notify, Scale: l.scaling.ExecuteForAlarm}); err != nil {
		return err
	}
	if l.trail, err = cloudtrail.New(cloudtrail.Config{Store: l.store, Region: r, Now: now, Log: l.log, Dir: auditDir(dir), Buckets: l.s3, Keys: l.kms, Logs: l.logs, Roles: l.iam, Publish: l.announce}); err != nil {
		return err
	}
	l.openFirewall()
	l.access = authorization.New(authorization.Config{Store: l.store, Region: r, Identities: l.iam, Sessions: l.sts, Resources: permissions{lab: l, parsed: new(access.Cache)}, Now: now})
	l.kms.Administers = l.access.Administers
	l.wire = wire.NewServer(wire.Options{
		Services:    l.services(),
		Credentials: keyring{store: l.store, users: l.iam, sessions: l.sts}, Region: r.Name, Logger: l.log, Pace: pace, Authorize: l.access.Authorize, Record: l.trail.Record, Disturb: l.calls.disturb,
	})
	return nil
}

// services binds every service of api.Models to what answers it.
func (l *lab) services() []*wire.Service {
	return []*wire.Service{
		stsapi.New(l.sts), iamapi.New(l.iam), ec2api.New(l.ec2), elbv2api.New(l.elb), autoscalingapi.New(l.scaling), rdsapi.New(l.rds), backupapi.New(l.backup), cacheapi.New(l.cache), s3api.New(l.s3),
		kmsapi.New(l.kms), secretsapi.New(l.secrets), ssmapi.New(l.ssm), logsapi.New(l.logs), sqsapi.New(l.sqs), osapi.New(l.search), esapi.New(l.search.Legacy()), snsapi.New(l.sns),
		cloudwatchapi.New(l.watch), trailapi.New(l.trail), wafapi.New(l.waf), fmsapi.New(l.guard), acmapi.New(l.acm), appscalingapi.New(l.readers),
	}
}

func (l *lab) openDataPlane(dir string) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the lab's own program: %w", err)
	}
	l.balancers = &dataplane.Balancers{ELB: l.elb, Net: l.net, Log: l.log, Metrics: &dataplane.Traffic{Metrics: l.metrics}, Firewall: l.walls.Of}
	l.databases = &dataplane.Databases{Store: l.store, RDS: l.rds, Engine: l.engine, Log: l.log, Metrics: l.metrics}
	l.caches = &dataplane.Caches{Store: l.store, Cache: l.cache, Engine: l.redis, Log: l.log}
	l.domains = &dataplane.Domains{Store: l.store, Search: l.search, Net: l.net, Authority: l.authority, Authenticate: l.wire.Authenticate,
		Judge: l.access.Judge, Metrics: l.metrics, Account: l.region.Account, Dir: domainsDir(dir), Replacement: dataplane.DefaultReplacement, Log: l.log}
	metadata := &dataplane.Metadata{Store: l.store, Region: l.region, EC2: l.ec2, IAM: l.iam, STS: l.sts, Domain: privateDomain, Now: time.Now, Notice: l.spot.Notice, Lifecycle: autoscaling.LifecycleState}
	l.instances = &dataplane.Instances{Store: l.store, EC2: l.ec2, Net: l.net, Runtime: instance.Runtime{Executable: executable}, Metadata: metadata, Dir: instancesDir(dir),
		CA: l.authority.CertificatePEM(), Domain: privateDomain, Now: time.Now, Log: l.log}
	return nil
}

// run starts the data plane; its tasks end with ctx.
func (l *lab) run(ctx context.Context, tasks *errgroup.Group) {
	names := &dataplane.Names{Store: l.store, Region: l.region, EC2: l.ec2, Endpoints: l.endpoints, Domain: privateDomain, Balancer: l.elb.Addresses, Database: l.rds.Resolve, Cache: l.cache.Resolve, Search: l.domains.Resolve}
	network := &dataplane.Network{Store: l.store, EC2: l.ec2, Net: l.net, Names: names, Log: l.log}
	scaling := &dataplane.Scaling{Store: l.store, Groups: l.scaling, Metrics: l.metrics, Now: time.Now, Log: l.log, CPUTime: l.instances.CPUTime}
	measureCaches := &dataplane.CacheMeasure{Caches: l.caches, Metrics: l.metrics, Now: time.Now, Log: l.log}
	cacheLogs := &dataplane.CacheLogs{Caches: l.caches, Logs: l.logs, Log: l.log}
	measure := &dataplane.Measure{Metrics: l.metrics, Queues: l.sqs, Groups: l.scaling, ELB: l.elb, Health: l.health, Log: l.log}
	gate := &dataplane.Gate{Store: l.store, EC2: l.ec2, Net: l.net, Endpoints: l.endpoints, Handler: http.HandlerFunc(l.serve), Log: l.log,
		TLS: l.authority.TLSConfig(func(name string) bool { _, ok := l.endpoints.Service(name); return ok })}
	for _, task := range []func(context.Context) error{network.Run, gate.Run, l.instances.Run, l.databases.Run, l.caches.Run, l.domains.Run, l.balancers.Run, l.walls.Run, l.guard.Run, scaling.Run, l.spot.Run, l.readers.Run, l.sqs.Run, l.sns.Run, l.s3.Run, l.backup.Run, measure.Run, measureCaches.Run, cacheLogs.Run, l.watch.Run, l.trail.Run, l.housekeeping} {
		tasks.Go(func() error { return task(ctx) })
	}
}

// serve answers the AWS APIs, and the one document that AWS serves to everyone: the certificate of SNS's signatures.
func (l *lab) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/"+sns.CertificatePrefix) {
		l.sns.ServeHTTP(w, r)
		return
	}
	l.wire.ServeHTTP(w, r)
}

// housekeeping clears away what time has made worthless.
func (l *lab) housekeeping(ctx context.Context) error {
	for tick := time.NewTicker(10 * time.Minute); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
			if err := errors.Join(l.logs.Expire(), l.sts.Expire(), l.sns.Expire(), l.trail.Expire(), l.instances.ForgetConsoles()); err != nil {
				l.log.Error("clearing away", "error", err)
			}
		}
	}
}

// close ends the data plane, in the order in which its parts lean on each other, and closes the store.
func (l *lab) close(log *slog.Logger) error {
	var problems []error
	if l.instances != nil {
		problems = append(problems, l.instances.Close())
	}
	if l.net != nil {
		problems = append(problems, l.net.Close())
	}
	if l.store != nil {
		problems = append(problems, l.store.Close())
	}
	err := errors.Join(problems...)
	if err != nil {
		log.Error("stopping", "error", err)
	}
	return err
}

func (l *lab) profile(tx *state.Tx, nameOrARN string) (ec2.Profile, bool) {
	p, ok := l.iam.Profile(tx, nameOrARN)
	return ec2.Profile{ARN: p.ARN, ID: p.ID}, ok
}

// notify lets an alarm publish to a topic.
func (l *lab) notify(tx *state.Tx, n cloudwatch.Notification) error {
	return l.sns.PublishAs(tx, "cloudwatch.amazonaws.com", sns.Notification{Topic: n.Topic, Subject: n.Subject, Message: n.Message, Source: n.Alarm})
}

// announce lets a trail publish to a topic.
func (l *lab) announce(tx *state.Tx, topic, message, source string) error {
	return l.sns.PublishAs(tx, "cloudtrail.amazonaws.com", sns.Notification{Topic: topic, Message: message, Source: source})
}

func (l *lab) spotSignals(tx *state.Tx, id string) autoscaling.SpotSignals {
	action, rebalance := l.spot.Notice(tx, id)
	return autoscaling.SpotSignals{Rebalance: rebalance != nil, Interruption: action != nil}
}

var _ imds.Source = (*dataplane.Metadata)(nil)
