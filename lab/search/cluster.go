package search

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"storefront/lab/search/internal/refusal"
)

// banner is what GET / answers.
func (r *call) banner() (answer, error) {
	version := map[string]any{"number": r.release(), "build_flavor": "oss", "build_type": "tar", "build_hash": "unknown", "build_date": "2021-01-01T00:00:00.000000Z",
		"build_snapshot": false, "lucene_version": "8.7.0", "minimum_wire_compatibility_version": "6.8.0", "minimum_index_compatibility_version": "6.0.0-beta1"}
	tagline := "You Know, for Search"
	if strings.HasPrefix(r.config.Version, "OpenSearch_") {
		delete(version, "build_flavor")
		version["distribution"], tagline = "opensearch", "The OpenSearch Project: https://opensearch.org/"
	}
	return ok(map[string]any{"name": r.node, "cluster_name": r.config.Name, "cluster_uuid": r.catalog.UUID, "version": version, "tagline": tagline})
}

// release is the engine's version as it calls itself: 7.10.2 for AWS's 7.10, 1.3.0 for OpenSearch_1.3.
func (c *Cluster) release() string {
	number := strings.TrimPrefix(c.config.Version, "OpenSearch_")
	switch {
	case number == "7.10":
		return "7.10.2"
	case strings.Count(number, ".") == 1:
		return number + ".0"
	}
	return number
}

func (r *call) clusterHealth() (answer, error) {
	if l := r.params.Get("level"); l != "" && l != "cluster" && l != "indices" {
		return answer{}, refusal.Argument("[level] of [%s] is not served: cluster or indices", l)
	}
	reached, err := r.wanted()
	if err != nil {
		return answer{}, err
	}
	limit := 30 * time.Second
	if t := r.params.Get("timeout"); t != "" {
		var valid bool
		if limit, valid = duration(t); !valid {
			return answer{}, refusal.Argument("failed to parse setting [timeout] with value [%s] as a time value: unit is missing or unrecognized", t)
		}
	}
	ctx, cancel := context.WithTimeout(r.ctx, max(limit, 0))
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		indices, err := r.choose(r.path["index"])
		if err != nil {
			return answer{}, err
		}
		h := r.health(indices)
		if reached(h) {
			return answer{status: http.StatusOK, body: r.healthBody(h, false)}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return answer{status: http.StatusRequestTimeout, body: r.healthBody(h, true)}, nil
		}
	}
}

// wanted reads what the request waits for.
func (r *call) wanted() (func(health) bool, error) {
	rank := map[string]int{"": 0, "red": 0, "yellow": 1, "green": 2}
	want := strings.ToLower(r.params.Get("wait_for_status"))
	if _, known := rank[want]; !known {
		return nil, refusal.Argument("unknown cluster health status [%s]", want)
	}
	if r.params.Get("wait_for_active_shards") == "1" {
		return nil, refusal.Argument("[wait_for_active_shards] is not served here: wait_for_status is")
	}
	text := strings.TrimPrefix(r.params.Get("wait_for_nodes"), ">=")
	nodes := 0
	if text != "" {
		var err error
		if nodes, err = strconv.Atoi(text); err != nil {
			return nil, refusal.Argument("[wait_for_nodes] takes a number, or >= and a number, not [%s]", text)
		}
	}
	exact := text == r.params.Get("wait_for_nodes") && text != ""
	return func(h health) bool {
		return rank[h.Status] >= rank[want] && h.Nodes >= nodes && (!exact || h.Nodes == nodes)
	}, nil
}

func (r *call) healthBody(h health, timedOut bool) map[string]any {
	share := 100.0
	if all := h.ActiveShards + h.UnassignedShards; all > 0 {
		share = 100 * float64(h.ActiveShards) / float64(all)
	}
	out := map[string]any{"cluster_name": r.config.Name, "status": h.Status, "timed_out": timedOut, "number_of_nodes": h.Nodes, "number_of_data_nodes": h.data,
		"active_primary_shards": h.primaries, "active_shards": h.ActiveShards, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": h.UnassignedShards,
		"delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": share}
	if r.params.Get("level") == "indices" {
		list := map[string]any{}
		for name, one := range h.byIndex {
			list[name] = map[string]any{"status": one.Status, "active_shards": one.ActiveShards, "unassigned_shards": one.UnassignedShards}
		}
		out["indices"] = list
	}
	return out
}

