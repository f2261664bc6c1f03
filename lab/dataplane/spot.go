package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"storefront/lab/ec2"
	"storefront/lab/imds"
	"storefront/lab/state"
)

// noticeTime is how long a spot instance has between the notice and its end: "Spot Instance interruption notices".
const noticeTime = 2 * time.Minute

// spotNotice is what a spot instance was told.
type spotNotice struct {
	Rebalance time.Time // when the recommendation was made
	End       time.Time // of the instance; zero without an interruption notice
}

var notices = state.NewTable[spotNotice]("ec2.spot-notice") // by instance; below "ec2." so that auto scaling sees a new one

// Spot takes spot instances back: with a notice two minutes ahead, as AWS does.
type Spot struct {
	Store *state.Store
	EC2   *ec2.Service
	Now   func() time.Time
	Log   *slog.Logger
}

// ErrNotSpot says that an instance is not a running spot instance.
var ErrNotSpot = errors.New("not a running spot instance")

// Interrupt sends a spot instance its interruption notice, preceded by a rebalance recommendation. The instance ends two minutes later; to interrupt
// it again before changes nothing. The error wraps ErrNotSpot for an instance that cannot be interrupted.
func (s *Spot) Interrupt(id string) error {
	return s.Store.Update(func(tx *state.Tx) error {
		v, err := s.EC2.Instance(tx, id)
		if err != nil {
			return err
		}
		if v.SpotRequest == "" || v.State != ec2.Running {
			return fmt.Errorf("%s: %w", id, ErrNotSpot)
		}
		if _, told, err := notices.Get(tx, id); err != nil || told {
			return err
		}
		now := s.Now().UTC()
		return notices.Put(tx, id, spotNotice{Rebalance: now, End: now.Add(noticeTime)})
	})
}

// Notice returns what an instance's metadata service shows.
func (s *Spot) Notice(tx *state.Tx, id string) (*imds.SpotAction, *time.Time) {
	n, ok, err := notices.Get(tx, id)
	if err != nil || !ok {
		return nil, nil
	}
	if n.End.IsZero() {
		return nil, &n.Rebalance
	}
	return &imds.SpotAction{Action: "terminate", Time: n.End}, &n.Rebalance
}

// Run ends the instances whose time is up, until ctx ends.
func (s *Spot) Run(ctx context.Context) error {
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
			if err := s.reclaim(); err != nil {
				s.Log.Error("reclaiming spot instances", "error", err)
			}
		}
	}
}

func (s *Spot) reclaim() error {
	due, err := s.due()
	if err != nil || len(due) == 0 {
		return err
	}
	return s.Store.Update(func(tx *state.Tx) error {
		for _, id := range due {
			if err := notices.Delete(tx, id); err != nil {
				return err
			}
			v, err := s.EC2.Instance(tx, id)
			if err != nil || v.State != ec2.Running {
				continue // it ended before its time
			}
			reason := ec2.Reason{Code: "Server.SpotInstanceTermination", Message: "Server.SpotInstanceTermination: Spot instance termination"}
			if err := s.EC2.SetInstanceState(tx, id, ec2.ShuttingDown, reason); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Spot) due() (ids []string, err error) {
	err = s.Store.View(func(tx *state.Tx) error {
		for id, n := range notices.All(tx) {
			if !n.End.IsZero() && !s.Now().Before(n.End) {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}
