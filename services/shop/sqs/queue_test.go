package sqs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"storefront/services/shop"
	"storefront/services/shop/sqs"
)

// serve returns a queue at a server that answers every call with the handler. The suite of the port runs against a whole SQS in test/ports.
func serve(t *testing.T, h http.HandlerFunc) *sqs.Queue {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return sqs.New(aws.Config{Region: "us-east-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}, s.URL+"/1/orders")
}

func refuse(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.sqs#` + code + `","message":"no"}`))
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   shop.Code
	}{
		{400, "InvalidMessageContents", shop.Internal},
		{400, "ReceiptHandleIsInvalid", shop.Internal},
		{400, "QueueDoesNotExist", shop.Unavailable},
		{400, "AccessDeniedException", shop.Unavailable},
		{400, "RequestThrottled", shop.Unavailable},
		{503, "ServiceUnavailable", shop.Unavailable},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel() // what may succeed later is tried again
			q := serve(t, refuse(c.status, c.code))
			if err := q.Extend(t.Context(), "receipt", time.Minute); shop.CodeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if errs := q.Delete(t.Context(), []shop.Receipt{"one", "two"}); len(errs) != 2 || shop.CodeOf(errs[0]) != c.want || shop.CodeOf(errs[1]) != c.want {
				t.Errorf("got %v, want %s for both", errs, c.want)
			}
		})
	}
}

// TestSendTriesAgain has a server fail for a moment: SQS's clients repeat what failed, and the ledger makes a message that came twice harmless.
func TestSendTriesAgain(t *testing.T) {
	var calls atomic.Int64
	q := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			refuse(503, "ServiceUnavailable")(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		// The MD5 of "body": the client checks what the server has stored.
		_, _ = w.Write([]byte(`{"MessageId":"1","MD5OfMessageBody":"841a2d689ad86bd1611447453c22c6fc"}`))
	})
	if err := q.Send(t.Context(), []byte("body")); err != nil || calls.Load() != 2 {
		t.Errorf("got %v after %d calls, want success after 2", err, calls.Load())
	}
}

// TestSilence has a server that never answers: sending ends in time to tell the customer.
func TestSilence(t *testing.T) {
	done := make(chan struct{})
	q := serve(t, func(http.ResponseWriter, *http.Request) { <-done })
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := q.Send(ctx, []byte("body")); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}
