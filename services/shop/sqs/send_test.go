package sqs_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"storefront/services/shop"
	"storefront/services/shop/sqs"
)

// intake is SQS as the sender of messages sees it: each call takes half a second.
type intake struct {
	refuse func(body string) (code string, mine bool) // what becomes of a message; "" takes it, mine is a fault of SQS
	whole  string                                     // refuses every batch with this code

	mu     sync.Mutex
	calls  []int          // messages in each
	bodies map[string]int // how often each message was stored
}

type sent struct{ Id, MessageBody string }

// Do implements aws.HTTPClient.
func (in *intake) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var asked struct {
		MessageBody string
		Entries     []sent
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	select {
	case <-time.After(time.Second / 2):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessage" {
		in.calls = append(in.calls, 1)
		if code, _ := in.take(asked.MessageBody); code != "" {
			return answer(400, map[string]any{"__type": "com.amazonaws.sqs#" + code, "message": "no"})
		}
		return answer(200, map[string]any{"MessageId": "1", "MD5OfMessageBody": sum(asked.MessageBody)})
	}
	in.calls = append(in.calls, len(asked.Entries))
	if in.whole != "" {
		return answer(400, map[string]any{"__type": "com.amazonaws.sqs#" + in.whole, "message": "no"})
	}
	successful, failed := []map[string]any{}, []map[string]any{}
	for _, e := range asked.Entries {
		if code, mine := in.take(e.MessageBody); code != "" {
			failed = append(failed, map[string]any{"Id": e.Id, "Code": code, "Message": "no", "SenderFault": !mine})
			continue
		}
		successful = append(successful, map[string]any{"Id": e.Id, "MessageId": "1", "MD5OfMessageBody": sum(e.MessageBody)})
	}
	return answer(200, map[string]any{"Successful": successful, "Failed": failed})
}

func (in *intake) take(body string) (code string, mine bool) {
	if in.refuse != nil {
		code, mine = in.refuse(body)
	}
	if code == "" {
		in.bodies[body]++
	}
	return code, mine
}

func answer(status int, value any) (*http.Response, error) {
	body, err := json.Marshal(value)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(body))}, err
}

func sum(body string) string {
	s := md5.Sum([]byte(body))
	return hex.EncodeToString(s[:])
}

// sendAll sends the bodies at once and returns what became of each.
func sendAll(ctx context.Context, in *intake, bodies []string) []error {
	in.bodies = map[string]int{}
	q := sqs.New(aws.Config{Region: "us-east-1", HTTPClient: in, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}, "http://sqs.test/1/orders")
	errs := make([]error, len(bodies))
	var all sync.WaitGroup
	for i, body := range bodies {
		all.Go(func() { errs[i] = q.Send(ctx, []byte(body)) })
		synctest.Wait() // in this order
	}
	all.Wait()
	return errs
}

func numbered(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprint("message ", i))
	}
	return bodies
}

func (in *intake) want(t *testing.T, calls []int, bodies []string) {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	if !slices.Equal(in.calls, calls) {
		t.Errorf("calls of %v messages, want %v", in.calls, calls)
	}
	for _, body := range bodies {
		if n := in.bodies[body]; n != 1 {
			t.Errorf("%.20q was stored %d times, want once", body, n)
		}
	}
	if len(in.bodies) != len(bodies) {
		t.Errorf("%d messages were stored, want %d", len(in.bodies), len(bodies))
	}
}

// TestSendsTogether sends more than there are calls for: the first ones go alone and at once, the others together.
func TestSendsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, bodies := new(intake), numbered(27)
		for i, err := range sendAll(t.Context(), in, bodies) {
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
		slices.Sort(in.calls) // the three of them run side by side
		in.want(t, []int{1, 1, 1, 1, 3, 10, 10}, bodies)
	})
}

// TestSendBoundsBytes has messages of which a call takes two.
func TestSendBoundsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, bodies := new(intake), numbered(10)
		for i := range bodies {
			bodies[i] += strings.Repeat("x", 100<<10)
		}
		for i, err := range sendAll(t.Context(), in, bodies) {
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
		in.want(t, []int{1, 1, 1, 1, 2, 2, 2}, bodies)
	})
}

// TestSendFailsInPart has SQS refuse a message of a batch, fail once at another and always at a third: the others are stored, once.
func TestSendFailsInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := 0
		in := &intake{refuse: func(body string) (string, bool) {
			switch body {
			case "message 5":
				return "InvalidMessageContents", false
			case "message 6":
				if failed++; failed == 1 {
					return "InternalError", true
				}
			case "message 7":
				return "InternalError", true
			}
			return "", false
		}}
		bodies := numbered(9)
		for i, err := range sendAll(t.Context(), in, bodies) {
			if want := map[int]shop.Code{5: shop.Internal, 7: shop.Unavailable}[i]; shop.CodeOf(err) != want {
				t.Errorf("message %d: got %v, want %q", i, err, want)
			}
		}
		in.want(t, []int{1, 1, 1, 1, 5, 1, 1}, slices.Concat(bodies[:5], bodies[6:7], bodies[8:]))
	})
}

// TestSendAloneAfterRefusal has SQS refuse batches as a whole: no message suffers from its neighbours.
func TestSendAloneAfterRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, bodies := &intake{whole: "InvalidMessageContents"}, numbered(6)
		in.refuse = func(body string) (string, bool) {
			if body == "message 4" {
				return "InvalidMessageContents", false
			}
			return "", false
		}
		for i, err := range sendAll(t.Context(), in, bodies) {
			if want := map[int]shop.Code{4: shop.Internal}[i]; shop.CodeOf(err) != want {
				t.Errorf("message %d: got %v, want %q", i, err, want)
			}
		}
		in.want(t, []int{1, 1, 1, 1, 2, 1, 1}, slices.Concat(bodies[:4], bodies[5:]))
	})
}

// TestSendGivesUp has customers leave before a call could start for their messages: those are not sent later.
func TestSendGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, bodies := new(intake), numbered(8)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		for i, err := range sendAll(ctx, in, bodies) {
			if shop.CodeOf(err) != shop.Unavailable {
				t.Errorf("message %d: got %v, want unavailable", i, err)
			}
		}
		time.Sleep(time.Minute)
		in.want(t, []int{1, 1, 1, 1}, bodies[:4])
	})
}
