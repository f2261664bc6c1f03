package sqs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

const (
	deleting    = "deleting a message"
	deleteTries = 3 // of an entry
)

// Delete implements shop.Inbox with one call, and another one for each time that SQS failed at some of the messages.
func (q *Queue) Delete(ctx context.Context, receipts []shop.Receipt) []error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	errs, left := make([]error, len(receipts)), upTo(len(receipts))
	pause := backoff.Backoff{Min: 50 * time.Millisecond, Max: time.Second}
	for try := 1; ; try++ {
		a, err := q.deleteBatch(ctx, receipts, left)
		if err != nil {
			for _, place := range left {
				errs[place] = wrap(deleting, err)
			}
			return errs
		}
		left = a.note(deleting, left, errs)
		if len(left) == 0 || try == deleteTries || !pause.Wait(ctx) {
			return errs
		}
	}
}

func (q *Queue) deleteBatch(ctx context.Context, receipts []shop.Receipt, places []int) (a answers, err error) {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(places))
	for i, place := range places {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(place), ReceiptHandle: aws.String(string(receipts[place]))}
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return answers{}, err
	}
	for _, e := range out.Successful {
		a.done = append(a.done, e.Id)
	}
	a.failed = out.Failed
	return a, nil
}
