package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// replication is a version that waits to be copied, in the order of writing. It is stored in the transaction that makes or changes the version, so that no crash
// loses a copy.
type replication struct{ Bucket, Key, ID string }

var replications = state.NewTable[replication]("s3.replication") // by sequence number, in hexadecimal

// enqueue lets a version be copied when a rule of its bucket says so. Replicas are not copied on.
func enqueue(tx *state.Tx, b bucket, v *version) error {
	if v.Replication == api.ReplicationStatusReplica || b.replicationRule(*v) == nil {
		return nil
	}
	if !v.DeleteMarker {
		v.Replication = api.ReplicationStatusPending
	}
	n, err := tx.Sequence("s3.replication")
	if err != nil {
		return err
	}
	return replications.Put(tx, fmt.Sprintf("%016x", n), replication{v.Bucket, v.Key, v.ID})
}

// replicateAll replicates until ctx ends.
func (s *Service) replicateAll(ctx context.Context) error {
	for changed := s.store.Watch(ctx, "s3.replication"); ; {
		if err := s.Replicate(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("replicating S3 objects: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// Replicate copies what waits. A copy that fails leaves its version with the status FAILED, as on AWS after the retries.
func (s *Service) Replicate(ctx context.Context) error {
	for ctx.Err() == nil {
		waits, task, ok, err := s.nextReplication()
		if err != nil || !ok {
			return err
		}
		copied := s.replicate(ctx, task)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if copied != nil {
			s.log.Warn("an object was not replicated", "bucket", task.Bucket, "key", task.Key, "version", task.ID, "error", copied)
		}
		if err := s.replicated(waits, task, copied); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Service) nextReplication() (waits string, task replication, ok bool, err error) {
	err = s.store.View(func(tx *state.Tx) error {
		for waits, task = range replications.All(tx) {
			ok = true
			return nil
		}
		return nil
	})
	return waits, task, ok, err
}

// replicated records how a copy ended.
func (s *Service) replicated(waits string, task replication, copied error) error {
	return s.store.Update(func(tx *state.Tx) error {
		v, ok := byID(tx, task.Bucket, task.Key, task.ID)
		if ok && !v.DeleteMarker {
			v.Replication = api.ReplicationStatusCompleted
			if copied != nil {
				v.Replication = api.ReplicationStatusFailed
			}
			if err := versions.Put(tx, v.tableKey(), v); err != nil {
				return err
			}
		}
		return replications.Delete(tx, waits)
	})
}

// replicate makes the replica of one version: under the same version ID, with metadata, tags and locks of the source, under the rule's key. Of a version that was
// copied before, only what has changed since is written.
func (s *Service) replicate(ctx context.Context, task replication) error {
	var from, to version
	var had bool
	err := s.store.View(func(tx *state.Tx) error {
		b, err := getBucket(tx, task.Bucket)
		if err != nil {
			return err
		}
		var ok bool
		if from, ok = byID(tx, task.Bucket, task.Key, task.ID); !ok {
			return fs.ErrNotExist
		}
		rule := b.replicationRule(from)
		if rule == nil {
			return errors.New("no rule selects the version any more")
		}
		to = replicaOf(from, *rule)
		if err := checkDestination(tx, b, to.Bucket); err != nil {
			return err
		}
		if err := s.mayReplicate(tx, b, from, &to); err != nil {
			return err
		}
		_, had = byID(tx, to.Bucket, to.Key, to.ID)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted for good in the meantime: AWS does not replicate that either
	}
	if err != nil {
		return err
	}
	if !had && !to.DeleteMarker {
		if err := s.copyInto(ctx, from, &to); err != nil {
			return err
		}
	}
	return s.putReplica(to, had)
}

// replicaOf is the replica that a rule makes of a version, without its content.
func replicaOf(from version, rule api.ReplicationRule) version {
	to := from
	to.Bucket, to.Segments, to.Replication = bucketOfARN(*rule.Destination.Bucket), nil, api.ReplicationStatusReplica
	if class := rule.Destination.StorageClass; class != nil {
		to.StorageClass = *class
	}
	if from.Encryption.Algorithm == sseKMS {
		to.Encryption.KeyARN = wire.Value(rule.Destination.EncryptionConfiguration.ReplicaKmsKeyID)
	}
	return to
}

// copyInto writes the content of a version as bodies of another one, segment by segment, so that parts stay parts.
func (s *Service) copyInto(ctx context.Context, from version, to *version) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.bodies.remove(to.Segments))
		}
	}()
	offset := int64(0)
	for _, seg := range from.Segments {
		in, err := s.read(ctx, from, offset, seg.Size)
		if err != nil {
			return err
		}
		content, err := s.save(ctx, in, &to.Encryption, to.Bucket, to.Key, integrity{algorithm: seg.Checksum.Algorithm})
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
		content.segment.Number, content.segment.Checksum = seg.Number, seg.Checksum
		to.Segments = append(to.Segments, content.segment)
		offset += seg.Size
		if !from.Multipart && to.Encryption.Algorithm == sseKMS {
			to.ETag = content.etag
		}
	}
	return nil
}

// putReplica stores a replica as the newest version of its key, or what changed of one that is there.
func (s *Service) putReplica(to version, had bool) error {
	var unused []segment
	err := s.store.Update(func(tx *state.Tx) (err error) {
		if _, err := getBucket(tx, to.Bucket); err != nil {
			return err
		}
		old, exists := byID(tx, to.Bucket, to.Key, to.ID)
		if exists {
			unused = to.Segments
			old.Tags, old.Retention, old.LegalHold = to.Tags, to.Retention, to.LegalHold
			return versions.Put(tx, old.tableKey(), old)
		}
		if had {
			return nil // deleted from the destination since: it stays deleted
		}
		if to.Sequence, err = tx.Sequence("s3.version"); err != nil {
			return err
		}
		return versions.Put(tx, to.tableKey(), to)
	})
	if err != nil {
		unused = to.Segments
	}
	return errors.Join(err, s.bodies.remove(unused))
}
