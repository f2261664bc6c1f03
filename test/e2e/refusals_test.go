package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// refusals posts what is no order, through the load balancer. Each is refused with a problem that names the field, and nothing of it reaches the queue.
func refusals(t *testing.T, d *deployment) {
	const js, key = "application/json", "refused"
	items := func(lines string) string { return `{"items":[` + lines + `]}` }
	line := func(quantity string) string { return items(`{"product_id":"scale","quantity":` + quantity + `}`) }
	many := strings.TrimSuffix(strings.Repeat(`{"product_id":"scale","quantity":1},`, 51), ",")
	sent := d.messagesSent(t)
	for _, c := range []struct {
		name, contentType, key, body string
		status                       int
		field                        string
	}{
		{"no key", js, "", line("1"), 400, "Idempotency-Key"},
		{"a key with a space", js, "a b", line("1"), 400, "Idempotency-Key"},
		{"a key in letters beyond ASCII", js, "schlüssel", line("1"), 400, "Idempotency-Key"},
		{"a key that is too long", js, strings.Repeat("k", 129), line("1"), 400, "Idempotency-Key"},
		{"another type of content", "text/plain", key, line("1"), 400, "Content-Type"},
		{"nothing", js, key, ``, 400, "body"},
		{"half an object", js, key, line("1")[:20], 400, "body"},
		{"two objects", js, key, line("1") + line("1"), 400, "body"},
		{"a list", js, key, `[]`, 400, "body"},
		{"invalid UTF-8", js, key, items("{\"product_id\":\"scale-\xff\",\"quantity\":1}"), 400, "body"},
		{"an unknown field", js, key, `{"items":[{"product_id":"scale","quantity":1}],"gift":true}`, 400, "gift"},
		{"an unknown field of an item", js, key, items(`{"product_id":"scale","quantity":1,"price_cents":1}`), 400, "items[0].price_cents"},
		{"a field given twice", js, key, items(`{"product_id":"scale","quantity":1,"quantity":2}`), 400, "items[0].quantity"},
		{"no items", js, key, `{}`, 400, "items"},
		{"an empty list of items", js, key, items(``), 400, "items"},
		{"items that are no list", js, key, `{"items":{"product_id":"scale"}}`, 400, "items"},
		{"too many items", js, key, items(many), 400, "items"},
		{"an item that is no object", js, key, items(`1`), 400, "items[0]"},
		{"a product twice", js, key, items(`{"product_id":"scale","quantity":1},{"product_id":"scale","quantity":1}`), 400, "items[1].product_id"},
		{"an unknown product", js, key, items(`{"product_id":"scale","quantity":1},{"product_id":"no-such","quantity":1}`), 400, "items[1].product_id"},
		{"a product that cannot be", js, key, items(`{"product_id":"a scale","quantity":1}`), 400, "items[0].product_id"},
		{"a product that is a number", js, key, items(`{"product_id":1,"quantity":1}`), 400, "items[0].product_id"},
		{"no quantity", js, key, items(`{"product_id":"scale"}`), 400, "items[0].quantity"},
		{"zero", js, key, line("0"), 400, "items[0].quantity"},
		{"a negative quantity", js, key, line("-1"), 400, "items[0].quantity"},
		{"too many pieces", js, key, line("1001"), 400, "items[0].quantity"},
		{"more than any number", js, key, line("1e400"), 400, "items[0].quantity"},
		{"half a piece", js, key, line("1.5"), 400, "items[0].quantity"},
		{"a quantity in words", js, key, line(`"1"`), 400, "items[0].quantity"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/orders", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.contentType)
		if c.key != "" {
			r.Header.Set("Idempotency-Key", c.key)
		}
		d.refused(t, c.name, r, c.status, c.field)
	}
	for path, field := range map[string]string{
		"/summaries?limit=0": "limit", "/summaries?limit=101": "limit", "/summaries?limit=many": "limit", "/summaries?cursor=here": "cursor", "/summaries?q=%zz": "query",
		"/products?limit=1000000": "limit", "/products?q=" + strings.Repeat("x", 101): "q", "/orders/not-one-of-ours": "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusBadRequest
		if field == "" {
			want = http.StatusNotFound
		}
		d.refused(t, path, r, want, field)
	}
	if now := d.messagesSent(t); now != sent {
		t.Errorf("the queue got %v messages of what was refused", now-sent)
	}
	// The count would have seen one: an order that is taken is one message more.
	if result, _, detail := postOrder(client(), d.url, "not-refused", map[string]int64{"scale": 1}); result != "ok" {
		t.Fatalf("an order after the refusals: %s %s", result, detail)
	}
	if now := d.messagesSent(t); now != sent+1 {
		t.Errorf("one order made %v messages by the queue's own count", now-sent)
	}
}

// refused wants a problem that names the field.
func (d *deployment) refused(t *testing.T, name string, r *http.Request, status int, field string) {
	t.Helper()
	resp, err := client().Do(r)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var p struct {
		Status int
		Field  string
	}
	if err != nil || json.Unmarshal(body, &p) != nil || resp.Header.Get("Content-Type") != "application/problem+json" || resp.StatusCode != status || p.Status != status || p.Field != field {
		t.Errorf("%s: %s %s, %v; want the problem %d with the field %q", name, resp.Status, body, err, status, field)
	}
}

// messagesSent is what CloudWatch counts of the queue.
func (d *deployment) messagesSent(t *testing.T) float64 {
	t.Helper()
	name := d.out.QueueURL[strings.LastIndexByte(d.out.QueueURL, '/')+1:]
	out, err := cloudwatch.NewFromConfig(d.aws).GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: new("AWS/SQS"), MetricName: new("NumberOfMessagesSent"), Dimensions: []types.Dimension{{Name: new("QueueName"), Value: &name}},
		StartTime: new(time.Now().Add(-time.Hour)), EndTime: new(time.Now().Add(time.Minute)), Period: new(int32(60)), Statistics: []types.Statistic{types.StatisticSum}})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, p := range out.Datapoints {
		sum += *p.Sum
	}
	return sum
}
