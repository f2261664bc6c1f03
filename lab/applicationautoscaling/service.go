// Package applicationautoscaling is the lab's Application Auto Scaling, for the readers of Aurora clusters: rds:cluster:ReadReplicaCount.
//
// The API's operations only change what is wanted. Service.Reconcile makes it true through the RDS API: it adds readers, named application-autoscaling-<UUID>, and takes away
// those alone that it added ("Amazon Aurora Auto Scaling with Aurora Replicas"). As in lab/autoscaling, policies evaluate their own alarms, which are named but are none of
// CloudWatch's. Other namespaces, step scaling, metric math and recurring schedules are refused.
package applicationautoscaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	api "storefront/lab/api/applicationautoscaling"
	iamapi "storefront/lab/api/iam"
	rdsapi "storefront/lab/api/rds"
	"storefront/lab/metrics"
	"storefront/lab/rds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Databases is what the service needs from RDS; rds.Service is one.
type Databases interface {
	Readers(tx *state.Tx, cluster string) (r rds.Readers, ok bool, err error)
	CreateDBInstance(context.Context, *rdsapi.CreateDBInstanceInput) (*rdsapi.CreateDBInstanceOutput, error)
	DeleteDBInstance(context.Context, *rdsapi.DeleteDBInstanceInput) (*rdsapi.DeleteDBInstanceOutput, error)
}

// IAM is what the service needs from AWS Identity and Access Management.
type IAM interface {
	CreateServiceLinkedRole(context.Context, *iamapi.CreateServiceLinkedRoleInput) (*iamapi.CreateServiceLinkedRoleOutput, error)
}

// Config is what a Service is built from. All fields are required.
type Config struct {
	Store     *state.Store
	Region    region.Region
	Now       func() time.Time
	Databases Databases
	IAM       IAM
	Metrics   *metrics.Store // what policies decide on
	Log       *slog.Logger
}

// Service answers the Application Auto Scaling API, and keeps its targets within their bounds and on their policies' targets.
type Service struct {
	Config

	turns     sync.Mutex       // one turn at a time
	evaluated map[string]int64 // the minute in which a target's policies were looked at last
}

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{Config: c, evaluated: map[string]int64{}} }

const (
	namespace = api.ServiceNamespaceRds
	dimension = api.ScalableDimensionRdsClusterReadReplicaCount
	principal = "rds.application-autoscaling.amazonaws.com"
	roleName  = "AWSServiceRoleForApplicationAutoScaling_RDSCluster"

	mostReaders = 15 // of an Aurora cluster
)

// target is a scalable target.
type target struct {
	ARN       string
	Resource  string // "cluster:<identifier>"
	Min, Max  int64
	Role      string // ARN
	Created   time.Time
	Suspended api.SuspendedState
	Tags      map[string]string
	Made      []string // the readers that the service has added, in the order of their creation
}

func (t target) cluster() string { return strings.TrimPrefix(t.Resource, "cluster:") }

// policy is a scaling policy of a target.
type policy struct {
	ARN, ID string
	Input   api.PutScalingPolicyInput
	Created time.Time
	Out, In time.Time // when it last added or took away readers
}

// action is a scheduled action of a target.
type action struct {
	ARN     string
	Input   api.PutScheduledActionInput
	Created time.Time
	Due     time.Time
}

// activity is a change of a target's capacity.
type activity struct {
	ID, Resource       string
	Description, Cause string
	Status, Message    string
	Start, End         time.Time
	Capacity           int64
	Add, Remove        []string // readers
	Class              string   // of those that are added
}

var (
	targets    = state.NewTable[target]("applicationautoscaling.target")     // by resource
	policies   = state.NewTable[policy]("applicationautoscaling.policy")     // by resource + "|" + name, as actions
	actions    = state.NewTable[action]("applicationautoscaling.action")     //
	activities = state.NewTable[activity]("applicationautoscaling.activity") // by resource + "|" + number
)

func fault(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) error {
	return fault("ValidationException", format, args...)
}

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error { return invalid("%s is not supported in this region.", what) }

func notFound(format string, args ...any) error {
	return fault("ObjectNotFoundException", format, args...)
}

// check refuses what cannot be scaled here.
func check(service, scaled *string) error {
	switch {
	case *service != namespace:
		return unsupported("The service namespace " + *service)
	case scaled != nil && *scaled != dimension:
		return invalid("Unsupported service namespace, resource type or scalable dimension: %s, %s", *service, *scaled)
	}
	return nil
}

// find finds a target by what it scales.
func find(tx *state.Tx, service, resource, scaled *string) (target, error) {
	if err := check(service, scaled); err != nil {
		return target{}, err
	}
	t, ok, err := targets.Get(tx, *resource)
	if err == nil && !ok {
		err = notFound("No scalable target registered for service namespace: %s, resource ID: %s, scalable dimension: %s", *service, *resource, *scaled)
	}
	return t, err
}

// of lists what belongs to a resource, or of everything when there is none.
func of[T any](tx *state.Tx, table state.Table[T], resource string) (list []T) {
	prefix := ""
	if resource != "" {
		prefix = resource + "|"
	}
	for _, v := range table.WithPrefix(tx, prefix) {
		list = append(list, v)
	}
	return list
}

// page cuts one page out of a list. The token is the index at which the page starts.
func page[T any](all []T, token *string, size *int64) (items []T, next *string, err error) {
	start, err := strconv.Atoi(wire.Or(token, "0"))
	if err != nil || start < 0 || start > len(all) {
		return nil, nil, fault("InvalidNextTokenException", "The next token %q is not valid.", *token)
	}
	limit := wire.Or(size, 50)
	if limit < 1 || limit > 50 {
		return nil, nil, invalid("MaxResults must be between 1 and 50.")
	}
	end := min(len(all), start+int(limit))
	if end < len(all) {
		next = new(strconv.Itoa(end))
	}
	return append([]T{}, all[start:end]...), next, nil
}

// asService marks calls to other services as those of Application Auto Scaling itself.
func (s *Service) asService(ctx context.Context) context.Context {
	return wire.WithCaller(ctx, wire.Identity{Account: s.Region.Account, Service: principal,
		ARN: "arn:" + region.Partition + ":sts::" + s.Region.Account + ":assumed-role/" + roleName + "/autoscaling-RDSCluster"})
}

// serviceRole returns the service-linked role, which comes into being with the first target.
func (s *Service) serviceRole(ctx context.Context) (string, error) {
	_, err := s.IAM.CreateServiceLinkedRole(s.asService(ctx), &iamapi.CreateServiceLinkedRoleInput{AWSServiceName: new(principal)})
	if err != nil && !errors.Is(err, &wire.Error{Code: "InvalidInput"}) { // InvalidInput: it is there
		return "", fmt.Errorf("making the service-linked role: %w", err)
	}
	return s.Region.GlobalARN("iam", "role/aws-service-role/"+principal+"/"+roleName), nil
}
