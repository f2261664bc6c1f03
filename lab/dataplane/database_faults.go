package dataplane

import (
	"context"
	"errors"
	"fmt"

	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/state"
)

// ErrNoDatabase says that there is no database cluster or instance of a name.
var ErrNoDatabase = errors.New("there is no such database")

// PauseReaders lets the readers of a cluster fall behind its writer, until ResumeReaders, a failover or a restart.
func (d *Databases) PauseReaders(ctx context.Context, cluster string) error {
	data, err := d.data(cluster)
	if err != nil {
		return err
	}
	return data.PauseReaders(ctx)
}

// ResumeReaders ends what PauseReaders began.
func (d *Databases) ResumeReaders(ctx context.Context, cluster string) error {
	data, err := d.data(cluster)
	if err != nil {
		return err
	}
	return data.ResumeReaders(ctx)
}

// Lose ends the server of a database instance at once, as when its host fails. A writer's cluster fails over; the server comes back by itself.
func (d *Databases) Lose(ctx context.Context, instance string) error {
	declared, err := d.clusters()
	if err != nil {
		return err
	}
	for _, c := range declared {
		i, ok := find(c.Instances, instance)
		if !ok {
			continue
		}
		data, err := d.Engine.Cluster(dataName(c.ResourceID))
		if err != nil {
			return err
		}
		return data.Crash(ctx, dataName(i.ResourceID))
	}
	return fmt.Errorf("%s: %w; `lab status` lists the databases", instance, ErrNoDatabase)
}

// ArePaused lists the clusters whose readers are kept from replaying.
func (d *Databases) ArePaused() (names []string, err error) {
	declared, err := d.clusters()
	for _, c := range declared {
		data, err := d.Engine.Cluster(dataName(c.ResourceID))
		if err != nil {
			return nil, err
		}
		if data.ReplayPaused() {
			names = append(names, c.ID)
		}
	}
	return names, err
}

func (d *Databases) data(cluster string) (*postgres.Cluster, error) {
	declared, err := d.clusters()
	if err != nil {
		return nil, err
	}
	for _, c := range declared {
		if c.ID == cluster && c.Exists {
			return d.Engine.Cluster(dataName(c.ResourceID))
		}
	}
	return nil, fmt.Errorf("%s: %w; `lab status` lists the databases with their clusters", cluster, ErrNoDatabase)
}

func (d *Databases) clusters() (declared []rds.Cluster, err error) {
	err = d.Store.View(func(tx *state.Tx) error { declared, err = d.RDS.Clusters(tx); return err })
	return declared, err
}
