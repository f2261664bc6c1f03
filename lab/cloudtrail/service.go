// Package cloudtrail is AWS CloudTrail in the lab: every call on the wire becomes an event in CloudTrail's format, of which the history tells, and which trails
// deliver to their buckets, log groups and topics, with digests that are chained and signed.
//
// Not recorded: calls that the services of the lab make for each other in process, and requests whose signature is wrong. Not served: organization trails, event
// data stores and Lake queries, channels, imports, network activity events and trails of other regions.
package cloudtrail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	api "storefront/lab/api/cloudtrail"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	s3api "storefront/lab/api/s3"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Retention is how long the event history goes back.
const Retention = 90 * 24 * time.Hour

// Buckets is what trails need of Amazon S3. s3.Service implements it.
type Buckets interface {
	GetBucketPolicy(context.Context, *s3api.GetBucketPolicyInput) (*s3api.GetBucketPolicyOutput, error)
	HeadBucket(context.Context, *s3api.HeadBucketInput) (*s3api.HeadBucketOutput, error)
	PutObject(context.Context, *s3api.PutObjectInput) (*s3api.PutObjectOutput, error)
}

// Keys is what trails need of AWS KMS. kms.Service implements it.
type Keys interface {
	DescribeKey(context.Context, *kmsapi.DescribeKeyInput) (*kmsapi.DescribeKeyOutput, error)
	GetKeyPolicy(context.Context, *kmsapi.GetKeyPolicyInput) (*kmsapi.GetKeyPolicyOutput, error)
}

// Logs is what trails need of CloudWatch Logs. logs.Service implements it.
type Logs interface {
	DescribeLogGroups(context.Context, *logsapi.DescribeLogGroupsInput) (*logsapi.DescribeLogGroupsOutput, error)
	CreateLogStream(context.Context, *logsapi.CreateLogStreamInput) (*logsapi.CreateLogStreamOutput, error)
	PutLogEvents(context.Context, *logsapi.PutLogEventsInput) (*logsapi.PutLogEventsOutput, error)
}

// Roles is what trails need of IAM. iam.Service implements it.
type Roles interface {
	GetRole(context.Context, *iamapi.GetRoleInput) (*iamapi.GetRoleOutput, error)
	ListRolePolicies(context.Context, *iamapi.ListRolePoliciesInput) (*iamapi.ListRolePoliciesOutput, error)
	GetRolePolicy(context.Context, *iamapi.GetRolePolicyInput) (*iamapi.GetRolePolicyOutput, error)
	ListAttachedRolePolicies(context.Context, *iamapi.ListAttachedRolePoliciesInput) (*iamapi.ListAttachedRolePoliciesOutput, error)
	GetPolicy(context.Context, *iamapi.GetPolicyInput) (*iamapi.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iamapi.GetPolicyVersionInput) (*iamapi.GetPolicyVersionOutput, error)
}

// Config is what a Service is made of.
type Config struct {
	Store   *state.Store
	Region  region.Region
	Now     func() time.Time
	Log     *slog.Logger
	Dir     string // of the events; made when it does not exist
	Buckets Buckets
	Keys    Keys
	Logs    Logs
	Roles   Roles
	// Publish notifies a topic, by its ARN, for the trail source when the transaction is committed. Its error is that of a topic that is not there, or does not let
	// CloudTrail publish.
	Publish func(tx *state.Tx, topic, message, source string) error
}

// Service implements api.API.
type Service struct {
	Config
	spool *spool
	data  atomic.Pointer[[]matcher] // of the trails that log data events
	tasks sync.Mutex                // held while events are delivered
}

var _ api.API = (*Service)(nil)

// New opens the service with the events that are in its directory.
func New(c Config) (*Service, error) {
	spool, err := openSpool(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Service{Config: c, spool: spool}
	s.data.Store(&[]matcher{})
	return s, s.choose()
}

// principal is the service principal that CloudTrail acts as.
const principal = "cloudtrail.amazonaws.com"

// self is the context of calls that CloudTrail makes.
func (s *Service) self(ctx context.Context) context.Context {
	return wire.WithCaller(ctx, wire.Identity{Account: s.Region.Account, Service: principal})
}

// flushEvery is how long events are in memory before they are on disk: kill -9 loses no more than those of this time.
const flushEvery = 250 * time.Millisecond

// Run writes events to disk and delivers them, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	flush, deliver := time.NewTicker(flushEvery), time.NewTicker(deliverEvery)
	defer flush.Stop()
	defer deliver.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return s.spool.flush(s.Now())
		case <-flush.C:
			err = s.spool.flush(s.Now())
		case <-deliver.C:
			err = s.Deliver(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("audit events", "error", err)
		}
	}
}

// Expire deletes the events that the history no longer reaches back to. The daemon calls it now and then.
func (s *Service) Expire() error { return s.spool.expire(s.Now().Add(-Retention)) }

func (s *Service) roleARN(name string) string {
	out, err := s.Roles.GetRole(context.Background(), &iamapi.GetRoleInput{RoleName: &name})
	if err != nil {
		return s.Region.GlobalARN("iam", "role/"+name) // it is gone already
	}
	return wire.Value(out.Role.Arn)
}

func refuse(code, format string, args ...any) error {
	return wire.Errorf(400, code, format, args...)
}

// isCode tells whether err is an error of AWS of that code.
func isCode(err error, code string) bool { return errors.Is(err, &wire.Error{Code: code}) }
