package elasticsearch

import (
	"net/netip"
	"reflect"
	"slices"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Domain is what should run of one domain, for the data plane.
type Domain struct {
	Name    string
	Data    string // names the data
	ARN     string
	Host    string // DNS name of the endpoint
	Version string // "Elasticsearch_7.10"
	Exists  bool   // false: the data is to be deleted
	HTTPS   bool   // plain HTTP is refused
	OldTLS  bool   // TLS 1.0 will do
	MaxBody int64  // bytes of a request
	Volume  int64  // GiB of a data node; 0 for instances with disks of their own
	Access  string // access policy, or ""
	Fine    bool   // fine-grained access control: all but the master user is refused
	Nodes   []Node

	status string
	master master
}

// Node is a machine of a domain.
type Node struct {
	ID        string
	Master    bool // a dedicated master; else a data node
	Zone      string
	Interface string // network interface that it lives behind
	Address   netip.Addr
	Leaving   bool // its data is to move to the others; then it goes
}

// Settled tells that the domain is in no transition, so that there is nothing to report.
func (d Domain) Settled() bool { return d.status == active }

// Master tells whether an IAM identity is the master user of a domain, by its ARN or that of a session's role.
func (d Domain) Master(arn string) bool { return arn != "" && d.master.ARN == arn }

// Login tells whether a name and password are the master user's in the internal user database. It takes tens of milliseconds.
func (d Domain) Login(name, password string) bool { return d.master.accepts(name, password) }

// Internal tells whether the domain has an internal user database.
func (d Domain) Internal() bool { return d.master.Name != "" }

// Domains lists what should run.
func (s *Service) Domains(tx *state.Tx) []Domain {
	var list []Domain
	for _, d := range domains.All(tx) {
		out := Domain{
			Name: d.Name, Data: d.Data, ARN: s.arn(d.Name), Host: s.host(d), Version: d.Version, Exists: d.Status != deleting,
			HTTPS: wire.Value(d.Endpoint.EnforceHTTPS), OldTLS: wire.Value(d.Endpoint.TLSSecurityPolicy) == api.TLSSecurityPolicyPolicyMinTls10201907,
			MaxBody: maxBody(*d.Cluster.InstanceType), Volume: wire.Value(d.Settings.Volume.VolumeSize), Access: d.Access, Fine: d.fine(), status: d.Status, master: d.Master,
		}
		for _, n := range d.Nodes {
			out.Nodes = append(out.Nodes, Node{n.ID, n.Master, n.Zone, n.Interface, n.Address, n.Leaving})
		}
		list = append(list, out)
	}
	return list
}

// maxBody is the most that a request may have, in bytes, from "Network quotas" in "Amazon OpenSearch Service quotas".
func maxBody(instanceType string) int64 {
	if slices.Contains([]string{"nano", "micro", "small", "medium", "large"}, size(instanceType)) {
		return 10 << 20
	}
	return 100 << 20
}

// Settled reports that a domain, as it was declared in seen, has come true. It ends a transition, and leaves alone what a request has declared since.
func (s *Service) Settled(tx *state.Tx, seen Domain) error {
	d, ok, err := domains.Get(tx, seen.Name)
	if err != nil || !ok || d.Data != seen.Data || d.Status != seen.status || d.Status == deleting || d.Status == active {
		return err
	}
	d.Status = active
	return domains.Put(tx, d.Name, d)
}

// NodesGone reports that nodes that were to leave have left.
func (s *Service) NodesGone(tx *state.Tx, seen Domain, ids []string) error {
	d, ok, err := domains.Get(tx, seen.Name)
	if err != nil || !ok || d.Data != seen.Data {
		return err
	}
	before := d
	d.Nodes = nil
	for _, n := range before.Nodes {
		if !n.Leaving || !slices.Contains(ids, n.ID) {
			d.Nodes = append(d.Nodes, n)
			continue
		}
		if err := s.Network.DeleteManagedInterface(tx, n.Interface); err != nil {
			return err
		}
	}
	if reflect.DeepEqual(before, d) {
		return nil
	}
	return domains.Put(tx, d.Name, d)
}

// Gone reports that a domain's data is no more.
func (s *Service) Gone(tx *state.Tx, seen Domain) error {
	d, ok, err := domains.Get(tx, seen.Name)
	if err != nil || !ok || d.Data != seen.Data {
		return err
	}
	for _, n := range d.Nodes {
		if err := s.Network.DeleteManagedInterface(tx, n.Interface); err != nil {
			return err
		}
	}
	if err := tags.Delete(tx, s.arn(d.Name)); err != nil {
		return err
	}
	return domains.Delete(tx, d.Name)
}

// Resolve returns the addresses behind a domain's endpoint. found is false for a name that is no endpoint, or one that leads nowhere yet.
func (s *Service) Resolve(tx *state.Tx, name string) (addresses []netip.Addr, found bool) {
	for _, d := range domains.All(tx) {
		if s.host(d) != name || d.Status == deleting {
			continue
		}
		for _, n := range d.Nodes {
			if !n.Master && !n.Leaving {
				addresses = append(addresses, n.Address)
			}
		}
	}
	return addresses, len(addresses) > 0
}
