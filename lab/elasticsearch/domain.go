package elasticsearch

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
)

// Statuses of a domain.
const (
	creating  = api.DomainProcessingStatusTypeCreating
	active    = api.DomainProcessingStatusTypeActive
	modifying = api.DomainProcessingStatusTypeModifying
	deleting  = api.DomainProcessingStatusTypeDeleting
)

// domain is a domain as it is declared.
type domain struct {
	Name    string
	Data    string // names the data; no two domains ever share one
	Version string // "Elasticsearch_7.10"
	Status  string
	Created time.Time
	Updated time.Time
	Changes int64 // of the configuration, counted
	Change  string
	Settings
	Master master
	VPC    string
	Zones  []string
	Nodes  []node
}

// Settings are the options of a domain, in the shapes of the API and with the defaults filled in.
type Settings struct {
	Access      string // access policy
	Advanced    map[string]string
	Security    api.AdvancedSecurityOptions
	AutoTune    api.AutoTuneOptions
	Cluster     api.ClusterConfig
	Endpoint    api.DomainEndpointOptions
	Volume      api.EBSOptions
	Encryption  api.EncryptionAtRestOptions
	NodeToNode  api.NodeToNodeEncryptionOptions
	Logs        map[string]api.LogPublishingOption
	OffPeak     api.OffPeakWindowOptions
	SnapshotsAt int64 // hour of the day, UTC
	AutoUpdate  bool
	Subnets     []string
	Groups      []string // security groups
}

// node is a machine of a domain behind an interface of its own.
type node struct {
	ID        string
	Master    bool // a dedicated master; else a data node
	Subnet    string
	Zone      string
	Interface string
	Address   netip.Addr
	Leaving   bool // its data moves to the others; then it goes
}

var domains = state.NewTable[domain]("es.domain")

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{2,27}$`)

func (s *Service) arn(name string) string { return s.Region.ARN("es", "domain/"+name) }

// host is the DNS name of a domain's endpoint.
func (s *Service) host(d domain) string {
	return fmt.Sprintf("vpc-%s-%s.%s.es.amazonaws.com", d.Name, d.Data, s.Region.Name)
}

// dataID draws the name of a new domain's data: 26 letters and digits, as the endpoint's name has them, which no domain before had.
func dataID(tx *state.Tx, name string) (string, error) {
	n, err := tx.Sequence("es.domain")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", name, n))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26]), nil
}

// find returns a domain, or the service's error for one that there is not.
func (s *Service) find(tx *state.Tx, name *string) (domain, error) {
	d, ok, err := domains.Get(tx, *name)
	if err == nil && !ok {
		err = conflict("ResourceNotFoundException", "Domain not found: %s", *name)
	}
	return d, err
}

// touch notes that the configuration has changed.
func (s *Service) touch(tx *state.Tx, d *domain) (err error) {
	d.Updated = s.Now().UTC()
	d.Changes++
	d.Change, err = changeID(tx)
	return err
}
