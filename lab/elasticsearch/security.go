package elasticsearch

import (
	"crypto/rand"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// encrypt sets encryption at rest. Once enabled it stays, under the key that it began with.
func (s *Service) encrypt(tx *state.Tx, d *domain, given *api.EncryptionAtRestOptions) error {
	was := d.Encryption
	overlay(&d.Encryption, given)
	e := &d.Encryption
	if !wire.Value(e.Enabled) {
		if wire.Value(was.Enabled) {
			return invalid("Encryption at rest cannot be disabled once it is enabled.")
		}
		if e.KmsKeyId != nil {
			return invalid("You must enable encryption at rest to specify a KMS key.")
		}
		return nil
	}
	if !encrypted(*d.Cluster.InstanceType) {
		return invalid("Encryption at rest is not supported with %s", *d.Cluster.InstanceType)
	}
	if wire.Value(was.Enabled) && given == nil {
		return nil
	}
	data := make([]byte, 32) // stands for the key of the volumes
	_, _ = rand.Read(data)   // never fails
	ref := wire.Or(e.KmsKeyId, "alias/aws/es")
	_, arn, err := s.Keys.Seal(tx, ref, map[string]string{"aws:es:arn": s.arn(d.Name)}, data)
	if err != nil {
		return invalid("The KMS key %s does not exist, is not enabled or you do not have permissions to access it.", ref)
	}
	if wire.Value(was.Enabled) && wire.Value(was.KmsKeyId) != arn {
		return invalid("The KMS key of a domain cannot be changed.")
	}
	e.KmsKeyId = &arn
	return nil
}

// secure sets encryption between nodes, HTTPS and fine-grained access control, and checks that the last has what it needs.
func (d *domain) secure(in *api.UpdateDomainConfigInput) error {
	wasNode, wasFine := wire.Value(d.NodeToNode.Enabled), wire.Value(d.Security.Enabled)
	overlay(&d.NodeToNode, in.NodeToNodeEncryptionOptions)
	overlay(&d.Endpoint, in.DomainEndpointOptions)
	if given := in.AdvancedSecurityOptions; given != nil {
		overlay(&d.Security, &api.AdvancedSecurityOptions{Enabled: given.Enabled, InternalUserDatabaseEnabled: given.InternalUserDatabaseEnabled})
	}
	fine := wire.Value(d.Security.Enabled)
	switch {
	case wasNode && !wire.Value(d.NodeToNode.Enabled):
		return invalid("Node-to-node encryption cannot be disabled once it is enabled.")
	case wasFine && !fine:
		return invalid("Disabling advanced security is not allowed once enabled.")
	case !fine:
		d.Security.InternalUserDatabaseEnabled = new(false)
	case !encrypted(*d.Cluster.InstanceType):
		return invalid("Advanced security is not supported with %s", *d.Cluster.InstanceType)
	case !wire.Value(d.Encryption.Enabled):
		return invalid("You must enable encryption at rest to use advanced security.")
	case !wire.Value(d.NodeToNode.Enabled):
		return invalid("You must enable node-to-node encryption to use advanced security.")
	case !wire.Value(d.Endpoint.EnforceHTTPS):
		return invalid("You must enable EnforceHTTPS in the domain endpoint options to use advanced security.")
	}
	return nil
}
