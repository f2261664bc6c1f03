package dataplane

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"storefront/lab/elasticsearch"
	"storefront/lab/metrics"
	"storefront/lab/search"
)

// Down makes all nodes of a domain refuse connections, as when its network is gone, until Up. The data stays.
func (d *Domains) Down(name string) error {
	w, err := d.worker(name)
	if err != nil {
		return err
	}
	w.mutex.Lock()
	w.down = true
	serving := maps.Clone(w.serving)
	w.mutex.Unlock()
	for id := range serving {
		w.hush(id)
	}
	return nil
}

// Up ends what Down began.
func (d *Domains) Up(name string) error {
	w, err := d.worker(name)
	if err != nil {
		return err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.down = false
	poke(w.wake)
	return nil
}

// AreDown lists the domains that Down keeps from answering.
func (d *Domains) AreDown() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		w.mutex.Lock()
		if w.down && w.door != nil {
			names = append(names, w.door.domain.Name)
		}
		w.mutex.Unlock()
	}
	slices.Sort(names)
	return names
}

// LoseNode loses a data node of a domain, as a power cut does. Another takes its place, with its store, after d.Replacement.
func (d *Domains) LoseNode(name string) error {
	w, err := d.worker(name)
	if err != nil {
		return err
	}
	for _, n := range w.declared().Nodes {
		if lost, err := w.lose(n); lost || err != nil {
			return err
		}
	}
	return fmt.Errorf("no data node of the search domain %q is left to lose", name)
}

// LoseZone loses the data nodes of all domains in a zone, and tells how many they were.
func (d *Domains) LoseZone(zone string) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		for _, node := range w.declared().Nodes {
			if node.Zone != zone {
				continue
			}
			lost, err := w.lose(node)
			if err != nil {
				return n, err
			}
			if lost {
				n++
			}
		}
	}
	return n, nil
}

// lose loses a data node that is there.
func (w *searchDomain) lose(n elasticsearch.Node) (bool, error) {
	w.mutex.Lock()
	cluster, serves := w.cluster, w.serving[n.ID] != nil
	if serves {
		w.lost[n.ID] = time.Now()
	}
	w.mutex.Unlock()
	if !serves {
		return false, nil
	}
	w.log.Info("a node is lost", "node", n.ID, "zone", n.Zone)
	w.hush(n.ID)
	return true, cluster.Stop(n.ID)
}

// measure publishes what CloudWatch shows of a domain, once a minute. The processor and memory of single nodes cannot be told apart in one process,
// so there are no metrics of them.
func (w *searchDomain) measure(d elasticsearch.Domain) {
	if time.Since(w.counted) < metrics.Period {
		return
	}
	w.counted = time.Now()
	h := w.cluster.Health()
	of := metrics.By("DomainName", d.Name, "ClientId", w.Account)
	add := func(metric, unit string, value float64) {
		w.Metrics.Add(metrics.Name{Namespace: "AWS/ES", Metric: metric, Dimensions: of, Unit: unit}, value)
	}
	for _, status := range []string{"green", "yellow", "red"} {
		add("ClusterStatus."+status, "Count", float64(btoi(h.Status == status)))
	}
	add("Nodes", "Count", float64(h.Nodes))
	add("SearchableDocuments", "Count", float64(h.Documents))
	add("DeletedDocuments", "Count", float64(h.Deleted))
	add("ClusterUsedSpace", "Megabytes", float64(h.Bytes)/(1<<20))
	add("ClusterIndexWritesBlocked", "Count", 0)
	data := slices.DeleteFunc(slices.Clone(w.members), func(n search.Node) bool { return !n.Data })
	if d.Volume > 0 {
		add("FreeStorageSpace", "Megabytes", float64(d.Volume<<10)-float64(h.Bytes)/(1<<20)/float64(len(data)))
	}
}
