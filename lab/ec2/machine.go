package ec2

import (
	"errors"
	"fmt"

	"storefront/lab/state"
)

// ErrInstanceState is returned by SetInstanceState for a change of state that instances do not make.
var ErrInstanceState = errors.New("instances do not change state that way")

// Machines returns the instances that are not terminated: what the data plane has to run (Pending, Running), to stop (Stopping) and to end (ShuttingDown).
// Their interfaces are found with Interface, their user-data is base64, and a rise of Reboots asks for a reboot.
func (s *Service) Machines(tx *state.Tx) []Instance {
	return instances.where(tx, func(v Instance) bool { return v.State != Terminated })
}

// Instance returns an instance, or AWS's error InvalidInstanceID.NotFound. Terminated ones are found for an hour.
func (s *Service) Instance(tx *state.Tx, id string) (Instance, error) { return s.instance(tx, id) }

// Tags returns the tags of a resource.
func (s *Service) Tags(tx *state.Tx, id string) map[string]string { return tagsOf(tx, id) }

// SetInstanceState records what became of an instance: the data plane calls it when a machine runs, has stopped or has ended, or with ShuttingDown
// when it is lost or its spot capacity is reclaimed. Setting Terminated lets interfaces, volumes and public addresses go. The present state is no error.
func (s *Service) SetInstanceState(tx *state.Tx, id string, to InstanceState, reason Reason) error {
	v, err := s.instance(tx, id)
	if err != nil || v.State == to {
		return err
	}
	if !follows(v.State, to) {
		return fmt.Errorf("instance %s from %s to %s: %w", id, v.State, to, ErrInstanceState)
	}
	v.State = to
	if reason != (Reason{}) {
		v.Reason = reason
	}
	switch to {
	case Running:
		v.Reason = reason
	case Stopped:
		if v.AutoPublic && len(v.Interfaces) > 0 {
			if _, err := s.SetPublicAddress(tx, v.Interfaces[0], false); err != nil {
				return err
			}
		}
	case Terminated:
		v.Terminated = s.Now().UTC()
		if err := s.dismantle(tx, &v); err != nil {
			return err
		}
	}
	return instances.put(tx, v)
}

func follows(from, to InstanceState) bool {
	next := map[InstanceState][]InstanceState{
		Pending:      {Running, Stopping, ShuttingDown, Terminated},
		Running:      {Stopping, Stopped, ShuttingDown, Terminated},
		Stopping:     {Stopped, ShuttingDown, Terminated},
		Stopped:      {Pending, ShuttingDown, Terminated},
		ShuttingDown: {Terminated},
	}
	for _, s := range next[from] {
		if s == to {
			return true
		}
	}
	return false
}

// dismantle deletes what goes with an instance and detaches the rest.
func (s *Service) dismantle(tx *state.Tx, v *Instance) error {
	for _, id := range v.Interfaces {
		i, ok, err := interfaces.table.Get(tx, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if i.Attachment != nil && i.Attachment.Delete {
			err = removeInterface(tx, i)
		} else {
			i.Attachment = nil
			err = i.hold(tx)
		}
		if err != nil {
			return err
		}
	}
	for _, id := range v.Volumes {
		vol, ok, err := volumes.table.Get(tx, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if vol.Delete {
			err = volumes.remove(tx, id)
		} else {
			vol.Instance = ""
			err = volumes.put(tx, vol)
		}
		if err != nil {
			return err
		}
	}
	v.Interfaces, v.Volumes, v.Profile, v.ProfileBinding, v.UserData = nil, nil, nil, "", ""
	return nil
}
