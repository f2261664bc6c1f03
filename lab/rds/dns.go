package rds

import (
	"net/netip"
	"slices"

	"storefront/lab/state"
)

// Addresses resolves every endpoint: a cluster's leads to its writer, the reader endpoint to the available readers (to the writer when there is none),
// an instance's to itself, a custom one to its members. Names are in lower case.
func (s *Service) Addresses(tx *state.Tx) map[string][]netip.Addr {
	names := map[string][]netip.Addr{}
	for _, c := range clusters.All(tx) {
		members := c.members(tx)
		for _, i := range members {
			names[s.instanceEndpoint(i)] = []netip.Addr{i.Address}
			if i.ID == c.Writer {
				names[s.writerEndpoint(c)] = []netip.Addr{i.Address}
			}
		}
		serving := slices.DeleteFunc(members, func(i instance) bool { return i.Status != available && i.Status != modifying })
		reader := endpoint{Type: "READER"}
		if readers := reader.addresses(c, serving); len(readers) > 0 {
			names[s.readerEndpoint(c)] = readers
		} else if writer, ok := names[s.writerEndpoint(c)]; ok {
			names[s.readerEndpoint(c)] = writer
		}
		for _, e := range endpoints.All(tx) {
			if e.Cluster == c.ID {
				names[s.customEndpoint(e)] = e.addresses(c, serving)
			}
		}
	}
	return names
}

// addresses picks an endpoint's members.
func (e endpoint) addresses(c cluster, serving []instance) []netip.Addr {
	var list []netip.Addr
	for _, i := range serving {
		member := !slices.Contains(e.Excluded, i.ID)
		if len(e.Static) > 0 {
			member = slices.Contains(e.Static, i.ID)
		}
		if member && (e.Type == "ANY" || i.ID != c.Writer) {
			list = append(list, i.Address)
		}
	}
	return list
}

// Resolve returns the addresses behind an endpoint. found is false for a name that is no endpoint, or one that leads nowhere yet.
func (s *Service) Resolve(tx *state.Tx, name string) (addresses []netip.Addr, found bool) {
	addresses, found = s.Addresses(tx)[name]
	return addresses, found
}
