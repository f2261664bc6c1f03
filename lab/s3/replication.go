package s3

import (
	"context"
	"strconv"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// This file holds the replication configuration of a bucket, by "Replication configuration file elements" in the Amazon S3 User Guide; replicate.go copies by it.

const maxRules = 1000

// GetBucketReplication implements the operation of that name.
func (s *Service) GetBucketReplication(ctx context.Context, in *api.GetBucketReplicationInput) (*api.GetBucketReplicationOutput, error) {
	out := &api.GetBucketReplicationOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.ReplicationConfiguration = b.Replication; b.Replication == nil {
			return notFound("ReplicationConfigurationNotFoundError", "The replication configuration was not found", b)
		}
		return nil
	})
}

// PutBucketReplication implements the operation of that name, for destinations in this account. Replication time control, metrics of replication and replicas that
// are replicated back are refused.
func (s *Service) PutBucketReplication(ctx context.Context, in *api.PutBucketReplicationInput) (*api.PutBucketReplicationOutput, error) {
	c := in.ReplicationConfiguration
	if n := len(c.Rules); n == 0 || n > maxRules {
		return nil, malformedXML("1 to 1000 Rules are needed")
	}
	if !strings.HasPrefix(*c.Role, "arn:"+region.Partition+":iam::"+s.region.Account+":role/") {
		return nil, invalidArgument("Role", "Invalid Role specified in replication configuration")
	}
	if err := s.permit(ctx, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.ID == nil {
			r.ID = new("rule-" + strconv.Itoa(i+1))
		}
		if ids[*r.ID] {
			return nil, invalidArgument("ID", "Rule Id must be unique. Found same Rule Id for more than one rule.")
		}
		ids[*r.ID] = true
		if err := s.checkRule(r); err != nil {
			return nil, err
		}
	}
	return &api.PutBucketReplicationOutput{}, s.store.Update(func(tx *state.Tx) error {
		b, err := getBucket(tx, *in.Bucket)
		if err != nil {
			return err
		}
		if b.Versioning != "Enabled" {
			return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
		}
		for _, r := range c.Rules {
			if err := checkDestination(tx, b, bucketOfARN(*r.Destination.Bucket)); err != nil {
				return err
			}
		}
		b.Replication = c
		return buckets.Put(tx, b.Name, b)
	})
}

// DeleteBucketReplication implements the operation of that name. What still waits to be copied is not copied any more, and gets the status FAILED.
func (s *Service) DeleteBucketReplication(ctx context.Context, in *api.DeleteBucketReplicationInput) (*api.DeleteBucketReplicationOutput, error) {
	return &api.DeleteBucketReplicationOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Replication = nil
		return nil
	})
}

// checkRule checks one rule by itself. A rule with a Filter is of the newer form, which has to say what becomes of delete markers.
func (s *Service) checkRule(r *api.ReplicationRule) error {
	d := r.Destination
	switch {
	case !strings.HasPrefix(*d.Bucket, "arn:"+region.Partition+":s3:::"):
		return invalidArgument("Bucket", "Invalid bucket ARN in the destination of a replication rule")
	case r.Filter != nil && r.Prefix != nil:
		return invalidRequest("Filter cannot be used for this version of the replication configuration schema together with Prefix.")
	case r.Filter != nil && r.DeleteMarkerReplication == nil:
		return invalidRequest("DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.")
	case r.Filter != nil && r.Priority == nil:
		return invalidRequest("Priority must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.")
	case d.Account != nil && *d.Account != s.region.Account:
		return notImplemented("replication to another account")
	case d.ReplicationTime != nil && *d.ReplicationTime.Status == "Enabled", d.Metrics != nil && *d.Metrics.Status == "Enabled":
		return notImplemented("replication time control and metrics")
	case r.ExistingObjectReplication != nil && *r.ExistingObjectReplication.Status == "Enabled":
		return notImplemented("existing object replication")
	case r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.ReplicaModifications != nil && *r.SourceSelectionCriteria.ReplicaModifications.Status == "Enabled":
		return notImplemented("replica modification sync")
	case replicatesKMS(*r) != (d.EncryptionConfiguration != nil && d.EncryptionConfiguration.ReplicaKmsKeyID != nil):
		return invalidRequest("SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.")
	}
	return nil
}

// checkDestination checks that a bucket can take replicas of another one.
func checkDestination(tx *state.Tx, source bucket, name string) error {
	d, ok, err := buckets.Get(tx, name)
	switch {
	case err != nil:
		return err
	case !ok:
		return invalidRequest("Destination bucket must exist.")
	case d.Name == source.Name:
		return invalidRequest("Destination bucket cannot be the same as the source bucket.")
	case d.Versioning != "Enabled":
		return invalidRequest("Destination bucket must have versioning enabled.")
	case source.ObjectLock != nil && d.ObjectLock == nil:
		return invalidRequest("Object Lock must be enabled on the destination bucket, because it is enabled on the source bucket.")
	}
	return nil
}

func arnOf(bucketName string) string { return "arn:" + region.Partition + ":s3:::" + bucketName }

func bucketOfARN(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

func replicatesKMS(r api.ReplicationRule) bool {
	c := r.SourceSelectionCriteria
	return c != nil && c.SseKmsEncryptedObjects != nil && wire.Value(c.SseKmsEncryptedObjects.Status) == "Enabled"
}

// replicationRule returns the rule by which a new version is copied, nil for none: of those that match, the one of the highest priority.
func (b bucket) replicationRule(v version) *api.ReplicationRule {
	if b.Replication == nil {
		return nil
	}
	var best *api.ReplicationRule
	for _, r := range b.Replication.Rules {
		if *r.Status != "Enabled" || !selects(r, v) || best != nil && wire.Value(best.Priority) >= wire.Value(r.Priority) {
			continue
		}
		best = &r
	}
	return best
}

func selects(r api.ReplicationRule, v version) bool {
	prefix, tags := wire.Value(r.Prefix), []api.Tag(nil)
	if f := r.Filter; f != nil {
		prefix = wire.Value(f.Prefix)
		if f.Tag != nil {
			tags = append(tags, *f.Tag)
		}
		if f.And != nil {
			prefix, tags = wire.Value(f.And.Prefix), append(tags, f.And.Tags...)
		}
	}
	if !strings.HasPrefix(v.Key, prefix) {
		return false
	}
	if v.DeleteMarker { // AWS never replicates markers under rules by tags
		kept := r.DeleteMarkerReplication == nil || wire.Value(r.DeleteMarkerReplication.Status) == "Enabled"
		return kept && len(tags) == 0
	}
	if v.Encryption.Algorithm == sseKMS && !replicatesKMS(r) {
		return false
	}
	for _, want := range tags {
		if !hasTag(v.Tags, want) {
			return false
		}
	}
	return true
}

func hasTag(tags []api.Tag, want api.Tag) bool {
	for _, t := range tags {
		if wire.Value(t.Key) == wire.Value(want.Key) && wire.Value(t.Value) == wire.Value(want.Value) {
			return true
		}
	}
	return false
}
