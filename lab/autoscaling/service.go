// Package autoscaling is the lab's Amazon EC2 Auto Scaling: groups of instances from launch templates, and what keeps them at their desired
// capacity.
//
// The API's operations only change what is wanted. Service.Reconcile makes it true: it launches and terminates instances through the EC2 API
// and registers them through the Elastic Load Balancing API, as the service-linked role does on AWS. Launch configurations, Classic Load
// Balancers, weighted capacity, attribute-based instance selection, standby, warm pools, notifications and predictive scaling are refused.
package autoscaling

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	elbapi "storefront/lab/api/elbv2"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// EC2 is what the service needs from Amazon EC2; the generated API is one.
type EC2 interface {
	RunInstances(context.Context, *ec2api.RunInstancesInput) (*ec2api.RunInstancesOutput, error)
	TerminateInstances(context.Context, *ec2api.TerminateInstancesInput) (*ec2api.TerminateInstancesOutput, error)
	DescribeInstances(context.Context, *ec2api.DescribeInstancesInput) (*ec2api.DescribeInstancesOutput, error)
	DescribeSubnets(context.Context, *ec2api.DescribeSubnetsInput) (*ec2api.DescribeSubnetsOutput, error)
	DescribeLaunchTemplateVersions(context.Context, *ec2api.DescribeLaunchTemplateVersionsInput) (*ec2api.DescribeLaunchTemplateVersionsOutput, error)
}

// LoadBalancing is what the service needs from Elastic Load Balancing v2; the generated API is one.
type LoadBalancing interface {
	DescribeTargetGroups(context.Context, *elbapi.DescribeTargetGroupsInput) (*elbapi.DescribeTargetGroupsOutput, error)
	DescribeTargetHealth(context.Context, *elbapi.DescribeTargetHealthInput) (*elbapi.DescribeTargetHealthOutput, error)
	RegisterTargets(context.Context, *elbapi.RegisterTargetsInput) (*elbapi.RegisterTargetsOutput, error)
	DeregisterTargets(context.Context, *elbapi.DeregisterTargetsInput) (*elbapi.DeregisterTargetsOutput, error)
}

// IAM is what the service needs from AWS Identity and Access Management.
type IAM interface {
	CreateServiceLinkedRole(context.Context, *iamapi.CreateServiceLinkedRoleInput) (*iamapi.CreateServiceLinkedRoleOutput, error)
}

// Config is what a Service is built from. All fields are required but Metrics, Spot and Log.
type Config struct {
	Store         *state.Store
	Region        region.Region
	Now           func() time.Time
	EC2           EC2
	LoadBalancing LoadBalancing
	IAM           IAM

	// Metrics is what target tracking reads; without it no policy scales.
	Metrics *metrics.Store

	// Spot tells which signals EC2 has sent a spot instance; nil sends none.
	Spot func(tx *state.Tx, instanceID string) SpotSignals

	Log *slog.Logger // nil: silent
}

// SpotSignals are the warnings before a spot instance is taken back, from "EC2 instance rebalance recommendations" and "Spot Instance
// interruption notices".
type SpotSignals struct {
	Rebalance    bool // at elevated risk
	Interruption bool // to be stopped in two minutes
}

// Service answers the Auto Scaling API, and keeps its groups at their desired capacity.
type Service struct {
	Config

	turns     sync.Mutex       // one turn at a time
	evaluated map[string]int64 // the minute in which a group's scaling policies were looked at last
}

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, evaluated: map[string]int64{}}
}

const principal = "autoscaling.amazonaws.com"

// asService marks calls to other services as those of Auto Scaling itself.
func (s *Service) asService(ctx context.Context) context.Context {
	return wire.WithCaller(ctx, wire.Identity{
		Account: s.Region.Account, Service: principal,
		ARN: "arn:" + region.Partition + ":sts::" + s.Region.Account + ":assumed-role/AWSServiceRoleForAutoScaling/AutoScaling",
	})
}

// now is the time as AWS shows it, in seconds.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// edit changes one group, which must not be on its way out.
func edit[O any](s *Service, name *string, f func(tx *state.Tx, g *group, out *O) error) (*O, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *O) error {
		g, err := liveGroup(tx, name)
		if err != nil {
			return err
		}
		if err := f(tx, &g, out); err != nil {
			return err
		}
		return groups.Put(tx, g.Name, g)
	})
}

// fault is an error of the client; Auto Scaling answers all of them with status 400.
func fault(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func invalid(format string, args ...any) error { return fault("ValidationError", format, args...) }

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error { return invalid("%s is not supported in this region.", what) }

// page cuts one page out of a list. The token is the index at which the page starts.
func page[T any](all []T, token *string, size *int64, most int) (items []T, next *string, err error) {
	start := 0
	if token != nil {
		if start, err = strconv.Atoi(*token); err != nil || start < 0 || start > len(all) {
			return nil, nil, fault("InvalidNextToken", "The token '%s' is invalid.", *token)
		}
	}
	limit := int(wire.Or(size, int64(most)))
	if limit < 1 || limit > most {
		return nil, nil, invalid("The value %d of MaxRecords must be between 1 and %d", limit, most)
	}
	end := min(len(all), start+limit)
	if end < len(all) {
		next = new(strconv.Itoa(end))
	}
	return all[start:end], next, nil
}

// groupName is the name of a group that is given by name or ARN.
func groupName(ref string) string {
	if _, name, ok := strings.Cut(ref, ":autoScalingGroupName/"); ok && strings.HasPrefix(ref, "arn:") {
		return name
	}
	return ref
}

func findGroup(tx *state.Tx, ref *string) (group, error) {
	name := groupName(wire.Value(ref))
	g, ok, err := groups.Get(tx, name)
	if err == nil && !ok {
		err = invalid("AutoScalingGroup name not found - AutoScalingGroup '%s' not found", name)
	}
	return g, err
}

// liveGroup is findGroup for operations that change a group.
func liveGroup(tx *state.Tx, ref *string) (group, error) {
	g, err := findGroup(tx, ref)
	if err == nil && g.Deleting {
		err = invalid("AutoScalingGroup name not found - AutoScalingGroup '%s' is pending delete", g.Name)
	}
	return g, err
}
