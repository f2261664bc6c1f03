package autoscaling

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
)

// launch says what instances are launched from: one of the two.
type launch struct {
	Template *api.LaunchTemplateSpecification `json:",omitempty"`
	Mixed    *api.MixedInstancesPolicy        `json:",omitempty"`
}

// subnet is one place for instances.
type subnet struct{ ID, Zone string }

type groupTag struct {
	Value     string
	Propagate bool
}

// group is an Auto Scaling group.
type group struct {
	Name, ARN   string
	Created     time.Time
	Launch      launch
	Subnets     []subnet
	ServiceRole string

	Min, Max, Desired   int64
	Cooldown            int64  // seconds
	Warmup              *int64 // seconds; nil or -1 is none
	HealthCheck         string // "EC2", or "EC2,ELB" as the user wrote it
	Grace               int64  // seconds
	CapacityRebalance   bool
	ProtectNew          bool
	MaxLifetime         int64 // seconds; 0 is unlimited
	Maintenance         *api.InstanceMaintenancePolicy
	TerminationPolicies []string
	TargetGroups        []string // ARNs
	Tags                map[string]groupTag
	Suspended           map[string]string // reason by process
	Metrics             []string          // enabled

	Cause       string    // why Desired is what it is, for activities
	Settled     bool      // so many have been in service since Desired was changed: what is launched now replaces others
	LastScaling time.Time // end of the last change of capacity, where the cooldown starts
	Failures    int       // launches that failed in a row
	LaunchAfter time.Time // no launch before this, after a failure
	Deleting    bool
	Refreshes   int // instance refreshes so far
}

// member is an instance of a group, from the intent to launch it until it is gone. Its token names it, since the instance has no ID yet when
// the intent is recorded.
type member struct {
	Group, Token string
	ID           string // "" until EC2 has answered
	Subnet, Zone string
	Type         string // instance type; "" is the template's
	Spot         bool
	Template     *api.LaunchTemplateSpecification // as launched
	Launch       launch                           // the group's configuration at that time
	State        string                           // api.LifecycleState...
	Unhealthy    string                           // why, or ""
	Protected    bool
	Created      time.Time
	Refreshes    int       // of the group when it was launched: times are too coarse to tell what a refresh has launched
	InService    time.Time // when it came into service
	Registered   []string  // target groups that it is registered with
	Draining     []string  // target groups that it is leaving
	Activity     string    // the ID of the activity that runs
	Replace      string    // why it is to be replaced by a new instance first, or ""
	ReplaceFloor int64     // percentage of the desired capacity that stays in service meanwhile
	Hurry        bool      // terminate without draining and hooks
	Actions      map[string]action
	Hooked       bool // the hooks of the running transition have been started
}

// action is a lifecycle action that waits for an answer.
type action struct {
	Token    string
	Started  time.Time
	Deadline time.Time
	Result   string // "" until answered or timed out
}

func (m member) key() string { return m.Group + ":" + m.Token }

// hook is a lifecycle hook.
type hook struct {
	Group, Name, Transition string
	Result                  string // when nobody answers: "ABANDON" or "CONTINUE"
	Timeout                 int64  // seconds
	Metadata, Target, Role  string
}

// activity is a scaling activity.
type activity struct {
	ID, Group, GroupARN   string
	Description, Cause    string
	Details               string
	Status, StatusMessage string
	Start, End            time.Time
	Progress              int64
}

// policy is a scaling policy as PutScalingPolicy had it.
type policy struct {
	ARN, ID string
	Input   api.PutScalingPolicyInput
}

// refresh is an instance refresh.
type refresh struct {
	ID, Group    string
	Status       string // api.InstanceRefreshStatus...
	Reason       string
	Start, End   time.Time
	Preferences  api.RefreshPreferences
	Desired      *api.DesiredConfiguration
	Before       launch // for the rollback
	Total        int64  // instances to replace
	Left         int64
	Failures     int
	RollbackFrom *rollback
}

type rollback struct {
	Start   time.Time
	Reason  string
	Percent int64
	Left    int64
}

// scheduled is a scheduled action.
type scheduled struct {
	ARN  string
	Last time.Time // when it last ran
	api.ScheduledUpdateGroupAction
}

// All but groups have keys that begin with the name of their group and a colon, which no name contains.
var (
	groups     = state.NewTable[group]("autoscaling.group")
	members    = state.NewTable[member]("autoscaling.instance")
	hooks      = state.NewTable[hook]("autoscaling.hook")
	activities = state.NewTable[activity]("autoscaling.activity")
	policies   = state.NewTable[policy]("autoscaling.policy")
	refreshes  = state.NewTable[refresh]("autoscaling.refresh")
	schedules  = state.NewTable[scheduled]("autoscaling.scheduled")
)

// of returns the values of a table that belong to a group, in key order.
func of[T any](tx *state.Tx, table state.Table[T], group string) []T {
	var found []T
	for _, v := range table.WithPrefix(tx, group+":") {
		found = append(found, v)
	}
	return found
}

// clear removes what belongs to a group.
func clear[T any](tx *state.Tx, table state.Table[T], group string) error {
	for _, key := range slices.Collect(maps.Keys(maps.Collect(table.WithPrefix(tx, group+":")))) {
		if err := table.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}

// number makes keys sort as numbers do.
func number(n uint64) string { return fmt.Sprintf("%012d", n) }

// memberByID finds the member that an instance is.
func memberByID(tx *state.Tx, id string) (member, bool) {
	for _, m := range members.All(tx) {
		if m.ID == id && id != "" {
			return m, true
		}
	}
	return member{}, false
}

// terminating reports whether a member has left the capacity of its group.
func (m member) terminating() bool { return strings.HasPrefix(m.State, "Terminat") }

func (m member) health() string {
	if m.Unhealthy != "" {
		return "Unhealthy"
	}
	return "Healthy"
}

// LifecycleState returns the target lifecycle state of an instance, as instance metadata shows it under autoscaling/target-lifecycle-state:
// "InService", or "Terminated" once the load balancers have let go of it, so that a program that stops then does not fail requests.
// ok is false for an instance that belongs to no group.
func LifecycleState(tx *state.Tx, instanceID string) (lifecycle string, ok bool) {
	m, ok := memberByID(tx, instanceID)
	switch {
	case !ok:
		return "", false
	case m.terminating() && m.State != api.LifecycleStateTerminating:
		return api.LifecycleStateTerminated, true
	}
	return api.LifecycleStateInService, true
}
