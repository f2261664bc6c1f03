package elasticsearch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"storefront/services/shop"
	"storefront/services/shop/elasticsearch"
	"storefront/services/shop/shoptest"
)

// domain answers as told and keeps what it was asked. It is a transport, so that time can be that of the test.
type domain struct {
	mu      sync.Mutex
	answers []string // status, a space and the body, one for each request; the last one stays
	asked   []asked
}

type asked struct {
	method, path, body, authorization string
	at                                time.Time
}

func (d *domain) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d.asked = append(d.asked, asked{r.Method, r.URL.Path, string(body), r.Header.Get("Authorization"), time.Now()})
	answer := d.answers[0]
	if len(d.answers) > 1 {
		d.answers = d.answers[1:]
	}
	status, text, _ := strings.Cut(answer, " ")
	if status == "reset" {
		return nil, errors.New("connection reset by peer")
	}
	w := httptest.NewRecorder()
	w.Code, _ = strconv.Atoi(status)
	_, _ = w.Body.WriteString(text)
	return w.Result(), nil
}

func open(t *testing.T, answers ...string) (*elasticsearch.Index, *domain) {
	t.Helper()
	d := &domain{answers: answers}
	x, err := elasticsearch.Open(elasticsearch.Config{Endpoint: "https://search.test/", Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "the-secret", "the-session"), HTTP: &http.Client{Transport: d}})
	if err != nil {
		t.Fatal(err)
	}
	return x, d
}

const (
	made    = `200 {"acknowledged":true}`
	exists  = `400 {"error":{"type":"resource_already_exists_exception","reason":"there"},"status":400}`
	stored  = `200 {"errors":false,"items":[{"index":{"_id":"a","status":201}}]}`
	nothing = `200 {"_shards":{"failed":0},"hits":{"hits":[]}}`
)

func TestPut(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string
		want    shop.Code
		calls   int
	}{
		"new index":                 {[]string{made, stored}, "", 2},
		"another made it":           {[]string{exists, stored}, "", 2},
		"newer version there":       {[]string{made, `200 {"errors":true,"items":[{"index":{"_id":"a","status":409,"error":{"type":"version_conflict_engine_exception"}}}]}`}, "", 2},
		"item refused":              {[]string{made, `200 {"errors":true,"items":[{"index":{"_id":"a","status":400,"error":{"type":"mapper_parsing_exception"}}}]}`}, shop.Invalid, 2},
		"index blocked":             {[]string{made, `200 {"errors":true,"items":[{"index":{"_id":"a","status":403,"error":{"type":"cluster_block_exception"}}}]}`}, shop.Internal, 2},
		"item without an answer":    {[]string{made, `200 {"items":[null]}`}, shop.Internal, 2},
		"request refused whole":     {[]string{made, `400 {"error":{"type":"illegal_argument_exception"}}`}, shop.Internal, 2},
		"shard away":                {[]string{made, `200 {"errors":true,"items":[{"index":{"_id":"a","status":503,"error":{"type":"unavailable_shards_exception"}}}]}`}, shop.Unavailable, 2},
		"item rejected when busy":   {[]string{made, `200 {"errors":true,"items":[{"index":{"_id":"a","status":429,"error":{"type":"es_rejected_execution_exception"}}}]}`}, shop.Unavailable, 2},
		"fewer answers than asked":  {[]string{made, `200 {"errors":false,"items":[]}`}, shop.Internal, 2},
		"index refused":             {[]string{`400 {"error":{"type":"mapper_parsing_exception","reason":"no"}}`}, shop.Internal, 1},
		"busy for a moment":         {[]string{made, "429 {}", stored}, "", 3},
		"one connection was closed": {[]string{made, "reset", "503 Service Unavailable", stored}, "", 4},
		"busy":                      {[]string{made, "429 {}"}, shop.Unavailable, 4},
		"away":                      {[]string{"reset"}, shop.Unavailable, 3},
		"gateway without its node":  {[]string{"502 <html>"}, shop.Unavailable, 3},
		"forbidden":                 {[]string{`403 {"Message":"User: anonymous is not authorized"}`}, shop.Internal, 1},
		"not JSON":                  {[]string{made, "200 <html>"}, shop.Internal, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, d := open(t, c.answers...)
				err := x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(1)})[0]
				if shop.CodeOf(err) != c.want || len(d.asked) != c.calls {
					t.Errorf("got %v after %d calls, want %q after %d", err, len(d.asked), c.want, c.calls)
				}
			})
		})
	}
}

