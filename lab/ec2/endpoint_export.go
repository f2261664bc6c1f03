package ec2

import "storefront/lab/state"

// InterfaceEndpoints returns the interface endpoints of all VPCs, for the data plane: the lab answers at their interfaces.
func (s *Service) InterfaceEndpoints(tx *state.Tx) []Endpoint {
	return endpoints.where(tx, func(e Endpoint) bool { return e.Type == "Interface" })
}
