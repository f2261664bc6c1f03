package e2e

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"storefront/test/history"
)

// What the shop holds, read from where it is: the database, the search and the queue.

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// mustQuery runs a query on a database and returns its rows.
func (d *deployment) mustQuery(t *testing.T, host, query string) []string {
	t.Helper()
	var out string
	eventually(t, "query the database", time.Minute, func() error {
		var status int
		if out, status = d.psql(t, host, query); status != 0 {
			return fmt.Errorf("status %d: %s", status, out)
		}
		return nil
	})
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}

// count runs a query on the writer that returns one number.
func (d *deployment) count(t *testing.T, query string) int {
	t.Helper()
	rows := d.mustQuery(t, d.out.DatabaseWriter, query)
	n, err := strconv.Atoi(strings.Join(rows, "\n"))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// stock returns what is left of the products of a trial.
func (d *deployment) stock(t *testing.T, trial string) map[string]int64 {
	t.Helper()
	stock := map[string]int64{}
	for _, row := range d.mustQuery(t, d.out.DatabaseWriter, "SELECT id || ' ' || stock FROM product WHERE id LIKE '"+strings.ToLower(trial)+"-%'") {
		id, n, _ := strings.Cut(row, " ")
		amount, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			t.Fatalf("stock %q: %v", row, err)
		}
		stock[id] = amount
	}
	return stock
}

// ledger returns the orders of a trial that are in the database. The database knows the hash of the idempotency key that an order has claimed, and nothing of
// the key of an order that was rejected for its key: the operations tell those.
func (d *deployment) ledger(t *testing.T, trial string, operations []history.Operation) map[string]history.Order {
	t.Helper()
	byHash, byOrder := map[string]string{}, map[string]string{}
	for _, op := range operations {
		sum := sha256.Sum256([]byte(op.Key))
		byHash[hex.EncodeToString(sum[:])] = op.Key
		if op.Order != "" {
			byOrder[op.Order] = op.Key
		}
	}
	orders := map[string]history.Order{}
	query := `SELECT json_build_object('id', o.id, 'hash', c.key_hash, 'status', o.status, 'items', o.items) FROM shop_order o LEFT JOIN claim c ON c.order_id = o.id
WHERE o.items->0->>'product_id' LIKE '` + strings.ToLower(trial) + `-%'`
	for _, row := range d.mustQuery(t, d.out.DatabaseWriter, query) {
		var o struct {
			ID, Hash string
			Status   history.Status
			Items    []struct {
				ProductID string `json:"product_id"`
				Quantity  int64
			}
		}
		if err := json.Unmarshal([]byte(row), &o); err != nil {
			t.Fatalf("order %s: %v", row, err)
		}
		items := map[string]int64{}
		for _, i := range o.Items {
			items[i.ProductID] = i.Quantity
		}
		orders[o.ID] = history.Order{Key: cmp.Or(byHash[o.Hash], byOrder[o.ID], o.Hash), Status: o.Status, Items: items}
	}
	return orders
}

// summary is what a search tells of an order.
type summary struct {
	ID     string
	Status history.Status
	Items  []struct {
		ProductID string `json:"product_id"`
	}
}

// search pages through all summaries.
func (d *deployment) search(t *testing.T) (all []summary, err error) {
	t.Helper()
	c, cursor := &http.Client{Timeout: 10 * time.Second, Transport: d.transport}, ""
	defer c.CloseIdleConnections()
	for {
		var page struct {
			Items      []summary
			NextCursor string `json:"next_cursor"`
		}
		if err := getJSON(t.Context(), c, d.url+"/summaries?limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
}

// found returns the status of every order of a trial in the index.
func found(index []summary, trial string) map[string]history.Status {
	found := map[string]history.Status{}
	for _, s := range index {
		if len(s.Items) > 0 && strings.HasPrefix(s.Items[0].ProductID, strings.ToLower(trial)+"-") {
			found[s.ID] = s.Status
		}
	}
	return found
}

// backlog returns how many messages of a queue wait or are worked on.
func (d *deployment) backlog(t *testing.T, queue string) (int, error) {
	t.Helper()
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed}
	out, err := sqs.NewFromConfig(d.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: names})
	if err != nil {
		return 0, err
	}
	total := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// settle waits until nothing is on its way any more: the queue and the outbox are empty, and a search finds every order. No message may have become a dead letter.
// It returns what the search finds.
func (d *deployment) settle(t *testing.T) (index []summary) {
	t.Helper()
	eventually(t, "wait until the queue is empty", 3*time.Minute, func() error {
		n, err := d.backlog(t, d.out.QueueURL)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d messages", n)
		}
		return err
	})
	eventually(t, "wait until the outbox is empty", 2*time.Minute, func() error {
		if n := d.count(t, "SELECT count(*) FROM outbox"); n > 0 {
			return fmt.Errorf("%d summaries", n)
		}
		return nil
	})
	orders := d.count(t, "SELECT count(*) FROM shop_order")
	eventually(t, "wait until a search finds every order", time.Minute, func() (err error) {
		if index, err = d.search(t); err == nil && len(index) < orders {
			err = fmt.Errorf("%d of %d", len(index), orders)
		}
		return err
	})
	if n, err := d.backlog(t, d.out.DeadLetterURL); err != nil || n > 0 {
		t.Errorf("%d messages in the dead-letter queue, %v; want none", n, err)
	}
	return index
}
