package kms

import (
	"context"
	"encoding/json"
	"time"

	api "storefront/lab/api/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateKey implements the operation of that name for symmetric encryption keys.
func (s *Service) CreateKey(ctx context.Context, in *api.CreateKeyInput) (*api.CreateKeyOutput, error) {
	if err := supported(in); err != nil {
		return nil, err
	}
	k := key{Description: wire.Value(in.Description), Policy: wire.Value(in.Policy), Manager: "CUSTOMER", Tags: map[string]string{}}
	for _, t := range in.Tags {
		k.Tags[wire.Value(t.TagKey)] = wire.Value(t.TagValue)
	}
	err := s.store.Update(func(tx *state.Tx) (err error) {
		if k, err = s.create(tx, k); err != nil || in.Policy == nil {
			return err
		}
		return s.checkPolicy(ctx, tx, k.ARN, *in.Policy, in.BypassPolicyLockoutSafetyCheck)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateKeyOutput{KeyMetadata: s.metadata(k)}, nil
}

func supported(in *api.CreateKeyInput) error {
	spec := wire.Value(in.KeySpec)
	if spec == "" {
		spec = wire.Value(in.CustomerMasterKeySpec)
	}
	switch {
	case spec != "" && spec != "SYMMETRIC_DEFAULT", wire.Value(in.KeyUsage) != "" && *in.KeyUsage != "ENCRYPT_DECRYPT":
		return wire.Errorf(400, "UnsupportedOperationException", "The lab serves SYMMETRIC_DEFAULT keys for ENCRYPT_DECRYPT only.")
	case wire.Value(in.Origin) != "" && *in.Origin != "AWS_KMS", in.CustomKeyStoreId != nil, in.XksKeyId != nil:
		return wire.Errorf(400, "UnsupportedOperationException", "The lab serves keys of origin AWS_KMS only.")
	case wire.Value(in.MultiRegion):
		return wire.Errorf(400, "UnsupportedOperationException", "The lab has one Region and serves no multi-Region keys.")
	}
	return nil
}

// create completes k with an ID, material and, where it has none, the default policy, and stores it.
func (s *Service) create(tx *state.Tx, k key) (key, error) {
	id, err := region.NewUUID(tx, "kms-key")
	if err != nil {
		return key{}, err
	}
	k.ID, k.ARN, k.State, k.Created = id, s.region.ARN("kms", "key/"+id), enabled, s.now().UTC()
	k.NextRotation = k.Created.AddDate(0, 0, int(k.RotationDays))
	k.rotate()
	if k.Policy == "" {
		k.Policy = s.defaultPolicy()
	}
	return k, keys.Put(tx, k.ID, k)
}

// managed returns the AWS managed key of a service, such as "s3", and makes it on first use, as AWS does.
func (s *Service) managed(tx *state.Tx, service string) (key, error) {
	switch service {
	case "acm", "backup", "ebs", "elasticache", "es", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm":
	default:
		return key{}, notFound("Alias %s is not found.", s.region.ARN("kms", "alias/aws/"+service))
	}
	name := "alias/aws/" + service
	if a, ok, err := aliases.Get(tx, name); ok || err != nil {
		if err != nil {
			return key{}, err
		}
		k, _, err := keys.Get(tx, a.KeyID)
		return k, err
	}
	k, err := s.create(tx, key{Manager: "AWS", Policy: s.managedPolicy(service), Description: "Default key that protects my " + service + " data when no other key is defined", RotationDays: 365, Tags: map[string]string{}})
	if err != nil {
		return key{}, err
	}
	return k, aliases.Put(tx, name, alias{KeyID: k.ID, Created: k.Created, Updated: k.Created})
}

func (s *Service) metadata(k key) *api.KeyMetadata {
	m := &api.KeyMetadata{
		AWSAccountId: new(s.region.Account), Arn: new(k.ARN), KeyId: new(k.ID), CreationDate: new(k.Created), Description: new(k.Description),
		Enabled: new(k.State == enabled), KeyManager: new(k.Manager), KeyState: new(k.State), KeyUsage: new("ENCRYPT_DECRYPT"), KeySpec: new("SYMMETRIC_DEFAULT"),
		CustomerMasterKeySpec: new("SYMMETRIC_DEFAULT"), EncryptionAlgorithms: []string{"SYMMETRIC_DEFAULT"}, MultiRegion: new(false), Origin: new("AWS_KMS"),
	}
	if k.State == pendingDeletion {
		m.DeletionDate = new(k.Deletion)
	}
	return m
}

// DescribeKey implements the operation of that name.
func (s *Service) DescribeKey(_ context.Context, in *api.DescribeKeyInput) (*api.DescribeKeyOutput, error) {
	k, err := s.read(*in.KeyId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeKeyOutput{KeyMetadata: s.metadata(k)}, nil
}

// ListKeys implements the operation of that name.
func (s *Service) ListKeys(_ context.Context, in *api.ListKeysInput) (*api.ListKeysOutput, error) {
	out := &api.ListKeysOutput{Keys: []api.KeyListEntry{}}
	err := s.store.View(func(tx *state.Tx) error {
		limit := int64(100)
		if in.Limit != nil {
			limit = *in.Limit
		}
		alive := state.Where(keys.All(tx), func(k key) bool { return k.State != pendingDeletion || s.now().Before(k.Deletion) })
		items, next := state.Page(alive, wire.Value(in.Marker), limit)
		for _, k := range items {
			out.Keys = append(out.Keys, api.KeyListEntry{KeyId: new(k.ID), KeyArn: new(k.ARN)})
		}
		out.NextMarker, out.Truncated = next, new(next != nil)
		return nil
	})
	return out, err
}

// EnableKey implements the operation of that name.
func (s *Service) EnableKey(_ context.Context, in *api.EnableKeyInput) (*api.EnableKeyOutput, error) {
	return &api.EnableKeyOutput{}, s.change(*in.KeyId, func(k *key) error { k.State = enabled; return nil })
}

// DisableKey implements the operation of that name.
func (s *Service) DisableKey(_ context.Context, in *api.DisableKeyInput) (*api.DisableKeyOutput, error) {
	return &api.DisableKeyOutput{}, s.change(*in.KeyId, func(k *key) error { k.State = disabled; return nil })
}

// UpdateKeyDescription implements the operation of that name.
func (s *Service) UpdateKeyDescription(_ context.Context, in *api.UpdateKeyDescriptionInput) (*api.UpdateKeyDescriptionOutput, error) {
	return &api.UpdateKeyDescriptionOutput{}, s.change(*in.KeyId, func(k *key) error { k.Description = *in.Description; return nil })
}

// change edits a customer managed key that is not pending deletion.
func (s *Service) change(ref string, edit func(*key) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		k, err := s.find(tx, ref)
		switch {
		case err != nil:
			return err
		case k.Manager == "AWS":
			return wire.Errorf(400, "AccessDeniedException", "%s is an AWS managed key, which customers cannot change.", k.ARN)
		case k.State == pendingDeletion:
			return pending(k)
		}
		if err := edit(&k); err != nil {
			return err
		}
		return keys.Put(tx, k.ID, k)
	})
}

// ScheduleKeyDeletion implements the operation of that name.
func (s *Service) ScheduleKeyDeletion(_ context.Context, in *api.ScheduleKeyDeletionInput) (*api.ScheduleKeyDeletionOutput, error) {
	days := int64(30)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, validation("1 validation error detected: Value '%d' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30", days)
	}
	out := &api.ScheduleKeyDeletionOutput{KeyState: new(pendingDeletion), PendingWindowInDays: new(days)}
	err := s.change(*in.KeyId, func(k *key) error {
		k.State, k.Deletion = pendingDeletion, s.now().UTC().Add(time.Duration(days)*24*time.Hour)
		out.KeyId, out.DeletionDate = new(k.ARN), new(k.Deletion)
		return nil
	})
	return out, err
}

// CancelKeyDeletion implements the operation of that name; as on AWS the key is disabled afterwards.
func (s *Service) CancelKeyDeletion(_ context.Context, in *api.CancelKeyDeletionInput) (*api.CancelKeyDeletionOutput, error) {
	out := &api.CancelKeyDeletionOutput{}
	err := s.store.Update(func(tx *state.Tx) error {
		k, err := s.find(tx, *in.KeyId)
		if err != nil {
			return err
		}
		if k.State != pendingDeletion {
			return wire.Errorf(400, "KMSInvalidStateException", "%s is not pending deletion.", k.ARN)
		}
		k.State, k.Deletion, out.KeyId = disabled, time.Time{}, new(k.ARN)
		return keys.Put(tx, k.ID, k)
	})
	return out, err
}

// managedPolicy is the policy of an AWS managed key: it is for everyone in the account who may use its service, through that service.
func (s *Service) managedPolicy(service string) string {
	b, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "auto-" + service + "-2", "Statement": []any{
		map[string]any{
			"Sid":    "Allow access through " + service + " for all principals in the account that are authorized to use it",
			"Effect": "Allow", "Principal": map[string]any{"AWS": "*"}, "Resource": "*",
			"Action":    []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"},
			"Condition": map[string]any{"StringEquals": map[string]any{"kms:CallerAccount": s.region.Account, "kms:ViaService": viaService(service) + "." + s.region.Name + ".amazonaws.com"}},
		},
		map[string]any{
			"Sid": "Allow direct access to key metadata to the account", "Effect": "Allow", "Principal": map[string]any{"AWS": s.region.GlobalARN("iam", "root")},
			"Action": []string{"kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"}, "Resource": "*",
		},
	}})
	return string(b)
}

// viaService is the service's name in kms:ViaService.
func viaService(service string) string {
	if service == "ebs" {
		return "ec2"
	}
	return service
}

func (s *Service) defaultPolicy() string {
	b, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "key-default-1", "Statement": []any{map[string]any{
		"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": map[string]any{"AWS": s.region.GlobalARN("iam", "root")}, "Action": "kms:*", "Resource": "*",
	}}})
	return string(b)
}
