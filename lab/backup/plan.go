package backup

import (
	"context"
	"regexp"
	"time"

	"github.com/google/uuid"

	api "storefront/lab/api/backup"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// plan is a backup plan.
type plan struct {
	ID, Version, Name string
	Created           time.Time
	Request           *string
	Rules             []api.BackupRule
	Next              map[string]time.Time // when each rule is due, by rule ID
	Last              *time.Time           // run
}

var (
	plans    = state.NewTable[plan]("backup.plan") // by ID
	planName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,50}$`)
)

func (s *Service) planARN(id string) string { return s.Region.ARN("backup", "backup-plan:"+id) }

func findPlan(tx *state.Tx, id *string) (plan, error) {
	p, ok, err := plans.Get(tx, wire.Value(id))
	if err == nil && !ok {
		err = notFound("Cannot find Backup plan with ID %s", wire.Value(id))
	}
	return p, err
}

// setRules takes over the rules of a request, with AWS's defaults. A rule keeps its ID by its name.
func (s *Service) setRules(tx *state.Tx, p *plan, in *api.BackupPlanInput) error {
	if !planName.MatchString(*in.BackupPlanName) {
		return invalidValue("Invalid backup plan name: %s", *in.BackupPlanName)
	}
	if len(in.AdvancedBackupSettings) > 0 {
		return invalidValue("Advanced backup settings are not served")
	}
	if len(in.Rules) == 0 {
		return wire.Errorf(400, "MissingParameterValueException", "A backup plan has at least one rule")
	}
	ids := map[string]*string{}
	for _, r := range p.Rules {
		ids[*r.RuleName] = r.RuleId
	}
	p.Name, p.Version, p.Rules, p.Next = *in.BackupPlanName, uuid.NewString(), nil, map[string]time.Time{}
	seen := map[string]bool{}
	for _, given := range in.Rules {
		r, err := s.rule(tx, given)
		if err != nil {
			return err
		}
		if seen[*r.RuleName] {
			return invalidValue("Duplicate rule name: %s", *r.RuleName)
		}
		seen[*r.RuleName] = true
		if r.RuleId = ids[*r.RuleName]; r.RuleId == nil {
			r.RuleId = new(uuid.NewString())
		}
		schedule, err := parseSchedule(*r.ScheduleExpression, *r.ScheduleExpressionTimezone)
		if err != nil {
			return err
		}
		p.Rules, p.Next[*r.RuleId] = append(p.Rules, r), schedule.next(s.Now())
	}
	return nil
}

// defaultSchedule, startWindow and completionWindow, in minutes, are those of rules that set none.
const (
	defaultSchedule  = "cron(0 5 ? * * *)"
	startWindow      = 480
	completionWindow = 10080
)

func (s *Service) rule(tx *state.Tx, r api.BackupRuleInput) (api.BackupRule, error) {
	out := api.BackupRule{
		RuleName: r.RuleName, TargetBackupVaultName: r.TargetBackupVaultName, Lifecycle: r.Lifecycle, RecoveryPointTags: r.RecoveryPointTags, EnableContinuousBackup: new(false),
		ScheduleExpression: new(wire.Or(r.ScheduleExpression, defaultSchedule)), ScheduleExpressionTimezone: new(wire.Or(r.ScheduleExpressionTimezone, "Etc/UTC")),
		StartWindowMinutes: new(wire.Or(r.StartWindowMinutes, startWindow)), CompletionWindowMinutes: new(wire.Or(r.CompletionWindowMinutes, completionWindow)),
	}
	v, err := findVault(tx, r.TargetBackupVaultName)
	switch {
	case err != nil:
		return out, err
	case wire.Value(r.EnableContinuousBackup):
		return out, invalidValue("Continuous backups are not served")
	case len(r.CopyActions) > 0:
		return out, invalidValue("Copies of recovery points are not served")
	case *out.StartWindowMinutes < 60:
		return out, invalidValue("Start window must be at least 60 minutes")
	case *out.CompletionWindowMinutes < *out.StartWindowMinutes+60:
		return out, invalidValue("Completion window must be at least 60 minutes longer than the start window")
	}
	return out, checkLifecycle(r.Lifecycle, v)
}

// checkLifecycle applies "Lifecycle" of the AWS Backup API, and the vault's lock.
func checkLifecycle(l *api.Lifecycle, v vault) error {
	var days *int64
	if l != nil {
		days = l.DeleteAfterDays
		if days != nil && *days < 1 || l.MoveToColdStorageAfterDays != nil && (*l.MoveToColdStorageAfterDays < 1 || days != nil && *days < *l.MoveToColdStorageAfterDays+90) {
			return invalidValue("Invalid lifecycle. DeleteAfterDays cannot be less than 1, nor less than 90 days apart from MoveToColdStorageAfterDays")
		}
	}
	if !v.Lock.allows(days) {
		return invalidValue("The retention of the backup is outside what the lock of vault %s allows", v.Name)
	}
	return nil
}

// CreateBackupPlan implements the operation of that name.
func (s *Service) CreateBackupPlan(_ context.Context, in *api.CreateBackupPlanInput) (*api.CreateBackupPlanOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateBackupPlanOutput) error {
		for _, p := range plans.All(tx) {
			if p.Name == *in.BackupPlan.BackupPlanName {
				return exists("Backup plan with the same plan document already exists")
			}
		}
		p := plan{ID: uuid.NewString(), Created: s.Now().UTC(), Request: in.CreatorRequestId}
		if err := s.setRules(tx, &p, in.BackupPlan); err != nil {
			return err
		}
		if err := tag(tx, s.planARN(p.ID), in.BackupPlanTags); err != nil {
			return err
		}
		out.BackupPlanArn, out.BackupPlanId, out.CreationDate, out.VersionId = new(s.planARN(p.ID)), &p.ID, &p.Created, &p.Version
		return plans.Put(tx, p.ID, p)
	})
}

// UpdateBackupPlan implements the operation of that name.
func (s *Service) UpdateBackupPlan(_ context.Context, in *api.UpdateBackupPlanInput) (*api.UpdateBackupPlanOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateBackupPlanOutput) error {
		p, err := findPlan(tx, in.BackupPlanId)
		if err != nil {
			return err
		}
		if err := s.setRules(tx, &p, in.BackupPlan); err != nil {
			return err
		}
		out.BackupPlanArn, out.BackupPlanId, out.CreationDate, out.VersionId = new(s.planARN(p.ID)), &p.ID, &p.Created, &p.Version
		return plans.Put(tx, p.ID, p)
	})
}

// GetBackupPlan implements the operation of that name, for the version that is in force.
func (s *Service) GetBackupPlan(_ context.Context, in *api.GetBackupPlanInput) (*api.GetBackupPlanOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetBackupPlanOutput) error {
		p, err := findPlan(tx, in.BackupPlanId)
		if err == nil && wire.Or(in.VersionId, p.Version) != p.Version {
			err = notFound("Cannot find version %s of Backup plan %s", *in.VersionId, p.ID)
		}
		*out = api.GetBackupPlanOutput{
			BackupPlan: &api.BackupPlan{BackupPlanName: &p.Name, Rules: p.Rules}, BackupPlanArn: new(s.planARN(p.ID)), BackupPlanId: &p.ID,
			CreationDate: &p.Created, CreatorRequestId: p.Request, LastExecutionDate: p.Last, VersionId: &p.Version,
		}
		return err
	})
}

// DeleteBackupPlan implements the operation of that name: for plans without selections. Their recovery points stay.
func (s *Service) DeleteBackupPlan(_ context.Context, in *api.DeleteBackupPlanInput) (*api.DeleteBackupPlanOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteBackupPlanOutput) error {
		p, err := findPlan(tx, in.BackupPlanId)
		if err != nil {
			return err
		}
		for range selections.WithPrefix(tx, p.ID+"/") {
			return invalidRequest("Related backup plan selections must be deleted prior to backup plan deletion")
		}
		out.BackupPlanArn, out.BackupPlanId, out.DeletionDate, out.VersionId = new(s.planARN(p.ID)), &p.ID, new(s.Now().UTC()), &p.Version
		if err := tags.Delete(tx, s.planARN(p.ID)); err != nil {
			return err
		}
		return plans.Delete(tx, p.ID)
	})
}

// ListBackupPlans implements the operation of that name.
func (s *Service) ListBackupPlans(_ context.Context, in *api.ListBackupPlansInput) (*api.ListBackupPlansOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListBackupPlansOutput) error {
		list, next := state.Page(plans.All(tx), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.BackupPlansList = next, []api.BackupPlansListMember{}
		for _, p := range list {
			out.BackupPlansList = append(out.BackupPlansList, api.BackupPlansListMember{
				BackupPlanArn: new(s.planARN(p.ID)), BackupPlanId: &p.ID, BackupPlanName: &p.Name, CreationDate: &p.Created, CreatorRequestId: p.Request,
				LastExecutionDate: p.Last, VersionId: &p.Version,
			})
		}
		return nil
	})
}
