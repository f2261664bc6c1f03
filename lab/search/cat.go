package search

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"storefront/lab/search/internal/refusal"
)

// table is what a _cat API shows: named columns, and rows of text.
type table struct {
	columns []string
	rows    [][]string
}

// show writes a table: as aligned text, with the names on top (v), or as JSON; the columns that are asked for (h), sorted (s).
func (r *call) show(t table) (answer, error) {
	if err := t.choose(fields(r.params.Get("h"))); err != nil {
		return answer{}, err
	}
	if err := t.sort(fields(r.params.Get("s"))); err != nil {
		return answer{}, err
	}
	switch f := r.params.Get("format"); f {
	case "json":
		list := []map[string]string{}
		for _, row := range t.rows {
			o := map[string]string{}
			for i, c := range t.columns {
				o[c] = row[i]
			}
			list = append(list, o)
		}
		return ok(list)
	case "", "text":
	default:
		return answer{}, refusal.Argument("[format] of [%s] is not served: text or json", f)
	}
	names, err := r.flag("v", false)
	if err != nil {
		return answer{}, err
	}
	if names {
		t.rows = append([][]string{t.columns}, t.rows...)
	}
	return answer{status: http.StatusOK, text: t.text()}, nil
}

func (t *table) choose(wanted []string) error {
	if len(wanted) == 0 {
		return nil
	}
	var at []int
	for _, w := range wanted {
		i := slices.Index(t.columns, w)
		if i < 0 {
			return refusal.Argument("there is no column [%s]: one of %s", w, strings.Join(t.columns, ", "))
		}
		at = append(at, i)
	}
	t.columns = wanted
	for r, row := range t.rows {
		chosen := make([]string, len(at))
		for i, from := range at {
			chosen[i] = row[from]
		}
		t.rows[r] = chosen
	}
	return nil
}

func (t *table) sort(keys []string) error {
	for _, k := range slices.Backward(keys) {
		name, direction, _ := strings.Cut(k, ":")
		i := slices.Index(t.columns, name)
		if i < 0 || direction != "" && direction != "asc" && direction != "desc" {
			return refusal.Argument("Unable to sort by unknown sort key [%s]", k)
		}
		slices.SortStableFunc(t.rows, func(a, b []string) int {
			n := strings.Compare(a[i], b[i])
			if x, err := strconv.Atoi(a[i]); err == nil {
				if y, err := strconv.Atoi(b[i]); err == nil {
					n = x - y
				}
			}
			if direction == "desc" {
				return -n
			}
			return n
		})
	}
	return nil
}

func (t *table) text() string {
	width := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteByte(' ')
			}
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

func (r *call) catHealth() (answer, error) {
	h := r.health(r.all())
	now := r.config.Now().UTC()
	share := 100.0
	if all := h.ActiveShards + h.UnassignedShards; all > 0 {
		share = 100 * float64(h.ActiveShards) / float64(all)
	}
	return r.show(table{columns: []string{"epoch", "timestamp", "cluster", "status", "node.total", "node.data", "shards", "pri", "relo", "init", "unassign", "pending_tasks", "max_task_wait_time", "active_shards_percent"},
		rows: [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), r.config.Name, h.Status, strconv.Itoa(h.Nodes), strconv.Itoa(h.data), strconv.Itoa(h.ActiveShards),
			strconv.Itoa(h.primaries), "0", "0", strconv.Itoa(h.UnassignedShards), "0", "-", strconv.FormatFloat(share, 'f', 1, 64) + "%"}}})
}

func (r *call) catNodes() (answer, error) {
	t := table{columns: []string{"name", "node.role", "master", "zone"}}
	master := r.master()
	for _, n := range r.roster() {
		if !n.up {
			continue
		}
		roles, mark := "", "-"
		for _, role := range n.roles() {
			roles += role[:1]
		}
		if n.ID == master {
			mark = "*"
		}
		t.rows = append(t.rows, []string{n.ID, roles, mark, n.Zone})
	}
	return r.show(t)
}

func (r *call) catIndices() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	h := r.health(chosen)
	t := table{columns: []string{"health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size"}}
	for _, x := range chosen {
		one, m := h.byIndex[x.name], r.meta(x)
		if want := r.params.Get("health"); want != "" && want != one.Status {
			continue
		}
		primaries := int64(0)
		for _, g := range x.groups {
			l := g.lineup.Load()
			if copy := l.copies[l.primary]; copy != nil {
				primaries += copy.Stats().Bytes
			}
		}
		t.rows = append(t.rows, []string{one.Status, "open", x.name, x.uuid, strconv.Itoa(m.Shards), strconv.Itoa(m.Replicas),
			strconv.FormatInt(one.Documents, 10), strconv.FormatInt(one.Deleted, 10), r.size(one.Bytes), r.size(primaries)})
	}
	return r.show(t)
}

func (r *call) catShards() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	t := table{columns: []string{"index", "shard", "prirep", "state", "docs", "store", "node"}}
	for _, x := range chosen {
		replicas := r.meta(x).Replicas
		for _, g := range x.groups {
			l := g.lineup.Load()
			nodes := []string{}
			for node := range l.copies {
				if node != l.primary {
					nodes = append(nodes, node)
				}
			}
			slices.Sort(nodes)
			if l.primary != "" {
				nodes = append([]string{l.primary}, nodes...)
			}
			for i := range max(1+replicas, len(nodes)) {
				row := []string{x.name, strconv.Itoa(g.shard), "r", "UNASSIGNED", "", "", ""}
				if i == 0 {
					row[2] = "p"
				}
				if i < len(nodes) {
					s := l.copies[nodes[i]].Stats()
					row[3], row[4], row[5], row[6] = "STARTED", strconv.FormatInt(s.Documents, 10), r.size(s.Bytes), nodes[i]
				}
				t.rows = append(t.rows, row)
			}
		}
	}
	return r.show(t)
}

// size writes bytes in the unit that was asked for.
func (r *call) size(n int64) string {
	if r.params.Get("bytes") == "b" {
		return strconv.FormatInt(n, 10)
	}
	return size(n)
}

func (r *call) catCount() (answer, error) {
	chosen, err := r.choose(r.path["index"])
	if err != nil {
		return answer{}, err
	}
	now := r.config.Now().UTC()
	return r.show(table{columns: []string{"epoch", "timestamp", "count"}, rows: [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), strconv.FormatInt(r.health(chosen).Documents, 10)}}})
}

func (r *call) catAliases() (answer, error) {
	t := table{columns: []string{"alias", "index", "filter", "routing.index", "routing.search", "is_write_index"}}
	for _, x := range r.all() {
		for name, a := range r.aliases(x) {
			if want := r.path["name"]; want != "" && !slices.ContainsFunc(fields(want), func(p string) bool { return wild(p, name) }) {
				continue
			}
			write := "-"
			if a.Write != nil {
				write = strconv.FormatBool(*a.Write)
			}
			t.rows = append(t.rows, []string{name, x.name, "-", "-", "-", write})
		}
	}
	slices.SortFunc(t.rows, slices.Compare[[]string])
	return r.show(t)
}
