package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// course answers with one state of an instance refresh after the other, the last one for ever.
type course []types.InstanceRefresh

func (c *course) DescribeInstanceRefreshes(_ context.Context, in *autoscaling.DescribeInstanceRefreshesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	if *in.AutoScalingGroupName != "shop" || *in.MaxRecords != 1 {
		return nil, errors.New("another question")
	}
	if len(*c) == 0 {
		return &autoscaling.DescribeInstanceRefreshesOutput{}, nil
	}
	now := (*c)[0]
	if len(*c) > 1 {
		*c = (*c)[1:]
	}
	return &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: []types.InstanceRefresh{now}}, nil
}

func TestFollowRefresh(t *testing.T) {
	ended := aws.Time(time.Now())
	under := func(percent int32) types.InstanceRefresh {
		return types.InstanceRefresh{Status: types.InstanceRefreshStatusInProgress, PercentageComplete: &percent}
	}
	back := &types.RollbackDetails{RollbackReason: aws.String("Too many failed.")}
	for name, tt := range map[string]struct {
		course     course
		want       string // in the error
		said, asks int
	}{
		"none yet":   {course{}, "", 0, 0},
		"successful": {course{{Status: types.InstanceRefreshStatusPending}, under(0), under(50), under(50), {Status: types.InstanceRefreshStatusSuccessful, EndTime: ended}}, "", 2, 4},
		"rolled back": {course{under(0), {Status: types.InstanceRefreshStatusRollbackInProgress, RollbackDetails: back}, {Status: types.InstanceRefreshStatusRollbackSuccessful, RollbackDetails: back, EndTime: ended}},
			"shop was rolled back and its servers run the former version: Too many failed. ", 2, 2},
		"cancelled": {course{{Status: types.InstanceRefreshStatusCancelled, StatusReason: aws.String("By a user."), EndTime: ended}}, "ended Cancelled, and its servers may run different versions: By a user. ", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				begin := time.Now()
				err := followRefresh(t.Context(), &tt.course, "shop", time.Second, &out)
				if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, errRefused) || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if said := strings.Count(out.String(), "\n"); said != tt.said || time.Since(begin) != time.Duration(tt.asks)*time.Second {
					t.Errorf("said in %s:\n%s", time.Since(begin), out.String())
				}
			})
		})
	}
}

func TestFollowRefreshEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	under := course{{Status: types.InstanceRefreshStatusInProgress}}
	if err := followRefresh(ctx, &under, "shop", time.Hour, &strings.Builder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
