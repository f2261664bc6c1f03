package elbv2

import (
	"context"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeAccountLimits tells the limits that the service holds clients to.
func (s *Service) DescribeAccountLimits(_ context.Context, in *api.DescribeAccountLimitsInput) (*api.DescribeAccountLimitsOutput, error) {
	limits := []api.Limit{
		{Name: new("targets-per-application-load-balancer"), Max: new("1000")},
		{Name: new("rules-per-application-load-balancer"), Max: new("100")},
		{Name: new("condition-values-per-alb-rule"), Max: new("5")},
		{Name: new("target-groups-per-action-on-application-load-balancer"), Max: new("5")},
		{Name: new("certificates-per-application-load-balancer"), Max: new("25")},
	}
	page, next, err := paged(limits, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAccountLimitsOutput{Limits: page, NextMarker: next}, nil
}

// DescribeCapacityReservation tells that no capacity is reserved, as none can be.
func (s *Service) DescribeCapacityReservation(_ context.Context, in *api.DescribeCapacityReservationInput) (*api.DescribeCapacityReservationOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCapacityReservationOutput) error {
		_, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		out.DecreaseRequestsRemaining = new(int64(2))
		return err
	})
}

// ModifyCapacityReservation refuses to reserve capacity; a reset is a no-op.
func (s *Service) ModifyCapacityReservation(_ context.Context, in *api.ModifyCapacityReservationInput) (*api.ModifyCapacityReservationOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ModifyCapacityReservationOutput) error {
		if _, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn)); err != nil {
			return err
		}
		if in.MinimumLoadBalancerCapacity != nil {
			return unsupported("A capacity reservation")
		}
		out.DecreaseRequestsRemaining = new(int64(2))
		return nil
	})
}
