package sqs

import (
	"errors"
	"regexp"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxBatch is the most entries of a batch, and messages of a receive.
const maxBatch = 10

var validEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch checks what all batch operations have in common.
func checkBatch[E any](entries []E, id func(*E) *string) error {
	if len(entries) == 0 {
		return fail("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(entries) > maxBatch {
		return fail("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))
	}
	seen := map[string]bool{}
	for i := range entries {
		name := wire.Value(id(&entries[i]))
		switch {
		case !validEntryID.MatchString(name):
			return fail("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[name]:
			return fail("BatchEntryIdsNotDistinct", "Id %s repeated.", name)
		}
		seen[name] = true
	}
	return nil
}

// failure answers an entry that was refused.
func failure(id *string, err error) api.BatchResultErrorEntry {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return api.BatchResultErrorEntry{Id: id, Code: new(queryCode(e.Code)), Message: new(e.Message), SenderFault: new(true)}
	}
	return api.BatchResultErrorEntry{Id: id, Code: new("InternalError"), Message: new("The request could not be processed."), SenderFault: new(false)}
}

// each runs an action for each receipt handle of a request, in one transaction. What AWS refuses (failed) does not keep the others from happening.
func (s *Service) each(address *string, handles []*string, act func(tx *state.Tx, q *queue, i int) error) (failed []error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(address)
	if err != nil {
		return nil, err
	}
	q.advance(s.Now())
	failed = make([]error, len(handles))
	return failed, s.change(func(tx *state.Tx) error {
		for i := range handles {
			err := act(tx, q, i)
			if _, refused := errors.AsType[*wire.Error](err); err != nil && !refused {
				return err
			}
			failed[i] = err
		}
		return nil
	})
}
