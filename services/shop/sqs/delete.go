package sqs

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

// deleteTries is how often an entry of a batch is tried. The client repeats a call that failed; one that succeeded in part is left to its caller.
const deleteTries = 3

// errUnanswered is about an entry that the answer of a batch does not mention.
var errUnanswered = errors.New("the answer does not tell what became of it")

// Delete implements shop.Inbox with one DeleteMessageBatch, and another one for each time that SQS failed at some of the messages.
func (q *Queue) Delete(ctx context.Context, receipts []shop.Receipt) []error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	errs := make([]error, len(receipts))
	left := make([]int, len(receipts)) // places of the receipts that are not settled yet
	for i := range left {
		left[i] = i
	}
	pause := backoff.Backoff{Min: 50 * time.Millisecond, Max: time.Second}
	for try := 1; ; try++ {
		left = q.deleteBatch(ctx, receipts, left, errs)
		if len(left) == 0 || try == deleteTries || !pause.Wait(ctx) {
			return errs
		}
	}
}

// deleteBatch deletes the messages of the receipts at the given places, notes what became of each in errs, and returns the places that may be tried
// again: those at which SQS failed by a fault of its own.
func (q *Queue) deleteBatch(ctx context.Context, receipts []shop.Receipt, places []int, errs []error) (again []int) {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(places))
	for i, place := range places {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(place)), ReceiptHandle: aws.String(string(receipts[place]))}
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		for _, place := range places {
			errs[place] = wrap("deleting messages", err)
		}
		return nil
	}
	gone, failed := map[string]bool{}, map[string]types.BatchResultErrorEntry{}
	for _, e := range out.Successful {
		gone[aws.ToString(e.Id)] = true
	}
	for _, e := range out.Failed {
		failed[aws.ToString(e.Id)] = e
	}
	for i, place := range places {
		id := *entries[i].Id
		f, refused := failed[id]
		switch {
		case refused:
			errs[place] = wrap("deleting a message", &smithy.GenericAPIError{Code: aws.ToString(f.Code), Message: aws.ToString(f.Message)})
			if !f.SenderFault {
				again = append(again, place)
			}
		case gone[id]:
			errs[place] = nil
		default:
			errs[place] = wrap("deleting a message", errUnanswered)
		}
	}
	return again
}
