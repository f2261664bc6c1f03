package logs

import (
	"errors"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// Group tells whether there is a log group, by its name or ARN, with or without ":*". It is for other services of the lab.
func (s *Service) Group(tx *state.Tx, arn string) (bool, error) {
	_, err := s.find(tx, &arn, nil)
	if _, missing := errors.AsType[*wire.Error](err); missing {
		return false, nil
	}
	return err == nil, err
}

// ResourcePolicies returns the documents of the resource policies, which let AWS services write to log groups. It is for other services of the lab.
func (s *Service) ResourcePolicies(tx *state.Tx) (documents []string) {
	for _, p := range policies.All(tx) {
		documents = append(documents, p.Document)
	}
	return documents
}
