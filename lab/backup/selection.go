package backup

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"storefront/lab/access"
	api "storefront/lab/api/backup"
	rds "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// selection names resources that a plan backs up.
type selection struct {
	ID, Plan string
	Created  time.Time
	Request  *string
	What     api.BackupSelection
}

var (
	selections    = state.NewTable[selection]("backup.selection") // by "<plan ID>/<ID>"
	selectionName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,50}$`)
)

const resourceTag = "aws:ResourceTag/"

// CreateBackupSelection implements the operation of that name.
func (s *Service) CreateBackupSelection(_ context.Context, in *api.CreateBackupSelectionInput) (*api.CreateBackupSelectionOutput, error) {
	what := in.BackupSelection
	switch {
	case !selectionName.MatchString(*what.SelectionName):
		return nil, invalidValue("Invalid selection name: %s", *what.SelectionName)
	case len(what.Resources)+len(what.ListOfTags) == 0:
		return nil, wire.Errorf(400, "MissingParameterValueException", "A selection has Resources or ListOfTags")
	}
	for _, t := range what.ListOfTags {
		if wire.Value(t.ConditionType) != "STRINGEQUALS" {
			return nil, invalidValue("Invalid condition type: %s", wire.Value(t.ConditionType))
		}
	}
	for _, c := range conditions(what.Conditions) {
		if !strings.HasPrefix(c.key, resourceTag) {
			return nil, invalidValue("Invalid condition key: %s", c.key)
		}
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateBackupSelectionOutput) error {
		p, err := findPlan(tx, in.BackupPlanId)
		if err != nil {
			return err
		}
		if err := s.checkRole(tx, what.IamRoleArn, s.planARN(p.ID)); err != nil {
			return err
		}
		for _, other := range selections.WithPrefix(tx, p.ID+"/") {
			if *other.What.SelectionName == *what.SelectionName {
				return exists("Backup selection with the same name already exists")
			}
		}
		v := selection{ID: uuid.NewString(), Plan: p.ID, Created: s.Now().UTC(), Request: in.CreatorRequestId, What: *what}
		out.BackupPlanId, out.SelectionId, out.CreationDate = &p.ID, &v.ID, &v.Created
		return selections.Put(tx, p.ID+"/"+v.ID, v)
	})
}

func findSelection(tx *state.Tx, planID, id *string) (selection, error) {
	if _, err := findPlan(tx, planID); err != nil {
		return selection{}, err
	}
	v, ok, err := selections.Get(tx, *planID+"/"+*id)
	if err == nil && !ok {
		err = notFound("Cannot find Backup selection with ID %s", *id)
	}
	return v, err
}

// GetBackupSelection implements the operation of that name.
func (s *Service) GetBackupSelection(_ context.Context, in *api.GetBackupSelectionInput) (*api.GetBackupSelectionOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetBackupSelectionOutput) error {
		v, err := findSelection(tx, in.BackupPlanId, in.SelectionId)
		*out = api.GetBackupSelectionOutput{BackupPlanId: &v.Plan, BackupSelection: &v.What, CreationDate: &v.Created, CreatorRequestId: v.Request, SelectionId: &v.ID}
		return err
	})
}

// DeleteBackupSelection implements the operation of that name.
func (s *Service) DeleteBackupSelection(_ context.Context, in *api.DeleteBackupSelectionInput) (*api.DeleteBackupSelectionOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteBackupSelectionOutput) error {
		v, err := findSelection(tx, in.BackupPlanId, in.SelectionId)
		if err != nil {
			return err
		}
		return selections.Delete(tx, v.Plan+"/"+v.ID)
	})
}

// ListBackupSelections implements the operation of that name.
func (s *Service) ListBackupSelections(_ context.Context, in *api.ListBackupSelectionsInput) (*api.ListBackupSelectionsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListBackupSelectionsOutput) error {
		if _, err := findPlan(tx, in.BackupPlanId); err != nil {
			return err
		}
		list, next := state.Page(selections.WithPrefix(tx, *in.BackupPlanId+"/"), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.BackupSelectionsList = next, []api.BackupSelectionsListMember{}
		for _, v := range list {
			out.BackupSelectionsList = append(out.BackupSelectionsList, api.BackupSelectionsListMember{
				BackupPlanId: &v.Plan, CreationDate: &v.Created, CreatorRequestId: v.Request, IamRoleArn: v.What.IamRoleArn, SelectionId: &v.ID, SelectionName: v.What.SelectionName,
			})
		}
		return nil
	})
}

// condition compares one tag of a resource.
type condition struct {
	key, value    string
	like, negated bool
}

func conditions(c *api.Conditions) (all []condition) {
	if c == nil {
		return nil
	}
	for _, of := range []struct {
		list          []api.ConditionParameter
		like, negated bool
	}{{c.StringEquals, false, false}, {c.StringLike, true, false}, {c.StringNotEquals, false, true}, {c.StringNotLike, true, true}} {
		for _, p := range of.list {
			all = append(all, condition{wire.Value(p.ConditionKey), wire.Value(p.ConditionValue), of.like, of.negated})
		}
	}
	return all
}

func (c condition) holds(tags map[string]string) bool {
	got, has := tags[strings.TrimPrefix(c.key, resourceTag)]
	match := has && (got == c.value || c.like && access.Like(c.value, got))
	return match != c.negated
}

// takes tells whether a plan backs up a cluster: what is listed or has one of the tags, meets every condition, and is not excepted.
func (v selection) takes(c rds.DBCluster) bool {
	tags := map[string]string{}
	for _, t := range c.TagList {
		tags[wire.Value(t.Key)] = wire.Value(t.Value)
	}
	like := func(pattern string) bool { return access.Like(pattern, wire.Value(c.DBClusterArn)) }
	tagged := slices.ContainsFunc(v.What.ListOfTags, func(t api.Condition) bool {
		got, has := tags[strings.TrimPrefix(wire.Value(t.ConditionKey), resourceTag)]
		return has && got == wire.Value(t.ConditionValue)
	})
	for _, c := range conditions(v.What.Conditions) {
		if !c.holds(tags) {
			return false
		}
	}
	return (tagged || slices.ContainsFunc(v.What.Resources, like)) && !slices.ContainsFunc(v.What.NotResources, like)
}
