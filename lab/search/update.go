package search

import (
	"encoding/json"
	"net/http"
	"reflect"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// update is a partial document on its way into a whole one.
type update struct {
	Doc         map[string]any
	Upsert      map[string]any
	DocAsUpsert bool
	DetectNoop  bool
}

func readUpdate(body []byte) (*update, error) {
	members, err := object(body, "doc", "upsert", "doc_as_upsert", "detect_noop", "script", "scripted_upsert")
	if err != nil {
		return nil, err
	}
	if members["script"] != nil || members["scripted_upsert"] != nil {
		return nil, refusal.Argument("cannot execute [inline] scripts: scripts are not served")
	}
	u := &update{DetectNoop: true}
	for name, into := range map[string]*map[string]any{"doc": &u.Doc, "upsert": &u.Upsert} {
		if members[name] == nil {
			continue
		}
		if *into, err = mapping.Decode(members[name]); err != nil {
			return nil, err
		}
	}
	for name, into := range map[string]*bool{"doc_as_upsert": &u.DocAsUpsert, "detect_noop": &u.DetectNoop} {
		if members[name] != nil && json.Unmarshal(members[name], into) != nil {
			return nil, refusal.Parsing("[%s] must be true or false", name)
		}
	}
	if u.Doc == nil {
		return nil, invalid("script or doc is missing")
	}
	return u, nil
}

func (r *call) updateDocument() (answer, error) {
	u, err := readUpdate(r.body)
	if err != nil {
		return answer{}, err
	}
	if filter, err := r.sourceFilter(); err != nil || r.params.Has("_source") || len(filter.includes)+len(filter.excludes) > 0 {
		return answer{}, refusal.Argument("[_source] of an update is not served: get the document")
	}
	refresh, err := r.refreshPolicy()
	if err != nil {
		return answer{}, err
	}
	o, err := r.operation()
	if err != nil {
		return answer{}, err
	}
	retries, err := r.number("retry_on_conflict", 0)
	if err != nil {
		return answer{}, err
	}
	x, err := r.target(r.path["index"], making)
	if err != nil {
		return answer{}, err
	}
	copies, noop, err := x.update(o, u, retries)
	if err != nil {
		return answer{}, x.about(err)
	}
	if err := r.refreshed(refresh, x.route(o.id, o.routing)); err != nil {
		return answer{}, err
	}
	_, status := o.result()
	out := r.outcome(x, o, copies, refresh == "true" && !noop)
	if noop {
		out["result"], status = "noop", http.StatusOK
		out["_shards"] = map[string]any{"total": 0, "successful": 0, "failed": 0}
	}
	return answer{status: status, body: out}, nil
}

// update reads the document, merges and writes it back unless somebody wrote in between; then again, as often as asked.
func (x *openIndex) update(o *operation, u *update, retries int) (copies int, noop bool, err error) {
	asked, askedTerm := o.ifSeq, o.ifTerm
	for attempt := 0; ; attempt++ {
		o.ifSeq, o.ifTerm = asked, askedTerm
		if noop, err = x.merge(o, u); err != nil || noop {
			return 0, noop, err
		}
		if err := x.learn(o.id, o.source); err != nil {
			return 0, false, err
		}
		copies, err = x.route(o.id, o.routing).write([]*operation{o})
		if err != nil {
			return 0, false, err
		}
		if o.err == nil || asked != nil || attempt >= retries {
			return copies, false, o.err
		}
	}
}

// merge makes the operation that an update comes to. noop tells that the document is so already.
func (x *openIndex) merge(o *operation, u *update) (noop bool, err error) {
	record, found, err := x.route(o.id, o.routing).get(o.id)
	if err != nil {
		return false, err
	}
	o.create = !found
	if !found {
		root := u.Upsert
		if u.DocAsUpsert {
			root = u.Doc
		}
		if root == nil {
			return false, refusal.New(http.StatusNotFound, "document_missing_exception", "[_doc][%s]: document missing", o.id).With("index", x.name).With("index_uuid", x.uuid)
		}
		o.source, err = json.Marshal(root)
		return false, err
	}
	old, err := mapping.Decode(record.Source)
	if err != nil {
		return false, err
	}
	if o.ifSeq == nil {
		seq := record.Seq - 1
		o.ifSeq, o.ifTerm = &seq, record.Term
	}
	merged, changed := overlay(old, u.Doc)
	if !changed && u.DetectNoop {
		o.record, o.existed = record, true
		return true, nil
	}
	o.source, err = json.Marshal(merged)
	return false, err
}

// overlay puts a partial document over one: objects merge, all else is replaced.
func overlay(under, over map[string]any) (merged map[string]any, changed bool) {
	for name, v := range over {
		old, known := under[name]
		oldObject, a := old.(map[string]any)
		newObject, b := v.(map[string]any)
		if a && b {
			m, c := overlay(oldObject, newObject)
			under[name], changed = m, changed || c
			continue
		}
		if !known || !reflect.DeepEqual(old, v) {
			under[name], changed = v, true
		}
	}
	return under, changed
}
