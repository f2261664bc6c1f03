// Package sqs sends and receives the shop's messages through Amazon SQS.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"storefront/services/shop"
)

const (
	callFor = 3 * time.Second  // all tries of a call that does not wait
	slack   = 10 * time.Second // what all tries of a receipt may take longer than its wait
)

// Queue is a shop.Queue and shop.Inbox at the queue with the URL. It is safe for concurrent use.
type Queue struct {
	client  *sqs.Client
	url     string
	sending sending
}

// New returns the queue with the URL. It calls nobody: the queue may come later than the service.
func New(config aws.Config, url string) *Queue {
	return &Queue{url: url, client: sqs.NewFromConfig(config, func(o *sqs.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = 3, time.Second })
	})}
}

// Receive implements shop.Inbox.
func (q *Queue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]shop.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+slack)
	defer cancel()
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(limit), WaitTimeSeconds: seconds(wait), VisibilityTimeout: seconds(visibility),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return nil, wrap("receiving messages", err)
	}
	messages := make([]shop.Message, len(out.Messages))
	for i, m := range out.Messages {
		// An attribute that is no number leaves 0: the count is for the eye, and the message is worth more.
		received, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		messages[i] = shop.Message{ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body)), Receipt: shop.Receipt(aws.ToString(m.ReceiptHandle)), Received: received}
	}
	return messages, nil
}

// Extend implements shop.Inbox.
func (q *Queue) Extend(ctx context.Context, r shop.Receipt, visibility time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: aws.String(string(r)), VisibilityTimeout: seconds(visibility),
	})
	return wrap("changing a message's visibility", err)
}

// Release implements shop.Inbox.
func (q *Queue) Release(ctx context.Context, r shop.Receipt) error { return q.Extend(ctx, r, 0) }

// Dependency returns the queue as a dependency of the service that may send to it or receive from it.
func (q *Queue) Dependency() shop.Dependency {
	return shop.Dependency{Name: "queue", Check: func(ctx context.Context) error {
		_, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
		return wrap("asking for the queue", err)
	}}
}

// seconds is d in SQS's unit; part of a second counts as a whole one, so that nothing becomes visible too early.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }

// refusals are the codes with which SQS refuses a message or a receipt for what it is: the same call fails again.
var refusals = []string{"InvalidMessageContents", "InvalidParameterValue", "ReceiptHandleIsInvalid", "InvalidIdFormat", "MissingParameter", "UnsupportedOperation"}

// wrap gives err the shop's code. What SQS refuses for its content is a fault of ours; everything else, wrong permissions and a queue that is not
// there included, is mended from outside, and until then the queue is unavailable.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		for _, code := range refusals {
			if api.ErrorCode() == code {
				return &shop.Error{Code: shop.Internal, Message: doing + " was refused", Err: err}
			}
		}
	}
	return &shop.Error{Code: shop.Unavailable, Message: "the queue does not answer", Err: fmt.Errorf("%s: %w", doing, err)}
}
