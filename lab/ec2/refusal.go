package ec2

import (
	"context"
	"errors"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// Refusal is how an instance ends that cannot start, because KMS does not open one of its volumes. EC2 asks KMS after it has answered, so a launch that will fail is answered like
// any other ("KmsKeyId: Amazon Web Services authenticates the KMS key asynchronously"): the data plane ends the instance instead of booting it.
type Refusal struct {
	To     InstanceState // ShuttingDown after a launch, Stopping when it was stopped before
	Reason Reason
}

// openVolumes asks for the keys of an instance's volumes in the name of the caller, who must let EC2 use them. What stands against the start is noted in the instance.
func (s *Service) openVolumes(ctx context.Context, tx *state.Tx, v *Instance, otherwise InstanceState) error {
	v.Refusal = nil
	if s.VolumeKey == nil {
		return nil
	}
	for _, id := range v.Volumes {
		vol, err := volumes.get(tx, id)
		if err != nil {
			return err
		}
		if vol.Key == "" {
			continue
		}
		arn, err := s.VolumeKey(ctx, tx, vol.Key, vol.ID)
		if e, ok := errors.AsType[*wire.Error](err); ok {
			v.Refusal = &Refusal{otherwise, refusalReason(e)}
			continue
		}
		if err != nil {
			return err
		}
		vol.Key = arn
		if err := volumes.put(tx, vol); err != nil {
			return err
		}
	}
	return nil
}

// refusalReason is the state reason for an error of KMS: "Why did my instance terminate immediately".
func refusalReason(e *wire.Error) Reason {
	if e.Code == "AccessDeniedException" {
		return Reason{"Client.InternalError", "Client.InternalError: Client error on launch"}
	}
	return Reason{"Client.InvalidKMSKey.InvalidState", "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"}
}
