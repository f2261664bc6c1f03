package applicationautoscaling_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	api "storefront/lab/api/applicationautoscaling"
	iamapi "storefront/lab/api/iam"
	rdsapi "storefront/lab/api/rds"
	scaling "storefront/lab/applicationautoscaling"
	"storefront/lab/metrics"
	"storefront/lab/rds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

const shop = "cluster:shop"

// harness is Application Auto Scaling behind a wire server, on a clock of the test, over one cluster that it can be told everything about.
type harness struct {
	*sdk.Client
	t       *testing.T
	now     time.Time
	service *scaling.Service
	metrics *metrics.Store
	roles   []string

	readers []string // of the cluster shop
	busy    bool     // a reader is not available
	refusal error    // of RDS
}

func start(t *testing.T, readers ...string) *harness {
	h := &harness{t: t, now: time.Date(2026, 3, 1, 11, 58, 0, 0, time.UTC), readers: readers}
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	clock := func() time.Time { return h.now }
	h.metrics = metrics.New(clock, time.Hour)
	h.now = h.now.Add(2 * time.Minute) // of minutes before its first whole one the store knows nothing
	h.service = scaling.New(scaling.Config{Store: store, Region: region.Default(), Now: clock, Databases: h, IAM: h, Metrics: h.metrics, Log: slog.New(slog.DiscardHandler)})
	h.Client = sdk.NewFromConfig(wiretest.New(t, api.New(h.service)).Config())
	return h
}

// Readers implements applicationautoscaling.Databases.
func (h *harness) Readers(_ *state.Tx, cluster string) (rds.Readers, bool, error) {
	return rds.Readers{IDs: slices.Clone(h.readers), Class: "db.r6g.large", Ready: !h.busy}, cluster == "shop", nil
}

// CreateDBInstance implements applicationautoscaling.Databases: the new reader is not available at once.
func (h *harness) CreateDBInstance(ctx context.Context, in *rdsapi.CreateDBInstanceInput) (*rdsapi.CreateDBInstanceOutput, error) {
	if h.refusal != nil {
		return nil, h.refusal
	}
	if *in.DBClusterIdentifier != "shop" || *in.DBInstanceClass != "db.r6g.large" || wire.Caller(ctx).Service != "rds.application-autoscaling.amazonaws.com" || slices.Contains(h.readers, *in.DBInstanceIdentifier) {
		h.t.Errorf("asked for %+v", in)
	}
	h.readers, h.busy = append(h.readers, *in.DBInstanceIdentifier), true
	return &rdsapi.CreateDBInstanceOutput{}, nil
}

// DeleteDBInstance implements applicationautoscaling.Databases.
func (h *harness) DeleteDBInstance(_ context.Context, in *rdsapi.DeleteDBInstanceInput) (*rdsapi.DeleteDBInstanceOutput, error) {
	h.readers, h.busy = slices.DeleteFunc(h.readers, func(id string) bool { return id == *in.DBInstanceIdentifier }), true
	return &rdsapi.DeleteDBInstanceOutput{}, nil
}

// CreateServiceLinkedRole implements applicationautoscaling.IAM.
func (h *harness) CreateServiceLinkedRole(_ context.Context, in *iamapi.CreateServiceLinkedRoleInput) (*iamapi.CreateServiceLinkedRoleOutput, error) {
	if slices.Contains(h.roles, *in.AWSServiceName) {
		return nil, wire.Errorf(400, "InvalidInput", "it is there")
	}
	h.roles = append(h.roles, *in.AWSServiceName)
	return &iamapi.CreateServiceLinkedRoleOutput{}, nil
}

// reconcile takes the service one step further.
func (h *harness) reconcile() {
	h.t.Helper()
	if err := h.service.Reconcile(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// settle reconciles until nothing changes; what is asked of RDS comes true at once.
func (h *harness) settle() {
	h.t.Helper()
	for range 10 {
		before := len(h.readers)
		h.reconcile()
		if h.busy = false; len(h.readers) == before {
			h.reconcile()
			return
		}
	}
	h.t.Fatal("it does not settle")
}

// minutes lets minutes pass in which the readers have a CPU use, and scales after each.
func (h *harness) minutes(n int, cpu float64) {
	h.t.Helper()
	for range n {
		h.metrics.Add(metrics.Name{Namespace: "AWS/RDS", Metric: "CPUUtilization", Unit: "Percent", Dimensions: metrics.By("DBClusterIdentifier", "shop", "Role", "READER")}, cpu)
		h.now = h.now.Add(time.Minute)
		h.settle()
	}
}

func (h *harness) made() (n int) {
	for _, id := range h.readers {
		if strings.HasPrefix(id, "application-autoscaling-") {
			n++
		}
	}
	return n
}

func (h *harness) register(low, high int32) {
	h.t.Helper()
	wiretest.Must(h.RegisterScalableTarget(h.t.Context(), registration(low, high)))
}

func registration(low, high int32) *sdk.RegisterScalableTargetInput {
	return &sdk.RegisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceRds, ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount, ResourceId: new(shop), MinCapacity: &low, MaxCapacity: &high}
}

// track puts a policy that holds the readers' CPU use at 60 percent.
func (h *harness) track(edit func(*types.TargetTrackingScalingPolicyConfiguration)) *sdk.PutScalingPolicyOutput {
	h.t.Helper()
	c := &types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(60.0), PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeRDSReaderAverageCPUUtilization}}
	if edit != nil {
		edit(c)
	}
	return wiretest.Must(h.PutScalingPolicy(h.t.Context(), tracking(c)))
}

func tracking(c *types.TargetTrackingScalingPolicyConfiguration) *sdk.PutScalingPolicyInput {
	return &sdk.PutScalingPolicyInput{PolicyName: new("cpu"), PolicyType: types.PolicyTypeTargetTrackingScaling, ServiceNamespace: types.ServiceNamespaceRds, ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount,
		ResourceId: new(shop), TargetTrackingScalingPolicyConfiguration: c}
}

func (h *harness) activities() []types.ScalingActivity {
	h.t.Helper()
	return wiretest.Must(h.DescribeScalingActivities(h.t.Context(), &sdk.DescribeScalingActivitiesInput{ServiceNamespace: types.ServiceNamespaceRds, ResourceId: new(shop)})).ScalingActivities
}

var errQuota = wire.Errorf(400, "InstanceQuotaExceeded", "Too many instances.")
