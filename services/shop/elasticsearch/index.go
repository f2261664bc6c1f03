// Package elasticsearch keeps the searchable summaries of orders in an Amazon OpenSearch Service domain, by the part of the REST API that Elasticsearch 7.10
// and OpenSearch have in common.
package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"storefront/services/shop"
)

const (
	indexName = "summaries"
	bulkSize  = 200     // summaries in one request
	bulkBytes = 5 << 20 // after which no other summary joins a request; the smallest instances take 10 MiB, and the longest summary has a fiftieth of it
)

// definition is the index with every field that a document has; an unknown one is refused, rather than mapped by its first value.
// "words" is all that a search looks at, and the reason why the others need no analysis.
const definition = `{
	"settings": {"number_of_shards": 1, "number_of_replicas": 1},
	"mappings": {"dynamic": "strict", "properties": {
		"id": {"type": "keyword"},
		"status": {"type": "keyword"},
		"reason": {"type": "keyword"},
		"items": {"properties": {"product_id": {"type": "keyword"}, "name": {"type": "keyword"}, "quantity": {"type": "long"}}},
		"total_cents": {"type": "long"},
		"currency": {"type": "keyword"},
		"placed_at": {"type": "date"},
		"words": {"type": "text"}
	}}
}`

// document is a summary as it is stored.
type document struct {
	shop.Summary
	Words string `json:"words"`
}

// Put implements shop.Index. The service compares the versions, so writers need not know of each other.
func (x *Index) Put(ctx context.Context, summaries []shop.Summary) []error {
	if len(summaries) == 0 {
		return nil
	}
	if err := x.create(ctx); err != nil {
		return slices.Repeat([]error{err}, len(summaries))
	}
	answers := make([]error, len(summaries))
	for at := 0; at < len(summaries); {
		body, n, err := bulkBody(summaries[at:])
		if n == 0 {
			answers[at] = refusedSummary(err)
			at++
			continue
		}
		if err := x.bulk(ctx, body, answers[at:at+n]); err != nil { // says nothing against any summary: those that follow would meet the same
			copy(answers[at:], slices.Repeat([]error{err}, len(summaries)-at))
			break
		}
		at += n
	}
	return answers
}

// create makes the index unless it is there. Any number of instances may try at once: one makes it and the others hear so.
func (x *Index) create(ctx context.Context) error {
	x.creating.Lock()
	defer x.creating.Unlock()
	if x.created {
		return nil
	}
	a, err := x.call(ctx, http.MethodPut, "/"+indexName, "application/json", []byte(definition))
	if err != nil {
		return err
	}
	if a.status != http.StatusOK && a.failure().Type != "resource_already_exists_exception" {
		return a.err("creating the index " + indexName)
	}
	x.created = true
	return nil
}

// bulkBody returns the body of a request that stores the first n summaries; n is 0 when the first one cannot be written down.
func bulkBody(summaries []shop.Summary) (body []byte, n int, err error) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for n < min(len(summaries), bulkSize) && lines.Len() < bulkBytes {
		s, whole := summaries[n], lines.Len()
		action := map[string]any{"index": map[string]any{"_id": s.ID, "version": s.Version, "version_type": "external"}}
		if err := errors.Join(encoder.Encode(action), encoder.Encode(document{s, words(s.Text())})); err != nil {
			return lines.Bytes()[:whole], n, fmt.Errorf("encoding summary %s: %w", s.ID, err)
		}
		n++
	}
	return lines.Bytes(), n, nil
}

// bulk stores the summaries that the body has and writes what became of each to answers. An error is about all of them, and of the request.
func (x *Index) bulk(ctx context.Context, body []byte, answers []error) error {
	a, err := x.call(ctx, http.MethodPost, "/"+indexName+"/_bulk", "application/x-ndjson", body)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a.err("storing summaries")
	}
	var result struct {
		Items []struct {
			Index struct {
				ID     string  `json:"_id"`
				Status int     `json:"status"`
				Error  failure `json:"error"`
			} `json:"index"`
		} `json:"items"`
	}
	if err := a.decode(&result); err != nil {
		return err
	}
	if len(result.Items) != len(answers) {
		return &shop.Error{Code: shop.Internal, Message: fmt.Sprintf("the search answered for %d of %d summaries", len(result.Items), len(answers))}
	}
	for i, item := range result.Items {
		answers[i] = verdict(item.Index.ID, item.Index.Status, item.Index.Error)
		if item.Index.Status == http.StatusNotFound {
			x.forget()
		}
	}
	return nil
}

