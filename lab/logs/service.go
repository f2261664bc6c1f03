// Package logs is the lab's Amazon CloudWatch Logs: groups, streams and events, with retention that is really applied, and metric filters, which publish to CloudWatch what
// they find in events as these arrive.
//
// Subscription filters and Logs Insights are not served.
package logs

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"storefront/lab/api/cloudwatch"
	api "storefront/lab/api/logs"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Config is what a Service is made of. Store, Region and Now are required.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time

	// Publish gives CloudWatch what metric filters found; nil refuses metric filters. Its errors go to Log, nil is the default logger: events are stored all the same.
	Publish func(context.Context, *cloudwatch.PutMetricDataInput) error
	Log     *slog.Logger
}

// Service implements the CloudWatch Logs API.
type Service struct {
	store   *state.Store
	region  region.Region
	now     func() time.Time
	publish func(context.Context, *cloudwatch.PutMetricDataInput) error
	log     *slog.Logger
}

var _ api.API = (*Service)(nil)

// New returns the service on the store's state.
func New(c Config) *Service {
	return &Service{store: c.Store, region: c.Region, now: c.Now, publish: c.Publish, log: cmp.Or(c.Log, slog.Default())}
}

type group struct {
	Name, Class, KMSKeyID string
	Retention             int64 // days; 0 keeps events for ever
	Created               int64 // milliseconds since 1970, as everywhere in this service
	Tags                  map[string]string
}

type stream struct {
	Name                                        string
	Created, First, Last, Ingested, Bytes, Next int64
}

type event struct {
	Time, Ingested int64
	Message        string
}

var (
	groups   = state.NewTable[group]("logs.group")
	streams  = state.NewTable[stream]("logs.stream") // by "<group>\x00<stream>"
	events   = state.NewTable[event]("logs.event")   // by "<group>\x00<stream>\x00<time>\x00<number>"
	filters  = state.NewTable[filter]("logs.filter") // by "<group>\x00<filter>"
	policies = state.NewTable[policy]("logs.policy")
)

type policy struct {
	Document string
	Updated  int64
}

var validName = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

func notFound(what string) error {
	return wire.Errorf(400, "ResourceNotFoundException", "The specified %s does not exist.", what)
}

func exists(what string) error {
	return wire.Errorf(400, "ResourceAlreadyExistsException", "The specified %s already exists", what)
}

func invalid(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameterException", format, args...)
}

func (s *Service) millis() int64 { return s.now().UnixMilli() }

// find resolves a log group's name or ARN, whichever the request has.
func (s *Service) find(tx *state.Tx, name, identifier *string) (group, error) {
	id := cmp.Or(wire.Value(name), wire.Value(identifier))
	id = strings.TrimSuffix(strings.TrimPrefix(id, s.region.ARN("logs", "log-group:")), ":*")
	g, ok, err := groups.Get(tx, id)
	if err == nil && !ok {
		err = notFound("log group")
	}
	return g, err
}

func (s *Service) change(name, identifier *string, edit func(*group) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, name, identifier)
		if err != nil {
			return err
		}
		if err := edit(&g); err != nil {
			return err
		}
		return groups.Put(tx, g.Name, g)
	})
}

func (s *Service) arn(group string) string { return s.region.ARN("logs", "log-group:"+group) }
