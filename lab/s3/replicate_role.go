package s3

import (
	"storefront/lab/access"
	"storefront/lab/state"
)

// mayReplicate decides whether the role of a bucket's replication may make a replica, by "Setting up permissions for live replication" and "Replicating encrypted objects". A
// role that may not replicate tags makes replicas without them.
func (s *Service) mayReplicate(tx *state.Tx, b bucket, from version, to *version) error {
	source, replica := arnOf(from.Bucket)+"/"+from.Key, arnOf(to.Bucket)+"/"+to.Key
	act := access.Act{Service: principal, Role: *b.Replication.Role, Session: "s3-replication", Source: arnOf(b.Name), Via: "s3"}
	may := func(resource string, actions ...string) error {
		for _, action := range actions {
			act.Action, act.Resource = action, resource
			if err := s.may(tx, act); err != nil {
				return err
			}
		}
		return nil
	}
	if err := may(arnOf(b.Name), "s3:GetReplicationConfiguration", "s3:ListBucket"); err != nil {
		return err
	}
	if from.DeleteMarker {
		return may(replica, "s3:ReplicateDelete")
	}
	read := []string{"s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl"}
	if from.Retention != nil {
		read = append(read, "s3:GetObjectRetention")
	}
	if from.LegalHold != "" {
		read = append(read, "s3:GetObjectLegalHold")
	}
	if err := may(source, read...); err != nil {
		return err
	}
	if err := may(replica, "s3:ReplicateObject"); err != nil {
		return err
	}
	if len(from.Tags) > 0 && (may(source, "s3:GetObjectVersionTagging") != nil || may(replica, "s3:ReplicateTags") != nil) {
		to.Tags = nil
	}
	if from.Encryption.Algorithm != sseKMS {
		return nil
	}
	act.Encryption = from.Encryption.keyContext(from.Bucket, from.Key)
	if err := may(from.Encryption.KeyARN, "kms:Decrypt"); err != nil {
		return err
	}
	act.Encryption = to.Encryption.keyContext(to.Bucket, to.Key)
	encrypt := "kms:Encrypt"
	if to.Encryption.BucketKey {
		encrypt = "kms:GenerateDataKey"
	}
	return may(to.Encryption.KeyARN, encrypt)
}
