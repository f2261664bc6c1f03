package sqs

import (
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

const maxBatch = 10 // entries of a batch operation

// errUnanswered is about an entry that the answer of a batch does not mention.
var errUnanswered = errors.New("the answer does not tell what became of it")

// answers is what a batch operation says of its entries.
type answers struct {
	done   []*string // IDs of those that were carried out
	failed []types.BatchResultErrorEntry
}

// entryID names the entry at a place.
func entryID(place int) *string { return aws.String(strconv.Itoa(place)) }

// note writes into errs what became of the entries at the places, and returns the places at which SQS failed by a fault of its own: the client repeats a
// call that failed, and leaves one that failed in part to its caller.
func (a answers) note(doing string, places []int, errs []error) (again []int) {
	done, failed := map[string]bool{}, map[string]types.BatchResultErrorEntry{}
	for _, id := range a.done {
		done[aws.ToString(id)] = true
	}
	for _, f := range a.failed {
		failed[aws.ToString(f.Id)] = f
	}
	for _, place := range places {
		f, refused := failed[*entryID(place)]
		switch {
		case refused:
			errs[place] = wrap(doing, &smithy.GenericAPIError{Code: aws.ToString(f.Code), Message: aws.ToString(f.Message)})
			if !f.SenderFault {
				again = append(again, place)
			}
		case done[*entryID(place)]:
			errs[place] = nil
		default:
			errs[place] = wrap(doing, errUnanswered)
		}
	}
	return again
}

// upTo returns the places of n entries.
func upTo(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}
