// Package ports runs the suites of the shop's ports against the services of the lab, through the shop's adapters and AWS's own client. It stands
// here because the shop must not know the lab.
package ports

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	api "storefront/lab/api/sqs"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
	"storefront/services/shop"
	"storefront/services/shop/shoptest"
	"storefront/services/shop/sqs"
)

// queue creates a queue with dead letters in a lab's SQS of the test's own.
func queue(t *testing.T) *sqs.Queue {
	t.Helper()
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	var endpoint string
	service := wiretest.Must(lab.New(lab.Config{Store: store, Region: region.Default(), Endpoint: func() string { return endpoint }, Keys: kms.New(store, region.Default(), time.Now), Now: time.Now}))
	server := wiretest.New(t, api.New(service))
	endpoint = server.URL
	c := client.NewFromConfig(server.Config())
	dead := wiretest.Must(c.CreateQueue(t.Context(), &client.CreateQueueInput{QueueName: new("dead")}))
	arn := wiretest.Must(c.GetQueueAttributes(t.Context(), &client.GetQueueAttributesInput{QueueUrl: dead.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})).Attributes["QueueArn"]
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"%d"}`, arn, shoptest.MaxReceive)
	q := wiretest.Must(c.CreateQueue(t.Context(), &client.CreateQueueInput{QueueName: new("orders"), Attributes: map[string]string{"RedrivePolicy": policy}}))
	return sqs.New(server.Config(), *q.QueueUrl)
}

func TestQueue(t *testing.T) {
	shoptest.Queue(t, func(t *testing.T) shoptest.QueueStore { return queue(t) })
}

func TestQueueErrors(t *testing.T) {
	q := queue(t)
	if err := q.Dependency().Check(t.Context()); err != nil {
		t.Errorf("a queue that is there: %v", err)
	}
	if err := q.Send(t.Context(), []byte("\x01")); shop.CodeOf(err) != shop.Internal {
		t.Errorf("a body that SQS refuses: got %v, want internal", err)
	}
	if err := q.Extend(t.Context(), "nonsense", time.Minute); shop.CodeOf(err) != shop.Internal {
		t.Errorf("a receipt that is none: got %v, want internal", err)
	}
}
