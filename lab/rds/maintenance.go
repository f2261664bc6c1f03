package rds

import (
	"storefront/lab/state"
	"storefront/lab/window"
)

// due lists what waits for maintenance windows that are open now.
func (s *Service) due(tx *state.Tx) (waiting []cluster, members []instance) {
	for _, c := range clusters.All(tx) {
		if c.Pending != (pendingCluster{}) && c.Status == available && window.Open(c.Maintenance, s.Now()) {
			waiting = append(waiting, c)
		}
	}
	for _, i := range instances.All(tx) {
		if i.Pending != (pendingInstance{}) && i.Status == available && window.Open(i.Maintenance, s.Now()) {
			members = append(members, i)
		}
	}
	return waiting, members
}

// MaintenanceDue tells whether ApplyMaintenance has something to do.
func (s *Service) MaintenanceDue(tx *state.Tx) bool {
	waiting, members := s.due(tx)
	return len(waiting)+len(members) > 0
}

// ApplyMaintenance applies what waits for the maintenance windows that are open now.
func (s *Service) ApplyMaintenance(tx *state.Tx) error {
	waiting, members := s.due(tx)
	for _, i := range members {
		i.applyPending()
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
	}
	for _, c := range waiting {
		if err := c.applyPending(tx); err != nil {
			return err
		}
		if err := putCluster(tx, c); err != nil {
			return err
		}
	}
	return nil
}
