package elasticache

import (
	"cmp"
	"time"

	"storefront/lab/state"
	"storefront/lab/window"
)

const day = 24 * time.Hour

// SnapshotsDue tells whether ApplySnapshots has something to do.
func (s *Service) SnapshotsDue(tx *state.Tx) bool { return len(s.unsaved(tx))+len(s.outlived(tx)) > 0 }

// ApplySnapshots declares the daily snapshots that are due, and deletes automatic ones whose days are over or whose group is gone ("Scheduling automatic
// backups").
func (s *Service) ApplySnapshots(tx *state.Tx) error {
	for _, g := range s.unsaved(tx) {
		n, err := findNode(tx, cmp.Or(g.SnapshotNode, g.Primary))
		if err != nil {
			return err
		}
		v, err := s.newSnapshot(tx, "automatic."+n.ID+"-"+s.Now().UTC().Format("2006-01-02-15-04"), g, n)
		if err != nil {
			return err
		}
		v.Automated = true
		if err := putSnapshot(tx, v); err != nil {
			return err
		}
		g.Status, g.Saved = snapshotting, v.Created
		if err := putGroup(tx, g); err != nil {
			return err
		}
	}
	for _, v := range s.outlived(tx) {
		v.Status = deleting
		if err := putSnapshot(tx, v); err != nil {
			return err
		}
	}
	return nil
}

// unsaved lists the groups that have no snapshot of the window that is open now.
func (s *Service) unsaved(tx *state.Tx) (list []group) {
	for _, g := range groups.All(tx) {
		w, ok := window.ParseDaily(g.Snapshot)
		if !ok || g.SnapshotDays == 0 || g.Status != available {
			continue
		}
		if began, open := w.Since(s.Now()); open && g.Saved.Before(began) {
			list = append(list, g)
		}
	}
	return list
}

func (s *Service) outlived(tx *state.Tx) (list []snapshot) {
	for _, v := range snapshots.All(tx) {
		if !v.Automated || v.Status != available {
			continue
		}
		g, ok, err := groups.Get(tx, v.Group.ID)
		ok = err == nil && ok && g.Status != deleting && g.Created.Equal(v.Group.Created)
		if (!ok || s.Now().Sub(v.Created) >= time.Duration(g.SnapshotDays)*day) && v.status(tx) == available {
			list = append(list, v)
		}
	}
	return list
}
