package sns

import (
	"strings"

	api "storefront/lab/api/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// KeyUse tells which KMS key a request makes SNS use for its caller, and for which actions, from "Managing Amazon SNS encryption keys and costs"; "" for none.
func (s *Service) KeyUse(tx *state.Tx, input any) (key string, actions []string, context map[string]string, err error) {
	var arn string
	switch in := input.(type) {
	case *api.PublishInput:
		arn = wire.Or(in.TopicArn, wire.Value(in.TargetArn))
	case *api.PublishBatchInput:
		arn = *in.TopicArn
	}
	if arn == "" {
		return "", nil, nil, nil
	}
	t, _, err := topics.Get(tx, strings.TrimPrefix(arn, s.arn("")))
	return t.Attributes["KmsMasterKeyId"], []string{"kms:GenerateDataKey", "kms:Decrypt"}, map[string]string{"aws:sns:topicArn": arn}, err
}
