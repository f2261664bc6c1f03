package secretsmanager

import (
	"context"
	"regexp"
	"time"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

// CreateSecret implements the operation of that name.
func (s *Service) CreateSecret(_ context.Context, in *api.CreateSecretInput) (*api.CreateSecretOutput, error) {
	if len(in.AddReplicaRegions) > 0 {
		return nil, invalidParameter("The lab has one Region and replicates no secrets.")
	}
	p, err := newPayload(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	x := secret{Name: *in.Name, Description: wire.Value(in.Description), KMSKeyID: wire.Value(in.KmsKeyId), Tags: tagMap(in.Tags)}
	out := &api.CreateSecretOutput{Name: in.Name}
	err = s.store.Update(func(tx *state.Tx) error {
		id, err := s.create(tx, &x, p, wire.Value(in.ClientRequestToken))
		out.ARN = new(x.ARN)
		if id != "" {
			out.VersionId = new(id)
		}
		return err
	})
	return out, err
}

// create stores a new secret, with a first version unless p is empty, and returns that version's ID.
func (s *Service) create(tx *state.Tx, x *secret, p payload, token string) (id string, err error) {
	if !validName.MatchString(x.Name) {
		return "", wire.Errorf(400, "ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	old, ok, err := secrets.Get(tx, x.Name)
	if err != nil {
		return "", err
	}
	if ok && !s.gone(old) {
		if !old.Deleted.IsZero() {
			return "", invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
		}
		return "", wire.Errorf(400, "ResourceExistsException", "The operation failed because the secret %s already exists.", x.Name)
	}
	end, err := suffix(tx)
	if err != nil {
		return "", err
	}
	x.ARN, x.Created = s.region.ARN("secretsmanager", "secret:"+x.Name+"-"+end), s.now().UTC()
	x.Changed = x.Created
	if !p.empty() {
		if id = token; id == "" {
			if id, err = region.NewUUID(tx, "secret-version"); err != nil {
				return "", err
			}
		}
		if err := s.add(tx, x, id, p, []string{current}); err != nil {
			return "", err
		}
	}
	return id, secrets.Put(tx, x.Name, *x)
}

func newPayload(text *string, bytes []byte) (payload, error) {
	if text != nil && bytes != nil {
		return payload{}, invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	return payload{text: text, bytes: bytes}, nil
}

// DescribeSecret implements the operation of that name.
func (s *Service) DescribeSecret(_ context.Context, in *api.DescribeSecretInput) (*api.DescribeSecretOutput, error) {
	var x secret
	if err := s.store.View(func(tx *state.Tx) (err error) { x, err = s.find(tx, *in.SecretId); return err }); err != nil {
		return nil, err
	}
	return &api.DescribeSecretOutput{
		ARN: new(x.ARN), Name: new(x.Name), CreatedDate: new(x.Created), LastChangedDate: new(x.Changed), Tags: tagList(x.Tags), Description: wire.Optional(x.Description),
		KmsKeyId: wire.Optional(x.KMSKeyID), OwningService: wire.Optional(x.OwningService), DeletedDate: wire.Optional(x.Deleted), VersionIdsToStages: x.stages(),
	}, nil
}

// ListSecrets implements the operation of that name. Filters by name, description and tags are not served.
func (s *Service) ListSecrets(_ context.Context, in *api.ListSecretsInput) (*api.ListSecretsOutput, error) {
	if len(in.Filters) > 0 {
		return nil, invalidParameter("The lab serves no filters for ListSecrets.")
	}
	out := &api.ListSecretsOutput{SecretList: []api.SecretListEntry{}}
	err := s.store.View(func(tx *state.Tx) error {
		limit := int64(100)
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		shown := state.Where(secrets.All(tx), func(x secret) bool { return x.Deleted.IsZero() || wire.Value(in.IncludePlannedDeletion) && !s.gone(x) })
		items, next := state.Page(shown, wire.Value(in.NextToken), limit)
		for _, x := range items {
			out.SecretList = append(out.SecretList, api.SecretListEntry{ARN: new(x.ARN), Name: new(x.Name), CreatedDate: new(x.Created), LastChangedDate: new(x.Changed), Description: wire.Optional(x.Description),
				KmsKeyId: wire.Optional(x.KMSKeyID), OwningService: wire.Optional(x.OwningService), DeletedDate: wire.Optional(x.Deleted), Tags: tagList(x.Tags), SecretVersionsToStages: x.stages()})
		}
		out.NextToken = next
		return nil
	})
	return out, err
}

// UpdateSecret implements the operation of that name.
func (s *Service) UpdateSecret(_ context.Context, in *api.UpdateSecretInput) (*api.UpdateSecretOutput, error) {
	p, err := newPayload(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	out := &api.UpdateSecretOutput{}
	x, err := s.change(*in.SecretId, func(tx *state.Tx, x *secret) error {
		if in.Description != nil {
			x.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			x.KMSKeyID = *in.KmsKeyId
		}
		x.Changed = s.now().UTC()
		if p.empty() {
			return nil
		}
		if err := unowned(x); err != nil {
			return err
		}
		id, err := versionID(tx, in.ClientRequestToken)
		if err != nil {
			return err
		}
		out.VersionId = new(id)
		return s.add(tx, x, id, p, []string{current})
	})
	out.ARN, out.Name = new(x.ARN), new(x.Name)
	return out, err
}

// DeleteSecret implements the operation of that name.
func (s *Service) DeleteSecret(_ context.Context, in *api.DeleteSecretInput) (*api.DeleteSecretOutput, error) {
	force, days := wire.Value(in.ForceDeleteWithoutRecovery), int64(30)
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.RecoveryWindowInDays != nil:
		if days = *in.RecoveryWindowInDays; days < 7 || days > 30 {
			return nil, invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
		}
	}
	out := &api.DeleteSecretOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		find := s.live
		if force {
			find = s.find
		}
		x, err := find(tx, *in.SecretId)
		if err != nil {
			return err
		}
		if err := unowned(&x); err != nil {
			return err
		}
		out.ARN, out.Name, out.DeletionDate = new(x.ARN), new(x.Name), new(s.now().UTC())
		if force {
			return secrets.Delete(tx, x.Name)
		}
		x.Deleted = s.now().UTC().Add(time.Duration(days) * 24 * time.Hour)
		out.DeletionDate = new(x.Deleted)
		return secrets.Put(tx, x.Name, x)
	})
}

// RestoreSecret implements the operation of that name.
func (s *Service) RestoreSecret(_ context.Context, in *api.RestoreSecretInput) (*api.RestoreSecretOutput, error) {
	out := &api.RestoreSecretOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		x, err := s.find(tx, *in.SecretId)
		if err != nil {
			return err
		}
		x.Deleted = time.Time{}
		out.ARN, out.Name = new(x.ARN), new(x.Name)
		return secrets.Put(tx, x.Name, x)
	})
}
