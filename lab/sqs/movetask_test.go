package sqs_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/region"
	lab "storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// TestMoveTaskKeepsItsRate uses the service without a network, so that time is synctest's.
func TestMoveTaskKeepsItsRate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		store := wiretest.Must(state.Open(file))
		defer store.Close()
		s := wiretest.Must(lab.New(lab.Config{Store: store, Region: region.Default(), Endpoint: func() string { return endpoint }, Now: time.Now}))
		create := func(name string, attributes map[string]string) *string {
			return wiretest.Must(s.CreateQueue(t.Context(), &api.CreateQueueInput{QueueName: &name, Attributes: attributes})).QueueUrl
		}
		dead := create("dead", nil)
		create("q", map[string]string{"RedrivePolicy": redrive("dead", 1)})
		for range 5 {
			wiretest.Must(s.SendMessage(t.Context(), &api.SendMessageInput{QueueUrl: dead, MessageBody: new("a")}))
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		wiretest.Must(s.StartMessageMoveTask(t.Context(), &api.StartMessageMoveTaskInput{SourceArn: new(arn + "dead"), DestinationArn: new(arn + "q"), MaxNumberOfMessagesPerSecond: new(int64(2))}))
		for _, want := range []int{2, 4, 5} {
			synctest.Wait()
			if d, _ := s.Depth("q"); d.Visible != want {
				t.Errorf("%d messages are moved, want %d", d.Visible, want)
			}
			time.Sleep(time.Second) // of the bubble's clock
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
