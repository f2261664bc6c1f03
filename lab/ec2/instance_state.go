package ec2

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// systemContext is a context in which EC2 itself acts.
func systemContext(ctx context.Context) context.Context {
	return wire.WithCaller(ctx, wire.Identity{Service: "ec2.amazonaws.com"})
}

// move brings an instance into a state on behalf of a user.
func (s *Service) move(tx *state.Tx, v Instance, to InstanceState, reason Reason) (api.InstanceStateChange, error) {
	from := v.State
	v.State, v.Reason = to, reason
	v.Transition = ""
	if reason.Code != "" {
		v.Transition = fmt.Sprintf("User initiated (%s GMT)", s.Now().UTC().Format("2006-01-02 15:04:05"))
	}
	return api.InstanceStateChange{InstanceId: new(v.ID), PreviousState: showState(from), CurrentState: showState(to)}, instances.put(tx, v)
}

// TerminateInstances begins to terminate instances.
func (s *Service) TerminateInstances(_ context.Context, in *api.TerminateInstancesInput) (*api.TerminateInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.TerminateInstancesOutput) error {
		found, err := s.instanceList(tx, in.InstanceIds)
		if err != nil {
			return err
		}
		for _, v := range found {
			if v.NoTermination {
				return fault("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", v.ID)
			}
			to, reason := ShuttingDown, Reason{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"}
			if v.State == ShuttingDown || v.State == Terminated {
				to, reason = v.State, v.Reason
			}
			change, err := s.move(tx, v, to, reason)
			if err != nil {
				return err
			}
			out.TerminatingInstances = append(out.TerminatingInstances, change)
		}
		return nil
	})
}

// StopInstances begins to stop instances.
func (s *Service) StopInstances(_ context.Context, in *api.StopInstancesInput) (*api.StopInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.StopInstancesOutput) error {
		found, err := s.instanceList(tx, in.InstanceIds)
		if err != nil {
			return err
		}
		if wire.Value(in.Hibernate) {
			return unsupported("Hibernation")
		}
		for _, v := range found {
			to := Stopping
			switch {
			case v.NoStop:
				return fault("OperationNotPermitted", "The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.", v.ID)
			case v.SpotRequest != "":
				return fault("UnsupportedOperation", "You can't stop the Spot Instance '%s' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.", v.ID)
			case v.State == Stopping || v.State == Stopped:
				to = v.State
			case v.State != Running && v.State != Pending:
				return incorrectState(v, "stopped")
			}
			change, err := s.move(tx, v, to, Reason{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"})
			if err != nil {
				return err
			}
			out.StoppingInstances = append(out.StoppingInstances, change)
		}
		return nil
	})
}

// StartInstances begins to start stopped instances.
func (s *Service) StartInstances(ctx context.Context, in *api.StartInstancesInput) (*api.StartInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.StartInstancesOutput) error {
		found, err := s.instanceList(tx, in.InstanceIds)
		if err != nil {
			return err
		}
		for _, v := range found {
			to := v.State
			switch v.State {
			case Running, Pending:
			case Stopped:
				to = Pending
				v.Launched = s.Now().UTC()
				if err := errors.Join(s.renewPublicAddress(tx, v), s.openVolumes(ctx, tx, &v, Stopping)); err != nil {
					return err
				}
			default:
				return incorrectState(v, "started")
			}
			change, err := s.move(tx, v, to, Reason{})
			if err != nil {
				return err
			}
			out.StartingInstances = append(out.StartingInstances, change)
		}
		return nil
	})
}

func incorrectState(v Instance, verb string) error {
	return fault("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", v.ID, verb)
}

// renewPublicAddress gives a starting instance the public address that it lost when it stopped.
func (s *Service) renewPublicAddress(tx *state.Tx, v Instance) error {
	if !v.AutoPublic || len(v.Interfaces) == 0 {
		return nil
	}
	_, err := s.SetPublicAddress(tx, v.Interfaces[0], true)
	return err
}

// RebootInstances asks the data plane to reboot running instances.
func (s *Service) RebootInstances(_ context.Context, in *api.RebootInstancesInput) (*api.RebootInstancesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.RebootInstancesOutput) error {
		found, err := s.instanceList(tx, in.InstanceIds)
		if err != nil {
			return err
		}
		for _, v := range found {
			if v.State != Running {
				return incorrectState(v, "rebooted")
			}
			v.Reboots++
			if err := instances.put(tx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetInstances removes instances that were terminated long ago.
func (s *Service) forgetInstances(tx *state.Tx) error {
	for _, v := range instances.where(tx, s.forgotten) {
		if err := instances.remove(tx, v.ID); err != nil {
			return err
		}
	}
	return nil
}