// forget has the next Put make the index again, which somebody deleted. A domain that makes indices by itself (action.auto_create_index) does not say so.
func (x *Index) forget() {
	x.creating.Lock()
	defer x.creating.Unlock()
	x.created = false
}

// verdict is what the answer for one summary says. Status 400 is about the document and its mapping. Others, such as 403 for an index that is blocked
// for writing because the disk is full, are about the index and would be answered for any document.
func verdict(id string, status int, f failure) error {
	switch {
	case status >= 200 && status < 300, status == http.StatusConflict: // a conflict says that this version, or a newer one, is there
		return nil
	case status == http.StatusBadRequest:
		return refusedSummary(fmt.Errorf("%s: status %d: %s: %s", id, status, f.Type, f.Reason))
	}
	return refusal("storing summary "+id, status, f)
}

func refusedSummary(cause error) error {
	return &shop.Error{Code: shop.Invalid, Message: "the search refuses the summary", Err: cause}
}

// Search implements shop.Index.
func (x *Index) Search(ctx context.Context, q shop.SummaryQuery) (shop.SummaryPage, error) {
	body, err := json.Marshal(request(q))
	if err != nil {
		return shop.SummaryPage{}, fmt.Errorf("encoding a search: %w", err)
	}
	a, err := x.call(ctx, http.MethodPost, "/"+indexName+"/_search", "application/json", body)
	if err != nil {
		return shop.SummaryPage{}, err
	}
	if a.status == http.StatusNotFound && a.failure().Type == "index_not_found_exception" {
		return shop.SummaryPage{}, nil // no order was ever indexed
	}
	if a.status != http.StatusOK {
		return shop.SummaryPage{}, a.err("searching summaries")
	}
	var result struct {
		Shards struct{ Failed int } `json:"_shards"`
		Hits   struct {
			Hits []struct {
				Source shop.Summary `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := a.decode(&result); err != nil {
		return shop.SummaryPage{}, err
	}
	if result.Shards.Failed > 0 {
		return shop.SummaryPage{}, &shop.Error{Code: shop.Unavailable, Message: "a part of the search does not answer"}
	}
	var page shop.SummaryPage
	for _, hit := range result.Hits.Hits {
		page.Items = append(page.Items, hit.Source)
	}
	if len(page.Items) > q.Limit {
		page.Items, page.More = page.Items[:q.Limit], true
	}
	return page, nil
}

// request asks for one summary more than the page has, which tells whether another page follows.
func request(q shop.SummaryQuery) map[string]any {
	query := map[string]any{"match_all": map[string]any{}}
	// A match query has no syntax: whatever a customer types is words, and never an operator, a field or an error.
	if wanted := words(q.Search); wanted != "" {
		query = map[string]any{"match": map[string]any{"words": map[string]any{"query": wanted, "operator": "and"}}}
	}
	r := map[string]any{"size": q.Limit + 1, "track_total_hits": false, "query": query,
		"sort": []any{map[string]any{"placed_at": "desc"}, map[string]any{"id": "asc"}}}
	if q.After != (shop.SummaryCursor{}) {
		r["search_after"] = []any{q.After.PlacedAt.UnixMilli(), q.After.ID}
	}
	return r
}

// words returns the letters and digits of s in lower case, parted by spaces, so that every analyzer finds the same words.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

// Dependency returns the search as a dependency of the service.
func (x *Index) Dependency() shop.Dependency {
	return shop.Dependency{Name: "search", Check: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, attemptFor)
		defer cancel()
		a, err := x.send(ctx, http.MethodGet, "/", "", nil, time.Now())
		if err == nil && a.status != http.StatusOK {
			err = a.err("asking for the domain")
		}
		return err
	}}
}
