package secretsmanager

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

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
		p, err := s.open(tx, x, v)
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
		holder, held := x.withStage(*in.VersionStage)
		if held && (in.RemoveFromVersionId == nil || *in.RemoveFromVersionId != holder) && (in.MoveToVersionId == nil || *in.MoveToVersionId != holder) {
			return invalidParameter("The parameter RemoveFromVersionId must be %s, the version that staging label %s is attached to.", holder, *in.VersionStage)
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

// GetRandomPassword implements the operation of that name.
func (s *Service) GetRandomPassword(_ context.Context, in *api.GetRandomPasswordInput) (*api.GetRandomPasswordOutput, error) {
	length := int64(32)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	var classes []string
	for _, c := range []struct {
		excluded *bool
		letters  string
	}{
		{in.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz"}, {in.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {in.ExcludeNumbers, "0123456789"},
		{in.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, {new(!wire.Value(in.IncludeSpace)), " "},
	} {
		letters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(wire.Value(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, c.letters)
		if !wire.Value(c.excluded) && letters != "" {
			classes = append(classes, letters)
		}
	}
	if len(classes) == 0 || int64(len(classes)) > length {
		return nil, invalidParameter("The password length and the excluded characters leave no password.")
	}
	password, err := RandomPassword(int(length), classes)
	return &api.GetRandomPasswordOutput{RandomPassword: new(password)}, err
}

// RandomPassword draws a password that has at least one character of each class.
func RandomPassword(length int, classes []string) (string, error) {
	all, out := strings.Join(classes, ""), make([]byte, length)
	for i := range out {
		from := all
		if i < len(classes) {
			from = classes[i]
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			return "", fmt.Errorf("drawing a password: %w", err)
		}
		out[i] = from[n.Int64()]
	}
	for i := len(out) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return "", fmt.Errorf("drawing a password: %w", err)
		}
		out[i], out[n.Int64()] = out[n.Int64()], out[i]
	}
	return string(out), nil
}

func (x *secret) stages() map[string][]string {
	out := map[string][]string{}
	for id, v := range x.Versions {
		if len(v.Stages) > 0 {
			out[id] = v.Stages
		}
	}
	return out
}

func (x *secret) deletedDate() *time.Time { return optionalTime(x.Deleted) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func tagMap(tags []api.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[wire.Value(t.Key)] = wire.Value(t.Value)
	}
	return m
}

func tagList(m map[string]string) []api.Tag {
	tags := []api.Tag{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, api.Tag{Key: new(k), Value: new(m[k])})
	}
	return tags
}
