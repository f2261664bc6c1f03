package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"storefront/lab/search/internal/mapping"
)

// catalog is the cluster's metadata, which on a real cluster the elected master replicates: one file, replaced as a whole.
type catalog struct {
	UUID      string
	Indices   map[string]*indexMeta
	Templates map[string]*template
}

// indexMeta is what is decided of an index.
type indexMeta struct {
	Name, UUID string
	Created    int64 // milliseconds since the epoch
	Shards     int
	Replicas   int
	Refresh    string // index.refresh_interval as it was set: "5s", or "-1" for never; "" for the default
	Mapping    *mapping.Mapping
	Aliases    map[string]alias
	Groups     []*groupMeta // by shard
}

// alias is another name of an index.
type alias struct {
	Write *bool `json:"is_write_index,omitempty"`
}

// template is applied to indices whose name it matches, when they are made.
type template struct {
	Patterns []string                   `json:"index_patterns"`
	Order    int                        `json:"order"`
	Settings map[string]json.RawMessage `json:"settings,omitempty"`
	Mappings json.RawMessage            `json:"mappings,omitempty"`
	Aliases  map[string]alias           `json:"aliases,omitempty"`
}

// groupMeta says which nodes hold a shard. What is not in sync may lack acknowledged writes and never becomes primary.
type groupMeta struct {
	Term    uint64
	Primary string // node
	Copies  []copyMeta
}

type copyMeta struct {
	Node   string
	InSync bool
}

// on returns the copy on a node, or nil.
func (g *groupMeta) on(node string) *copyMeta {
	for i := range g.Copies {
		if g.Copies[i].Node == node {
			return &g.Copies[i]
		}
	}
	return nil
}

func (g *groupMeta) remove(node string) {
	g.Copies = slices.DeleteFunc(g.Copies, func(c copyMeta) bool { return c.Node == node })
}

const catalogFile = "cluster.json"

// loadCatalog reads a directory's catalog; nil when there is none yet.
func loadCatalog(dir string) (*catalog, error) {
	text, err := os.ReadFile(filepath.Join(dir, catalogFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := &catalog{}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Join(dir, catalogFile), err)
	}
	return k, nil
}

// save puts the catalog on disk: the whole old one or the whole new one, whenever the process dies.
func (k *catalog) save(dir string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, catalogFile+".new"))
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, catalogFile))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("saving the cluster's metadata: %w", err), os.Remove(file.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// change changes the catalog and saves it. Who holds a group's lock may call it; who holds the catalog's may not.
func (c *Cluster) change(f func(*catalog) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if err := f(c.catalog); err != nil {
		return err
	}
	return c.catalog.save(c.config.Dir)
}

// names returns the indices' names in order.
func (k *catalog) names() []string { return slices.Sorted(maps.Keys(k.Indices)) }
