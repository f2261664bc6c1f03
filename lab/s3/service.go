// Package s3 is Amazon S3 in the lab: buckets with their configurations, and objects with versions, multipart uploads and checksums.
// Metadata lives in the tables "s3.*" of the lab's state, bodies in files of the lab directory.
//
// Run replicates, within the lab's one region and account, and delivers inventories; both only while the policies of roles, buckets and keys allow it.
//
// What it does not do: evaluate access control lists (they are stored and validated; lab/authorization decides by bucket policies), deliver access logs, run
// lifecycle rules (their configurations are kept), or serve websites and keys of the customer (SSE-C), which it refuses.
package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"storefront/lab/access"
	api "storefront/lab/api/s3"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements api.API.
type Service struct {
	store  *state.Store
	bodies *bodies
	region region.Region
	keys   Keys
	now    func() time.Time
	may    func(*state.Tx, access.Act) error
	log    *slog.Logger
}

var _ api.API = (*Service)(nil)

// Options are what a Service is made of.
type Options struct {
	Store  *state.Store
	Dir    string        // of the bodies; made when it does not exist
	Region region.Region // where buckets are, and whose they are
	Keys   Keys          // of objects encrypted with SSE-KMS; nil refuses them
	Clock  func() time.Time
	// Permits decides about what S3 does on its own: replication in its role, inventories as itself. nil permits nothing.
	Permits func(*state.Tx, access.Act) error
	Log     *slog.Logger // of what was not permitted; nil is the default logger
}

// New opens the service and removes bodies that a crash left without metadata.
func New(o Options) (*Service, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Permits == nil {
		o.Permits = func(*state.Tx, access.Act) error { return errors.New("nobody decides about permissions") }
	}
	b, err := openBodies(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Service{store: o.Store, bodies: b, region: o.Region, keys: o.Keys, now: o.Clock, may: o.Permits, log: cmp.Or(o.Log, slog.Default())}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("removing orphaned S3 bodies: %w", err)
	}
	return s, nil
}

// principal is S3 where it acts on its own.
const principal = "s3.amazonaws.com"

// Run replicates and delivers inventories until ctx ends. What it did not get to is done after the next start.
func (s *Service) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return s.replicateAll(ctx) })
	tasks.Go(func() error { return s.takeInventories(ctx) })
	return tasks.Wait()
}

// sweep removes the bodies that neither a version nor a part refers to.
func (s *Service) sweep() error {
	used := map[string]bool{}
	err := s.store.View(func(tx *state.Tx) error {
		for _, v := range versions.All(tx) {
			for _, seg := range v.Segments {
				used[seg.Body] = true
			}
		}
		for _, p := range parts.All(tx) {
			used[p.Segment.Body] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.bodies.sweep(used)
}

// owner is the canonical user that the account is to S3.
func (s *Service) owner() *api.Owner {
	return &api.Owner{ID: new(canonicalID(s.region.Account)), DisplayName: new("lab")}
}

// canonicalID makes the 64 hexadecimal digits of a canonical user ID from an account number.
func canonicalID(account string) string {
	return fmt.Sprintf("%064s", account)
}

// seconds cuts a time as S3 does: Last-Modified has no fractions.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// permit refuses requests whose x-amz-expected-bucket-owner is not the bucket's.
func (s *Service) permit(_ context.Context, expectedOwner *string) error {
	if expectedOwner != nil && *expectedOwner != s.region.Account {
		return wire.Errorf(403, "AccessDenied", "Access Denied")
	}
	return nil
}

// view reads a bucket.
func (s *Service) view(ctx context.Context, name, expectedOwner *string, f func(tx *state.Tx, b bucket) error) error {
	if err := s.permit(ctx, expectedOwner); err != nil {
		return err
	}
	return s.store.View(func(tx *state.Tx) error {
		b, err := getBucket(tx, wire.Value(name))
		if err != nil {
			return err
		}
		return f(tx, b)
	})
}

// change reads a bucket and stores what f makes of it.
func (s *Service) change(ctx context.Context, name, expectedOwner *string, f func(b *bucket) error) error {
	if err := s.permit(ctx, expectedOwner); err != nil {
		return err
	}
	return s.store.Update(func(tx *state.Tx) error {
		b, err := getBucket(tx, wire.Value(name))
		if err != nil {
			return err
		}
		if err := f(&b); err != nil {
			return err
		}
		return buckets.Put(tx, b.Name, b)
	})
}
