// Package cloudwatch is the lab's Amazon CloudWatch: metrics, alarms on metrics and on metric math, composite alarms, and dashboards.
//
// What customers publish is in the store before it is acknowledged, and is kept for three hours; what the lab measures itself is in memory only. Alarms
// are evaluated by Run. Their actions are SNS topics and policies of Auto Scaling groups. Metrics Insights, anomaly detection, metric streams, suppressors
// of composite alarms, trimmed statistics, and actions of other kinds are refused.
package cloudwatch

import (
	"log/slog"
	"sync"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
)

// Retention is how long data is kept; a metrics.Store of the service should keep as much.
const Retention = 3 * time.Hour

// Notification is what an alarm tells an SNS topic.
type Notification struct{ Topic, Subject, Message, Alarm string }

// Config is what the service needs.
type Config struct {
	Store   *state.Store
	Region  region.Region
	Now     func() time.Time
	Metrics *metrics.Store // what alarms and customers read; what customers publish is added to it
	Log     *slog.Logger

	// Notify publishes in the transaction that changes the alarm's state, and Scale executes the policy of an Auto Scaling group in it. Their errors
	// are noted in the alarm's history; the alarm goes on.
	Notify func(*state.Tx, Notification) error
	Scale  func(tx *state.Tx, policyARN, alarm string, value, threshold float64) error
}

// Service implements the CloudWatch API. It is safe for concurrent use.
type Service struct {
	Config

	mu        sync.Mutex
	evaluated map[string]time.Time // the end of the last period that was evaluated, by alarm
}

var _ api.API = (*Service)(nil)

var (
	published  = state.NewTable[publication]("cloudwatch.data")    // by number
	alarms     = state.NewTable[alarm]("cloudwatch.alarm")         // by name
	histories  = state.NewTable[history]("cloudwatch.history")     // by number
	dashboards = state.NewTable[dashboard]("cloudwatch.dashboard") // by name
)

// New returns the service, and gives c.Metrics what the store still holds of published data.
func New(c Config) (*Service, error) {
	s := &Service{Config: c, evaluated: map[string]time.Time{}}
	return s, s.load()
}

// now is the time in UTC, with the milliseconds that CloudWatch keeps.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
