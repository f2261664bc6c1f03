package sqs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"storefront/services/shop"
)

// TestDeleteFailsInPart has a batch of five in which SQS takes one, refuses one for good, fails twice and then thrice at two, and forgets the last.
func TestDeleteFailsInPart(t *testing.T) {
	tries := map[string]int{}
	var calls []string
	q := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Entries []struct{ Id, ReceiptHandle string }
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.DeleteMessageBatch" {
			t.Errorf("%s: %s: %v", r.Header.Get("X-Amz-Target"), body, err)
		}
		type entry map[string]any
		successful, failed, asked := []entry{}, []entry{}, []string{}
		for _, e := range in.Entries {
			asked = append(asked, e.ReceiptHandle)
			tries[e.ReceiptHandle]++
			switch {
			case e.ReceiptHandle == "forgotten":
			case e.ReceiptHandle == "refused":
				failed = append(failed, entry{"Id": e.Id, "Code": "ReceiptHandleIsInvalid", "SenderFault": true})
			case e.ReceiptHandle == "never", e.ReceiptHandle == "third" && tries["third"] < 3:
				failed = append(failed, entry{"Id": e.Id, "Code": "InternalError", "Message": "try again", "SenderFault": false})
			default:
				successful = append(successful, entry{"Id": e.Id})
			}
		}
		calls = append(calls, strings.Join(asked, " "))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(map[string]any{"Successful": successful, "Failed": failed})
	})
	errs := q.Delete(t.Context(), []shop.Receipt{"never", "first", "refused", "third", "forgotten"})
	want := []shop.Code{shop.Unavailable, "", shop.Internal, "", shop.Unavailable}
	if len(errs) != len(want) {
		t.Fatalf("got %v", errs)
	}
	for i, err := range errs {
		if (err == nil) != (want[i] == "") || err != nil && shop.CodeOf(err) != want[i] {
			t.Errorf("receipt %d: got %v, want %q", i, err, want[i])
		}
	}
	if got := strings.Join(calls, ", "); got != "never first refused third forgotten, never third, never third" {
		t.Errorf("asked for %s; want what failed by a fault of SQS to be tried three times", got)
	}
}