// master is the node that a real cluster would have elected: the first that lives and may be.
func (c *Cluster) master() string {
	for _, n := range c.roster() {
		if n.up && n.Master {
			return n.ID
		}
	}
	return ""
}

func (r *call) clusterState() (answer, error) {
	nodes := map[string]any{}
	for _, n := range r.roster() {
		if n.up {
			nodes[n.ID] = map[string]any{"name": n.ID, "attributes": map[string]any{"zone": n.Zone}}
		}
	}
	a, err := r.view(func(m *indexMeta) map[string]any {
		return map[string]any{"state": "open", "settings": r.settings(m), "mappings": m.Mapping, "aliases": m.Aliases}
	})
	if err != nil {
		return answer{}, err
	}
	return ok(map[string]any{"cluster_name": r.config.Name, "cluster_uuid": r.catalog.UUID, "master_node": r.master(), "nodes": nodes, "metadata": map[string]any{"indices": a.body}})
}

func (r *call) clusterSettings() (answer, error) {
	return ok(map[string]any{"persistent": map[string]any{}, "transient": map[string]any{}})
}

func (r *call) clusterStats() (answer, error) {
	indices := r.all()
	h := r.health(indices)
	return ok(map[string]any{"cluster_name": r.config.Name, "cluster_uuid": r.catalog.UUID, "status": h.Status,
		"indices": map[string]any{"count": len(indices), "shards": map[string]any{"total": h.ActiveShards, "primaries": h.primaries},
			"docs": map[string]any{"count": h.Documents, "deleted": h.Deleted}, "store": map[string]any{"size_in_bytes": h.Bytes}},
		"nodes": map[string]any{"count": map[string]any{"total": h.Nodes, "data": h.data}}})
}

func (n *member) roles() []string {
	roles := []string{}
	if n.Data {
		roles = append(roles, "data", "ingest")
	}
	if n.Master {
		roles = append(roles, "master")
	}
	return roles
}

func (r *call) nodesInfo() (answer, error) {
	return r.eachNode(func(string) map[string]any { return nil })
}

func (r *call) nodesStats() (answer, error) {
	return r.eachNode(func(node string) map[string]any {
		documents, bytes := int64(0), int64(0)
		for _, x := range r.all() {
			for _, g := range x.groups {
				if copy := g.lineup.Load().copies[node]; copy != nil {
					s := copy.Stats()
					documents, bytes = documents+s.Documents, bytes+s.Bytes
				}
			}
		}
		return map[string]any{"timestamp": r.config.Now().UnixMilli(), "indices": map[string]any{"docs": map[string]any{"count": documents}, "store": map[string]any{"size_in_bytes": bytes}}}
	})
}

func (r *call) eachNode(more func(node string) map[string]any) (answer, error) {
	nodes := map[string]any{}
	for _, n := range r.roster() {
		if !n.up {
			continue
		}
		out := map[string]any{"name": n.ID, "version": r.release(), "roles": n.roles(), "attributes": map[string]any{"zone": n.Zone}}
		for k, v := range more(n.ID) {
			out[k] = v
		}
		nodes[n.ID] = out
	}
	return ok(map[string]any{"_nodes": map[string]any{"total": len(nodes), "successful": len(nodes), "failed": 0}, "cluster_name": r.config.Name, "nodes": nodes})
}

func (r *call) indexStats() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	h := r.health(chosen)
	show := func(one Health) map[string]any {
		part := map[string]any{"docs": map[string]any{"count": one.Documents, "deleted": one.Deleted}, "store": map[string]any{"size_in_bytes": one.Bytes}}
		return map[string]any{"total": part}
	}
	indices := map[string]any{}
	for name, one := range h.byIndex {
		indices[name] = show(one)
	}
	return ok(map[string]any{"_shards": map[string]any{"total": h.ActiveShards + h.UnassignedShards, "successful": h.ActiveShards, "failed": 0}, "_all": show(h.Health), "indices": indices})
}

// size writes bytes as the _cat APIs do: 512b, 1.5kb, 3.2mb.
func size(n int64) string {
	value, unit := float64(n), "b"
	for _, next := range []string{"kb", "mb", "gb"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	return strconv.FormatFloat(math.Floor(value*10)/10, 'f', -1, 64) + unit
}