// taking answers each request as a domain that takes what it is sent, and notes how much that was.
type taking struct{ sizes, counts []int }

func (d *taking) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if r.Method == http.MethodPut {
		_, _ = w.WriteString(`{"acknowledged":true}`)
		return w.Result(), nil
	}
	n := strings.Count(string(body), "\n") / 2
	d.sizes, d.counts = append(d.sizes, len(body)), append(d.counts, n)
	_, _ = w.WriteString(`{"items":[` + strings.TrimSuffix(strings.Repeat(`{"index":{"status":201}},`, n), ",") + `]}`)
	return w.Result(), nil
}

// TestRequestsAreBounded stores many summaries, and then some with the most and longest names that orders can have.
func TestRequestsAreBounded(t *testing.T) {
	long := shoptest.SampleSummary(1)
	for len(long.Items) < shop.MaxItems {
		long.Items = append(long.Items, shop.SummaryItem{ProductID: strings.Repeat("p", 64), Name: strings.Repeat("\U00020000", 200), Quantity: 1000})
	}
	for name, c := range map[string]struct {
		summary shop.Summary
		n       int
		counts  string
	}{"many": {shoptest.SampleSummary(1), 450, "[200 200 50]"}, "long": {long, 70, "[62 8]"}} {
		t.Run(name, func(t *testing.T) {
			d := new(taking)
			x, err := elasticsearch.Open(elasticsearch.Config{Endpoint: "https://search.test", HTTP: &http.Client{Transport: d}})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(x.Put(t.Context(), slices.Repeat([]shop.Summary{c.summary}, c.n))...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(d.counts); got != c.counts || slices.Max(d.sizes) > 10<<20 {
				t.Errorf("requests of %s summaries and %v bytes, want %s and at most 10 MiB", got, d.sizes, c.counts)
			}
		})
	}
}

func TestErrorsTellTheCause(t *testing.T) {
	x, _ := open(t, `403 {"Message":"User: anonymous is not authorized to perform: es:ESHttpPut"}`)
	if err := x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(1)})[0]; err == nil || !strings.Contains(err.Error(), "es:ESHttpPut") {
		t.Errorf("got %v, want what the domain said", err)
	}
}

func TestIndexIsMadeOnce(t *testing.T) {
	x, d := open(t, made, stored)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := errors.Join(x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(1)})...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	puts := 0
	for _, a := range d.asked {
		if a.method == http.MethodPut {
			puts++
			if !json.Valid([]byte(a.body)) || !strings.Contains(a.body, `"number_of_replicas": 1`) {
				t.Errorf("the index is made with %s", a.body)
			}
		}
	}
	if puts != 1 {
		t.Errorf("the index was made %d times, want once", puts)
	}
}

func TestBulkIsVersionedAndSplit(t *testing.T) {
	many := make([]shop.Summary, 450)
	answers := []string{made}
	for _, n := range []int{200, 200, 50} {
		answers = append(answers, `200 {"items":[`+strings.TrimSuffix(strings.Repeat(`{"index":{"status":200}},`, n), ",")+`]}`)
	}
	for i := range many {
		many[i] = shoptest.SampleSummary(i)
		many[i].Version = int64(i + 1)
	}
	x, d := open(t, answers...)
	if err := errors.Join(x.Put(t.Context(), many)...); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(d.asked[1].body, "\n")
	if want := `{"index":{"_id":"` + many[1].ID + `","version":2,"version_type":"external"}}`; lines[2] != want {
		t.Errorf("the second action is %s, want %s", lines[2], want)
	}
	if len(d.asked) != 4 || len(lines) != 401 {
		t.Errorf("%d requests, the first of %d lines; want 4 and 401", len(d.asked), len(lines))
	}
}

