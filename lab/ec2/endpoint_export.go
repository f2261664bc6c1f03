package ec2

import "storefront/lab/state"

// InterfaceEndpoints returns the interface endpoints of all VPCs, for the data plane: the lab answers at their interfaces.
func (s *Service) InterfaceEndpoints(tx *state.Tx) []Endpoint {
	return endpoints.where(tx, func(e Endpoint) bool { return e.Type == "Interface" })
}

// GatewayEndpoint returns the gateway endpoint of a VPC for a service ("s3"), and whether there is one.
func (s *Service) GatewayEndpoint(tx *state.Tx, vpc, service string) (Endpoint, bool) {
	found := endpoints.where(tx, func(e Endpoint) bool {
		return e.Type == "Gateway" && e.VPC == vpc && e.service(s.Region.Name) == service
	})
	if len(found) == 0 {
		return Endpoint{}, false
	}
	return found[0], true
}

// EndpointPolicy returns the policy of a VPC endpoint, "" for one that there is not.
func (s *Service) EndpointPolicy(tx *state.Tx, id string) (string, error) {
	e, _, err := endpoints.table.Get(tx, id)
	return e.Policy, err
}
