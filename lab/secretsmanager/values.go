package secretsmanager

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetSecretValue implements the operation of that name.
func (s *Service) GetSecretValue(_ context.Context, in *api.GetSecretValueInput) (*api.GetSecretValueOutput, error) {
	out := &api.GetSecretValueOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		x, err := s.live(tx, *in.SecretId)
		if err != nil {
			return err
		}
		id, v, err := x.pick(wire.Value(in.VersionId), wire.Value(in.VersionStage))
		if err != nil {
			return err
		}
		p, err := s.open(tx, &x, id)
		out.ARN, out.Name, out.VersionId, out.VersionStages, out.CreatedDate = new(x.ARN), new(x.Name), new(id), v.Stages, new(v.Created)
		out.SecretString, out.SecretBinary = p.text, p.bytes
		return err
	})
}

// pick finds the version by ID, by stage, or both when they agree; without either it is the current one.
func (x *secret) pick(id, stage string) (string, version, error) {
	if id == "" {
		if stage == "" {
			stage = current
		}
		found, ok := x.withStage(stage)
		if !ok {
			return "", version{}, wire.Errorf(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
		}
		id = found
	}
	v, ok := x.Versions[id]
	if !ok {
		return "", version{}, wire.Errorf(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	if stage != "" && !slices.Contains(v.Stages, stage) {
		return "", version{}, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return id, v, nil
}

// PutSecretValue implements the operation of that name.
func (s *Service) PutSecretValue(_ context.Context, in *api.PutSecretValueInput) (*api.PutSecretValueOutput, error) {
	p, err := newPayload(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if p.empty() {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	out := &api.PutSecretValueOutput{}
	x, err := s.change(*in.SecretId, func(tx *state.Tx, x *secret) error {
		if err := unowned(x); err != nil {
			return err
		}
		id, err := versionID(tx, in.ClientRequestToken)
		if err != nil {
			return err
		}
		out.VersionId = new(id)
		if err := s.add(tx, x, id, p, stages); err != nil {
			return err
		}
		out.VersionStages = x.Versions[id].Stages
		return nil
	})
	out.ARN, out.Name = new(x.ARN), new(x.Name)
	return out, err
}

func versionID(tx *state.Tx, token *string) (string, error) {
	if token != nil {
		return *token, nil
	}
	return region.NewUUID(tx, "secret-version")
}

// ListSecretVersionIds implements the operation of that name.
func (s *Service) ListSecretVersionIds(_ context.Context, in *api.ListSecretVersionIdsInput) (*api.ListSecretVersionIdsOutput, error) {
	out := &api.ListSecretVersionIdsOutput{Versions: []api.SecretVersionsListEntry{}}
	return out, s.store.View(func(tx *state.Tx) error {
		x, err := s.find(tx, *in.SecretId)
		if err != nil {
			return err
		}
		out.ARN, out.Name = new(x.ARN), new(x.Name)
		for _, id := range slices.Sorted(maps.Keys(x.Versions)) {
			if v := x.Versions[id]; len(v.Stages) > 0 || wire.Value(in.IncludeDeprecated) {
				out.Versions = append(out.Versions, api.SecretVersionsListEntry{VersionId: new(id), VersionStages: v.Stages, CreatedDate: new(v.Created), KmsKeyIds: []string{v.KMSKey}})
			}
		}
		return nil
	})
}

// UpdateSecretVersionStage implements the operation of that name.
func (s *Service) UpdateSecretVersionStage(_ context.Context, in *api.UpdateSecretVersionStageInput) (*api.UpdateSecretVersionStageOutput, error) {
	x, err := s.change(*in.SecretId, func(_ *state.Tx, x *secret) error {
		if err := unowned(x); err != nil {
			return err
		}
		holder, held := x.withStage(*in.VersionStage)
		if held && (in.RemoveFromVersionId == nil || *in.RemoveFromVersionId != holder) && (in.MoveToVersionId == nil || *in.MoveToVersionId != holder) {
			return invalidParameter("The parameter RemoveFromVersionId must be %s, the version that staging label %s is attached to.", holder, *in.VersionStage)
		}
		if in.MoveToVersionId == nil && *in.VersionStage == current {
			return invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.")
		}
		if in.MoveToVersionId != nil {
			if _, ok := x.Versions[*in.MoveToVersionId]; !ok {
				return errNotFound
			}
			x.move(*in.VersionStage, *in.MoveToVersionId)
			return nil
		}
		if v := x.Versions[holder]; held {
			v.Stages = slices.DeleteFunc(slices.Clone(v.Stages), func(stage string) bool { return stage == *in.VersionStage })
			x.Versions[holder] = v
		}
		return nil
	})
	return &api.UpdateSecretVersionStageOutput{ARN: new(x.ARN), Name: new(x.Name)}, err
}

// stages maps the versions that have staging labels to them.
func (x *secret) stages() map[string][]string {
	out := map[string][]string{}
	for id, v := range x.Versions {
		if len(v.Stages) > 0 {
			out[id] = v.Stages
		}
	}
	return out
}
