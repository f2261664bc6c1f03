package search

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	"storefront/lab/search/internal/refusal"
)

// item is one action of a bulk request.
type item struct {
	action string // index, create, update or delete
	index  string
	op     *operation
	update *update

	target *openIndex
	copies int
	noop   bool
	err    error
}

// readBulk reads a bulk request: for each action a line that says what to do, and for all but delete a line with the document.
func readBulk(body []byte, index, routing string) ([]*item, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, refusal.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	if body[len(body)-1] != '\n' {
		return nil, refusal.Argument("The bulk request must be terminated by a newline [\\n]")
	}
	var items []*item
	lines := bytes.Split(body[:len(body)-1], []byte{'\n'})
	for i := 0; i < len(lines); i++ {
		if len(bytes.TrimSpace(lines[i])) == 0 {
			continue
		}
		it, err := readAction(lines[i], i+1, index, routing)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
		if it.action == "delete" {
			continue
		}
		if i++; i == len(lines) {
			return nil, invalid("no requests added: the last action has no document")
		}
		it.document(lines[i])
	}
	if len(items) == 0 {
		return nil, invalid("no requests added")
	}
	return items, nil
}

// readAction reads the line that says what to do. A mistake in it refuses the whole request, as nobody knows what the next line is.
func readAction(line []byte, number int, index, routing string) (*item, error) {
	malformed := func(why string) error {
		return refusal.Argument("Malformed action/metadata line [%d], %s", number, why)
	}
	var actions map[string]map[string]json.RawMessage
	if err := json.Unmarshal(line, &actions); err != nil || len(actions) != 1 {
		return nil, malformed("expected an object with one action")
	}
	it := &item{index: index}
	for action, settings := range actions {
		it.action = action
		if !slices.Contains([]string{"index", "create", "update", "delete"}, action) {
			return nil, malformed("expected one of [create, delete, index, update] but found [" + action + "]")
		}
		values := map[string]string{}
		for name, v := range settings {
			if !slices.Contains([]string{"_index", "_id", "_type", "routing", "version", "version_type", "if_seq_no", "if_primary_term", "retry_on_conflict", "require_alias"}, name) || name == "require_alias" {
				return nil, refusal.Argument("Action/metadata line [%d] contains an unknown parameter [%s]", number, name)
			}
			if text := string(v); text != "null" {
				if v[0] == '{' || v[0] == '[' {
					return nil, malformed("[" + name + "] must be a value")
				}
				var s string
				if json.Unmarshal(v, &s) != nil {
					s = text
				}
				values[name] = s
			}
		}
		if values["_index"] != "" {
			it.index = values["_index"]
		}
		if values["routing"] == "" {
			values["routing"] = routing
		}
		if it.index == "" {
			return nil, invalid("index is missing")
		}
		if values["_id"] == "" && (action == "update" || action == "delete") {
			return nil, invalid("an id must be provided if version type or value are set, to update and to delete")
		}
		if it.op, it.err = newOperation(values["_id"], func(name string) string { return values[name] }); it.err != nil {
			return nil, it.err
		}
		it.op.create = action == "create"
	}
	return it, nil
}

// document takes the line with the document.
func (it *item) document(line []byte) {
	if it.action == "update" {
		it.update, it.err = readUpdate(line)
		return
	}
	if it.op.source = bytes.TrimSpace(line); len(it.op.source) == 0 {
		it.err = refusal.Mapping("failed to parse, document is empty")
	}
	if it.op.id == "" {
		it.op.id, it.op.create = newDocumentID(), true
	}
}

func (r *call) bulk() (answer, error) {
	began := r.config.Now()
	refresh, err := r.refreshPolicy()
	if err != nil {
		return answer{}, err
	}
	items, err := readBulk(r.body, r.path["index"], r.params.Get("routing"))
	if err != nil {
		return answer{}, err
	}
	touched := r.perform(items)
	if err := r.refreshed(refresh, touched...); err != nil {
		return answer{}, err
	}
	out, failed := make([]any, len(items)), false
	for i, it := range items {
		out[i] = map[string]any{it.action: r.itemOutcome(it, refresh == "true")}
		failed = failed || it.err != nil
	}
	return ok(map[string]any{"took": r.config.Now().Sub(began).Milliseconds(), "errors": failed, "items": out})
}

// perform does the items, those of one shard in their order and together, and returns the shards that changed.
func (r *call) perform(items []*item) []*group {
	byGroup := map[*group][]*item{}
	for _, it := range items {
		if it.err != nil {
			continue
		}
		want := it.op.use()
		if it.update != nil {
			want = making
		}
		if it.target, it.err = r.target(it.index, want); it.err != nil {
			continue
		}
		if it.op.source != nil {
			if it.err = it.target.learn(it.op.id, it.op.source); it.err != nil {
				continue
			}
		}
		g := it.target.route(it.op.id, it.op.routing)
		byGroup[g] = append(byGroup[g], it)
	}
	var wait sync.WaitGroup
	var touched []*group
	for g, list := range byGroup {
		touched = append(touched, g)
		wait.Go(func() { g.perform(list) })
	}
	wait.Wait()
	return touched
}

// perform does items in their order: what stands between two updates is one write.
func (g *group) perform(items []*item) {
	var together []*item
	flush := func() {
		operations := make([]*operation, len(together))
		for i, it := range together {
			operations[i] = it.op
		}
		if len(operations) > 0 {
			copies, err := g.write(operations)
			for _, it := range together {
				it.copies, it.err = copies, it.op.err
				if err != nil {
					it.err = err
				}
			}
		}
		together = nil
	}
	for _, it := range items {
		if it.update == nil {
			together = append(together, it)
			continue
		}
		flush()
		it.copies, it.noop, it.err = it.target.update(it.op, it.update, 0)
	}
	flush()
}

func (r *call) itemOutcome(it *item, forced bool) map[string]any {
	if it.err != nil {
		e := refusal.From(it.err)
		if it.target != nil {
			e = refusal.From(it.target.about(it.err))
		}
		return map[string]any{"_index": it.index, "_type": "_doc", "_id": it.op.id, "status": e.Status, "error": e.Body()}
	}
	out := r.outcome(it.target, it.op, it.copies, forced)
	_, out["status"] = it.op.result()
	if it.noop {
		out["result"], out["status"] = "noop", http.StatusOK
	}
	return out
}
