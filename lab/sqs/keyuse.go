package sqs

import (
	"path"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
)

// KeyUse tells which KMS key a request makes SQS use for its caller, and for which actions, from "Key management" in the SQS Developer Guide; "" for none. SQS asks KMS
// only when its data key is not at hand; the lab asks for the permission always.
func (s *Service) KeyUse(tx *state.Tx, input any) (key string, actions []string, context map[string]string, err error) {
	var address *string
	switch in := input.(type) {
	case *api.SendMessageInput:
		address, actions = in.QueueUrl, []string{"kms:GenerateDataKey", "kms:Decrypt"}
	case *api.SendMessageBatchInput:
		address, actions = in.QueueUrl, []string{"kms:GenerateDataKey", "kms:Decrypt"}
	case *api.ReceiveMessageInput:
		address, actions = in.QueueUrl, []string{"kms:Decrypt"}
	default:
		return "", nil, nil, nil
	}
	d, _, err := definitions.Shared(tx, path.Base(*address))
	return d.Attributes["KmsMasterKeyId"], actions, encryptionContext(s.arn(d.Name)), err
}
