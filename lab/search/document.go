package search

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
	"storefront/lab/search/internal/shard"
)

func (r *call) indexDocument() (answer, error) {
	switch t := r.params.Get("op_type"); t {
	case "", "index":
		return r.put(false)
	case "create":
		return r.put(true)
	default:
		return answer{}, refusal.Argument("opType must be 'create' or 'index', found: [%s]", t)
	}
}

func (r *call) createDocument() (answer, error) { return r.put(true) }

func (r *call) put(create bool) (answer, error) {
	if len(bytes.TrimSpace(r.body)) == 0 {
		return answer{}, refusal.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	o, err := r.operation()
	if err != nil {
		return answer{}, err
	}
	o.create, o.source = create, r.body
	if o.id == "" {
		o.id, o.create = newDocumentID(), true
	}
	if create && (o.versioning != "internal" || o.ifSeq != nil) {
		return answer{}, invalid("create operations do not support versioning. use index instead")
	}
	return r.write(o)
}

func (r *call) deleteDocument() (answer, error) {
	o, err := r.operation()
	if err != nil {
		return answer{}, err
	}
	return r.write(o)
}

func invalid(format string, args ...any) *refusal.Error {
	return refusal.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: "+format+";", args...)
}

// operation reads what the path and the parameters say of a write.
func (r *call) operation() (*operation, error) {
	return newOperation(r.path["id"], r.params.Get)
}

// newOperation reads a write's settings: the same in a URI and in a line of a bulk request.
func newOperation(id string, get func(string) string) (*operation, error) {
	o := &operation{id: id, routing: get("routing"), versioning: "internal"}
	if len(id) > 512 {
		return nil, invalid("id [%s...] is too long, must be no longer than 512 bytes but was: %d", id[:64], len(id))
	}
	whole := func(name string) (uint64, bool, error) {
		text := get(name)
		if text == "" {
			return 0, false, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return 0, false, refusal.Argument("Failed to parse long parameter [%s] with value [%s]", name, text)
		}
		return uint64(n), true, nil
	}
	version, versioned, err := whole("version")
	if err != nil {
		return nil, err
	}
	seq, sequenced, err := whole("if_seq_no")
	if err != nil {
		return nil, err
	}
	term, termed, err := whole("if_primary_term")
	if err != nil {
		return nil, err
	}
	switch t := get("version_type"); {
	case t == "external", t == "external_gt":
		o.versioning = "external"
	case t == "external_gte":
		o.versioning = "external_gte"
	case t != "" && t != "internal":
		return nil, refusal.Argument("No version type match [%s]", t)
	case versioned:
		return nil, invalid("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
	}
	switch {
	case o.versioning != "internal" && !versioned:
		return nil, invalid("illegal version value [-3] for version type [%s]", get("version_type"))
	case sequenced != termed:
		return nil, invalid("ifSeqNo and ifPrimaryTerm must be given together")
	case sequenced && o.versioning != "internal":
		return nil, invalid("compare and write operations can not use versioning")
	}
	o.version = version
	if sequenced {
		o.ifSeq, o.ifTerm = &seq, term
	}
	return o, nil
}

// write does one operation and answers it.
func (r *call) write(o *operation) (answer, error) {
	refresh, err := r.refreshPolicy()
	if err != nil {
		return answer{}, err
	}
	x, err := r.target(r.path["index"], o.use())
	if err != nil {
		return answer{}, err
	}
	if o.source != nil {
		if err := x.learn(o.id, o.source); err != nil {
			return answer{}, err
		}
	}
	g := x.route(o.id, o.routing)
	copies, err := g.write([]*operation{o})
	if err == nil {
		err = o.err
	}
	if err != nil {
		return answer{}, x.about(err)
	}
	if err := r.refreshed(refresh, g); err != nil {
		return answer{}, err
	}
	_, status := o.result()
	return answer{status: status, body: r.outcome(x, o, copies, refresh == "true")}, nil
}

// about names the index of a refused operation.
func (x *openIndex) about(err error) error {
	if e := refusal.From(err); e.Type == "version_conflict_engine_exception" {
		return e.With("index", x.name).With("index_uuid", x.uuid)
	}
	return err
}

// outcome is what a write is answered.
func (r *call) outcome(x *openIndex, o *operation, copies int, forced bool) map[string]any {
	name, _ := o.result()
	out := map[string]any{"_index": x.name, "_type": "_doc", "_id": o.id, "_version": o.record.Version, "result": name,
		"_seq_no": o.record.Seq - 1, "_primary_term": o.record.Term,
		"_shards": map[string]any{"total": 1 + r.meta(x).Replicas, "successful": copies, "failed": 0}}
	if forced {
		out["forced_refresh"] = true
	}
	return out
}

// learn makes the mapping know what a document brings. It refuses a document that does not fit.
func (x *openIndex) learn(id string, source []byte) error {
	for {
		added, err := x.mapping.Load().Check(id, source)
		if err != nil || added == nil {
			return err
		}
		if err := x.extend(added); err != nil {
			return err
		}
	}
}

// extend merges what is new into the mapping.
func (x *openIndex) extend(added *mapping.Mapping) error {
	return x.cluster.change(func(k *catalog) error {
		meta := k.Indices[x.name]
		if meta == nil || meta.UUID != x.uuid {
			return notFound(x.name)
		}
		merged, err := meta.Mapping.Merge(added)
		if err != nil {
			return err
		}
		meta.Mapping = merged
		x.mapping.Store(merged)
		return nil
	})
}

// refreshPolicy reads when a write shall be searchable: "true" at once, "wait_for" before the answer, "false" whenever.
func (r *call) refreshPolicy() (string, error) {
	switch p := r.params.Get("refresh"); {
	case p == "" && r.params.Has("refresh"):
		return "true", nil
	case p == "":
		return "false", nil
	case p == "true", p == "false", p == "wait_for":
		return p, nil
	default:
		return "", refusal.Argument("Unknown value for refresh: [%s].", p)
	}
}

func (r *call) refreshed(policy string, groups ...*group) error {
	for _, g := range groups {
		var err error
		switch policy {
		case "true":
			err = g.refresh()
		case "wait_for":
			err = g.refreshed(r.ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *call) getDocument() (answer, error) {
	_, out, found, err := r.fetch(r.path["index"], r.path["id"], r.params.Get("routing"))
	if err != nil {
		return answer{}, err
	}
	if !found {
		return answer{status: http.StatusNotFound, body: out}, nil
	}
	return ok(out)
}

func (r *call) getSource() (answer, error) {
	_, out, found, err := r.fetch(r.path["index"], r.path["id"], r.params.Get("routing"))
	if err != nil {
		return answer{}, err
	}
	if source, ok := out["_source"]; found && ok {
		return answer{status: http.StatusOK, body: source}, nil
	}
	return answer{}, refusal.New(http.StatusNotFound, "resource_not_found_exception", "Document not found [%s]/[_doc]/[%s]", r.path["index"], r.path["id"])
}

// fetch reads a document for an answer.
func (r *call) fetch(index, id, routing string) (shard.Record, map[string]any, bool, error) {
	x, err := r.target(index, reading)
	if err != nil {
		return shard.Record{}, nil, false, err
	}
	if realtime, err := r.flag("realtime", true); err != nil || !realtime {
		return shard.Record{}, nil, false, refusal.Argument("[realtime] of [false] is not served: search for the document instead")
	}
	filter, err := r.sourceFilter()
	if err != nil {
		return shard.Record{}, nil, false, err
	}
	record, found, err := x.route(id, routing).get(id)
	if err != nil {
		return shard.Record{}, nil, false, err
	}
	out := map[string]any{"_index": x.name, "_type": "_doc", "_id": id, "found": found}
	if !found {
		return record, out, false, nil
	}
	if want := r.params.Get("version"); want != "" && want != strconv.FormatUint(record.Version, 10) {
		return record, nil, false, x.about(refusal.New(http.StatusConflict, "version_conflict_engine_exception",
			"[%s]: version conflict, current version [%d] is different than the one provided [%s]", id, record.Version, want))
	}
	out["_version"], out["_seq_no"], out["_primary_term"] = record.Version, record.Seq-1, record.Term
	if record.Routing != "" {
		out["_routing"] = record.Routing
	}
	if filter.wanted() {
		if out["_source"], err = filter.apply(record.Source); err != nil {
			return record, nil, false, err
		}
	}
	return record, out, true, nil
}

// getMany is the multi get: {"docs":[{"_index","_id"}]} or {"ids":[...]}.
func (r *call) getMany() (answer, error) {
	members, err := r.members("docs", "ids")
	if err != nil {
		return answer{}, err
	}
	type item struct {
		Index   string `json:"_index"`
		ID      string `json:"_id"`
		Routing string `json:"routing"`
		Type    string `json:"_type"`
	}
	var docs []item
	var ids []string
	for name, into := range map[string]any{"docs": &docs, "ids": &ids} {
		if members[name] == nil {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(members[name]))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			return answer{}, refusal.Parsing("[%s] of a multi get: %v", name, err)
		}
	}
	for _, id := range ids {
		docs = append(docs, item{ID: id})
	}
	if len(docs) == 0 {
		return answer{}, invalid("no documents to get")
	}
	out := []any{}
	for _, d := range docs {
		if d.Index == "" {
			d.Index = r.path["index"]
		}
		_, doc, _, err := r.fetch(d.Index, d.ID, d.Routing)
		if err != nil {
			e := refusal.From(err).Body()
			e["root_cause"] = []any{refusal.From(err).Body()}
			doc = map[string]any{"_index": d.Index, "_type": "_doc", "_id": d.ID, "error": e}
		}
		out = append(out, doc)
	}
	return ok(map[string]any{"docs": out})
}