// TestEverySummaryHasItsAnswer has requests of which some summaries fail, and requests that fail whole.
func TestEverySummaryHasItsAnswer(t *testing.T) {
	item := func(status int) string { return fmt.Sprintf(`{"index":{"status":%d,"error":{"type":"x"}}}`, status) }
	bulk := func(items ...string) string { return `200 {"items":[` + strings.Join(items, ",") + `]}` }
	for name, c := range map[string]struct {
		answers []string
		n       int
		want    map[int]shop.Code // of the summaries that are not stored, by number
	}{
		"one is refused": {[]string{made, bulk(item(201), item(400), item(409), item(503), item(403))}, 5, map[int]shop.Code{1: shop.Invalid, 3: shop.Unavailable, 4: shop.Internal}},
		"two requests":   {[]string{made, bulk(slices.Repeat([]string{item(201)}, 200)...), bulk(slices.Repeat([]string{item(409)}, 9)...)}, 209, nil},
		"the second request fails": {[]string{made, bulk(append([]string{item(400)}, slices.Repeat([]string{item(201)}, 199)...)...), "503 {}"}, 203,
			map[int]shop.Code{0: shop.Invalid, 200: shop.Unavailable, 201: shop.Unavailable, 202: shop.Unavailable}},
		"the index cannot be made": {[]string{"403 {}"}, 2, map[int]shop.Code{0: shop.Internal, 1: shop.Internal}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, _ := open(t, c.answers...)
				got := x.Put(t.Context(), slices.Repeat([]shop.Summary{shoptest.SampleSummary(1)}, c.n))
				if len(got) != c.n {
					t.Fatalf("%d answers for %d summaries", len(got), c.n)
				}
				for i, err := range got {
					if shop.CodeOf(err) != c.want[i] {
						t.Errorf("summary %d: got %v, want %q", i, err, c.want[i])
					}
				}
			})
		})
	}
}

// TestIndexIsMadeAgain has somebody delete the index of a running service.
func TestIndexIsMadeAgain(t *testing.T) {
	x, d := open(t, made, stored, `200 {"items":[{"index":{"_id":"a","status":404,"error":{"type":"index_not_found_exception"}}}]}`, made, stored)
	for i, want := range []shop.Code{"", shop.Internal, ""} {
		if err := x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(i)})[0]; shop.CodeOf(err) != want {
			t.Errorf("summary %d: got %v, want %q", i, err, want)
		}
	}
	var methods []string
	for _, a := range d.asked {
		methods = append(methods, a.method)
	}
	if got := strings.Join(methods, " "); got != "PUT POST POST PUT POST" {
		t.Errorf("asked by %s, want the index to be made again", got)
	}
}

func TestSearchErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   shop.Code
	}{
		"found nothing":   {nothing, ""},
		"no index yet":    {`404 {"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`, ""},
		"other 404":       {`404 {"message":"no such route"}`, shop.Internal},
		"a shard is away": {`200 {"_shards":{"failed":1},"hits":{"hits":[]}}`, shop.Unavailable},
		"all are away":    {`503 {"error":{"type":"search_phase_execution_exception","reason":"all shards failed"}}`, shop.Unavailable},
		"refused":         {`400 {"error":{"type":"parsing_exception","reason":"x"}}`, shop.Internal},
		"cut off":         {`200 {"hits":`, shop.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, _ := open(t, c.answer)
				page, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 1})
				if shop.CodeOf(err) != c.want || len(page.Items) != 0 {
					t.Errorf("got %+v, %v; want %q", page, err, c.want)
				}
			})
		})
	}
}

