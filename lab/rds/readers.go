package rds

import (
	"strings"

	"storefront/lab/state"
)

// Readers are a cluster's readers, for who scales them.
type Readers struct {
	IDs   []string // in the order of their creation, without those that are being deleted
	Class string   // of the writer
	Ready bool     // cluster, writer and readers are available, and none is being deleted
}

// Readers returns the readers of a cluster; ok is false when there is no such cluster.
func (s *Service) Readers(tx *state.Tx, cluster string) (r Readers, ok bool, err error) {
	c, ok, err := clusters.Get(tx, strings.ToLower(cluster))
	if err != nil || !ok || c.Status == deleting {
		return r, false, err
	}
	r.Ready = c.Status == available && c.Writer != ""
	for _, i := range c.members(tx) {
		r.Ready = r.Ready && i.Status == available
		switch {
		case i.ID == c.Writer:
			r.Class = i.Class
		case i.Status != deleting:
			r.IDs = append(r.IDs, i.ID)
		}
	}
	return r, true, nil
}
