//go:build linux

package daemon

import (
	"slices"
	"testing"

	"storefront/lab/api"
	"storefront/lab/wire"
)

// A service that is generated must be answered, at the endpoint and, by its name, inside the region's network.
func TestEveryServiceIsWired(t *testing.T) {
	wired := new(lab).services()
	for _, m := range api.Models() {
		if !slices.ContainsFunc(wired, func(s *wire.Service) bool { return s.ID == m.Service.ID }) {
			t.Errorf("nothing answers lab/api/%s (%s): add it to services", m.Package, m.Service.ID)
		}
		if !slices.Contains(endpointNames(), m.Service.Name) {
			t.Errorf("%s has no endpoint in the region's network: add %q to endpointNames", m.Service.ID, m.Service.Name)
		}
	}
}
