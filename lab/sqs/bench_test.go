package sqs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/sigv4"
	"storefront/lab/wire/wiretest"
)

// caller is a lean SQS client, so that the benchmark measures the lab more than the SDK.
type caller struct {
	client *http.Client
	url    string
}

func (c caller) call(operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	sigv4.Sign(r, sigv4.Hash(body), sigv4.Credentials{AccessKeyID: wiretest.AccessKeyID, SecretAccessKey: wiretest.SecretKey}, wiretest.Region, "sqs", time.Now())
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", operation, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

// BenchmarkCycle sends, receives and deletes through the wire server, from 16 clients on 2 processors (-cpu 2).
func BenchmarkCycle(b *testing.B) { cycle(b, nil) }

// BenchmarkEncryptedCycle does the same with a queue that has a KMS key.
func BenchmarkEncryptedCycle(b *testing.B) {
	cycle(b, map[string]string{"KmsMasterKeyId": "alias/aws/sqs"})
}

func cycle(b *testing.B, attributes map[string]string) {
	store := wiretest.Must(state.Open(filepath.Join(b.TempDir(), "state")))
	defer store.Close()
	keys := kms.New(store, region.Default(), time.Now)
	s := wiretest.Must(lab.New(lab.Config{Store: store, Region: region.Default(), Endpoint: func() string { return endpoint }, Keys: keys, Now: time.Now}))
	url := wiretest.Must(s.CreateQueue(b.Context(), &api.CreateQueueInput{QueueName: new("q"), Attributes: attributes})).QueueUrl
	c := caller{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, wiretest.New(b, api.New(s)).URL}
	body := string(bytes.Repeat([]byte("x"), 300))
	var empty atomic.Int64
	b.SetParallelism(8) // times 2 processors
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var got struct {
				Messages []struct{ ReceiptHandle string }
			}
			err := c.call("SendMessage", map[string]any{"QueueUrl": *url, "MessageBody": body}, &struct{}{})
			if err == nil {
				err = c.call("ReceiveMessage", map[string]any{"QueueUrl": *url}, &got)
			}
			if err == nil && len(got.Messages) == 1 {
				err = c.call("DeleteMessage", map[string]any{"QueueUrl": *url, "ReceiptHandle": got.Messages[0].ReceiptHandle}, &struct{}{})
			} else {
				empty.Add(1)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cycles/s")
	if n := empty.Load(); n > 0 {
		b.Errorf("%d receives found nothing although each came after a send", n)
	}
}