// TestSearchHasNoSyntax is about what customers type and query languages take for operators.
func TestSearchHasNoSyntax(t *testing.T) {
	x, d := open(t, nothing)
	after := shop.SummaryCursor{PlacedAt: time.UnixMilli(1234), ID: "x"}
	if _, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 7, Search: `status:rejected OR "a*" -b`, After: after}); err != nil {
		t.Fatal(err)
	}
	const want = `{"query":{"match":{"words":{"operator":"and","query":"status rejected or a b"}}},"search_after":[1234,"x"],"size":8,"sort":[{"placed_at":"desc"},{"id":"asc"}],"track_total_hits":false}`
	if got := d.asked[0].body; got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
}

func TestRequestsAreSigned(t *testing.T) {
	x, d := open(t, nothing)
	if _, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if got := d.asked[0].authorization; !strings.HasPrefix(got, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(got, "/us-east-1/es/aws4_request") {
		t.Errorf("Authorization is %q, want a signature for es", got)
	}
	refused := errors.New("no role on this instance")
	x, err := elasticsearch.Open(elasticsearch.Config{Endpoint: "https://search.test", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, refused
	}), HTTP: &http.Client{Transport: d}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 1}); shop.CodeOf(err) != shop.Unavailable || !errors.Is(err, refused) {
		t.Errorf("got %v, want unavailable for want of credentials", err)
	}
}

func TestRetriesAreSpreadAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, d := open(t, "429 {}")
		start := time.Now()
		if _, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 1}); shop.CodeOf(err) != shop.Unavailable {
			t.Fatalf("got %v, want unavailable", err)
		}
		first, second := d.asked[1].at.Sub(start), d.asked[2].at.Sub(d.asked[1].at)
		if len(d.asked) != 3 || first < 50*time.Millisecond || first > 150*time.Millisecond || second < 100*time.Millisecond || second > 300*time.Millisecond {
			t.Errorf("%d attempts, pauses %s and %s", len(d.asked), first, second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, err := x.Search(ctx, shop.SummaryQuery{Limit: 1}); err == nil || time.Since(start) > 10*time.Millisecond {
			t.Errorf("a caller of 10 ms got %v after %s", err, time.Since(start))
		}
	})
}

func TestEndpoint(t *testing.T) {
	for _, bad := range []string{"", "search.test", "search.test:443", "ftp://search.test", "https://search.test/index", "https://user:pw@search.test", "https://search.test?x=1", "://"} {
		if _, err := elasticsearch.Open(elasticsearch.Config{Endpoint: bad}); err == nil {
			t.Errorf("endpoint %q was taken", bad)
		}
	}
}

func TestDependency(t *testing.T) {
	for answer, ready := range map[string]bool{`200 {"version":{}}`: true, "503 -": false, "403 {}": false, "reset": false} {
		x, _ := open(t, answer)
		if err := x.Dependency().Check(t.Context()); (err == nil) != ready {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// FuzzAnswer is about a proxy, or another version of the engine, in the domain's place.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{made, exists, stored, nothing, "200 null", `200 {"items":[null]}`, `200 {"hits":{"hits":[{"_source":{"placed_at":"never"}}]}}`, `400 {"error":"text"}`, `404 []`, "500 \xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "429") || strings.HasPrefix(text, "50") || strings.HasPrefix(text, "reset") {
			return // tried again after a pause
		}
		d := &domain{answers: []string{made, text}}
		x, err := elasticsearch.Open(elasticsearch.Config{Endpoint: "https://search.test", HTTP: &http.Client{Transport: d}})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(1)})[0]; !slices.Contains([]shop.Code{"", shop.Invalid, shop.Internal, shop.Unavailable}, shop.CodeOf(err)) {
			t.Errorf("Put: %v", err)
		}
		page, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 2})
		if err == nil && len(page.Items) > 2 {
			t.Errorf("a page of 2 has %d items", len(page.Items))
		}
	})
}
