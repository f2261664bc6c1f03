package drill

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const pageSize = 500

// errAbsent says that the search has no such thing.
var errAbsent = errors.New("there is no such thing")

// document is one document of an index, and one line of a dump.
type document struct {
	ID      string          `json:"_id"`
	Version int64           `json:"_version"`
	Source  json.RawMessage `json:"_source"`
}

// dump is a whole index.
type dump struct {
	Settings  json.RawMessage `json:"settings"`
	Mappings  json.RawMessage `json:"mappings"`
	Documents []document      `json:"documents"`
}

func (c Config) drillIndex(ctx context.Context, store bucket, run string) (err error) {
	d, err := c.domain(ctx)
	if err != nil {
		return err
	}
	copied := c.Index + "-drill-" + run
	var source dump
	if err := c.step("index dumped into s3://"+store.name+"/"+store.prefix+"index.json", func() error {
		if source, err = d.read(ctx, c.Index); err != nil {
			return err
		}
		content, err := json.Marshal(source)
		if err != nil {
			return err
		}
		return store.put(ctx, "index.json", content)
	}); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, c.step("index "+copied+" taken away", func() error {
			return d.call(context.WithoutCancel(ctx), http.MethodDelete, "/"+copied+"?ignore_unavailable=true", nil, nil)
		}))
	}()
	if err := c.step("dump loaded into the index "+copied, func() error {
		content, err := store.get(ctx, "index.json")
		if err != nil {
			return err
		}
		var stored dump
		if err := json.Unmarshal(content, &stored); err != nil {
			return err
		}
		return d.write(ctx, copied, stored)
	}); err != nil {
		return err
	}
	restored, err := d.read(ctx, copied)
	if err != nil {
		return err
	}
	result, err := compareDocuments(source.Documents, restored.Documents)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "drill: index %s: %d documents the same, %d missing, %d that were not there\n", c.Index, result.same, result.missing, result.extra)
	return result.err()
}

// compareDocuments compares two lists in the order of their IDs; fields may come in any order.
func compareDocuments(source, restored []document) (d difference, err error) {
	lines := func(list []document) (out map[string]bool) {
		out = map[string]bool{}
		for _, doc := range list {
			var fields any
			if err = errors.Join(err, json.Unmarshal(doc.Source, &fields)); err != nil {
				return out
			}
			plain, _ := json.Marshal(fields) // of what was JSON
			out[fmt.Sprintf("%s %d %s", doc.ID, doc.Version, plain)] = true
		}
		return out
	}
	a, b := lines(source), lines(restored)
	for line := range a {
		if b[line] {
			d.same++
		} else {
			d.missing++
		}
	}
	d.extra = len(b) - d.same
	return d, err
}

// domain is a client of the search domain, whose requests are signed.
type domain struct {
	Config
	http *http.Client
}

func (c Config) domain(ctx context.Context) (*domain, error) {
	u, err := url.Parse(c.SearchURL)
	if err != nil {
		return nil, fmt.Errorf("the search domain's URL: %w", err)
	}
	local, err := c.SearchVia.open(ctx, u.Hostname(), "443")
	if err != nil {
		return nil, err
	}
	authorities, err := os.ReadFile(c.Authority)
	if err != nil {
		return nil, fmt.Errorf("authorities of the domain: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	return &domain{c, &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", local)
		},
	}}}, nil
}

// call sends a request and decodes the answer.
func (d *domain) call(ctx context.Context, method, path string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, d.SearchURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	credentials, err := d.SearchAs.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials to sign with: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), "es", d.AWS.Region, time.Now()); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	resp, err := d.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err == nil && resp.StatusCode == http.StatusNotFound:
		err = fmt.Errorf("%s %s: %w", method, path, errAbsent)
	case err == nil && resp.StatusCode != http.StatusOK:
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer[:min(len(answer), 300)])
	}
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// read returns an index with all its documents, page by page in the order of their IDs.
func (d *domain) read(ctx context.Context, index string) (out dump, err error) {
	var about map[string]struct {
		Settings struct{ Index map[string]json.RawMessage }
		Mappings json.RawMessage
	}
	if err := d.call(ctx, http.MethodGet, "/"+index, nil, &about); errors.Is(err, errAbsent) {
		return out, fmt.Errorf("there is no index %s: the first order makes it, and without one there is nothing to prove; place an order (docs/shop.md) and drill again", index)
	} else if err != nil {
		return out, err
	}
	settings := map[string]json.RawMessage{}
	for _, name := range []string{"number_of_shards", "number_of_replicas"} { // the others say when and by whom it was made
		settings[name] = about[index].Settings.Index[name]
	}
	if out.Settings, err = json.Marshal(settings); err != nil {
		return out, err
	}
	out.Mappings = about[index].Mappings
	if err := d.call(ctx, http.MethodPost, "/"+index+"/_refresh", nil, nil); err != nil {
		return out, err
	}
	var after []json.RawMessage
	for {
		query := map[string]any{"size": pageSize, "version": true, "query": map[string]any{"match_all": map[string]any{}}, "sort": []any{map[string]any{"id": "asc"}}}
		if after != nil {
			query["search_after"] = after
		}
		body, err := json.Marshal(query)
		if err != nil {
			return out, err
		}
		var page struct {
			Shards struct{ Failed int } `json:"_shards"`
			Hits   struct {
				Hits []struct {
					document
					Sort []json.RawMessage `json:"sort"`
				}
			}
		}
		if err := d.call(ctx, http.MethodPost, "/"+index+"/_search", body, &page); err != nil {
			return out, err
		}
		if page.Shards.Failed > 0 {
			return out, errors.New("a part of the search does not answer")
		}
		for _, hit := range page.Hits.Hits {
			out.Documents, after = append(out.Documents, hit.document), hit.Sort
		}
		if len(page.Hits.Hits) < pageSize {
			return out, nil
		}
	}
}

// write makes an index of a dump. Versions are those of the dump.
func (d *domain) write(ctx context.Context, index string, from dump) error {
	definition, err := json.Marshal(map[string]any{"settings": from.Settings, "mappings": from.Mappings})
	if err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodPut, "/"+index, definition, nil); err != nil {
		return err
	}
	for part := range slices.Chunk(from.Documents, pageSize) {
		var body bytes.Buffer
		for _, doc := range part {
			action, err := json.Marshal(map[string]any{"index": map[string]any{"_id": doc.ID, "version": doc.Version, "version_type": "external"}})
			if err != nil {
				return err
			}
			fmt.Fprintf(&body, "%s\n%s\n", action, doc.Source)
		}
		var result struct{ Errors bool }
		if err := d.call(ctx, http.MethodPost, "/"+index+"/_bulk", body.Bytes(), &result); err != nil {
			return err
		}
		if result.Errors {
			return errors.New("the new index refused documents")
		}
	}
	return nil
}
