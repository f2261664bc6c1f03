package elasticsearch

import (
	"context"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateDomain declares a domain with its nodes.
func (s *Service) CreateDomain(_ context.Context, in *api.CreateDomainInput) (*api.CreateDomainOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDomainOutput) error {
		d, err := s.newDomain(tx, in)
		if err != nil {
			return err
		}
		// What can be given to a new domain can be given to one that is there, in the same shapes.
		options, err := translate[api.UpdateDomainConfigInput](in)
		if err != nil {
			return err
		}
		if err := s.configure(tx, &d, options); err != nil {
			return err
		}
		if err := tag(tx, s.arn(d.Name), in.TagList); err != nil {
			return err
		}
		out.DomainStatus = s.status(d)
		return domains.Put(tx, d.Name, d)
	})
}

func (s *Service) newDomain(tx *state.Tx, in *api.CreateDomainInput) (d domain, err error) {
	d = domain{Name: *in.DomainName, Status: creating, Created: s.Now().UTC(), Settings: defaults()}
	if !namePattern.MatchString(d.Name) {
		return d, invalid("1 validation error detected: Value '%s' at 'domainName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z][a-z0-9\\-]+", d.Name)
	}
	old, taken, err := domains.Get(tx, d.Name)
	if err != nil {
		return d, err
	}
	if taken && old.Status == deleting {
		return d, invalid("Domain is still being deleted")
	}
	if taken {
		return d, conflict("ResourceAlreadyExistsException", "Domain %s already exists.", d.Name)
	}
	if d.Version, err = checkVersion(wire.Or(in.EngineVersion, defaultVersion)); err != nil {
		return d, err
	}
	if in.VPCOptions == nil || len(in.VPCOptions.SubnetIds) == 0 {
		return d, unsupported("A domain with a public endpoint (one without VPCOptions)")
	}
	if d.Data, err = dataID(tx, d.Name); err != nil {
		return d, err
	}
	return d, s.checkLinkedRole(tx)
}

// checkLinkedRole refuses domains in a VPC as long as the service has no role to put interfaces there. The role of the service's former name counts too.
func (s *Service) checkLinkedRole(tx *state.Tx) error {
	for _, name := range []string{"AWSServiceRoleForAmazonOpenSearchService", "AWSServiceRoleForAmazonElasticsearchService"} {
		if _, err := s.Roles.Role(tx, name); err == nil {
			return nil
		}
	}
	return invalid("Before you can proceed, you must enable a service-linked role to give Amazon ES permissions to access your VPC.")
}

// defaults are the settings of a domain that a request leaves open.
func defaults() Settings {
	return Settings{
		Advanced: map[string]string{"override_main_response_version": "false", "rest.action.multi.allow_explicit_index": "true"},
		Security: api.AdvancedSecurityOptions{Enabled: new(false), InternalUserDatabaseEnabled: new(false), AnonymousAuthEnabled: new(false)},
		Cluster: api.ClusterConfig{
			InstanceType: new("m4.large.search"), InstanceCount: new(int64(1)), DedicatedMasterEnabled: new(false), ZoneAwarenessEnabled: new(false),
			WarmEnabled: new(false), ColdStorageOptions: &api.ColdStorageOptions{Enabled: new(false)}, MultiAZWithStandbyEnabled: new(false),
		},
		Endpoint:   api.DomainEndpointOptions{EnforceHTTPS: new(false), TLSSecurityPolicy: new(api.TLSSecurityPolicyPolicyMinTls10201907), CustomEndpointEnabled: new(false)},
		Volume:     api.EBSOptions{EBSEnabled: new(false)},
		Encryption: api.EncryptionAtRestOptions{Enabled: new(false)},
		NodeToNode: api.NodeToNodeEncryptionOptions{Enabled: new(false)},
		OffPeak: api.OffPeakWindowOptions{Enabled: new(true), OffPeakWindow: &api.OffPeakWindow{
			WindowStartTime: &api.WindowStartTime{Hours: new(int64(2)), Minutes: new(int64(0))}}},
	}
}
