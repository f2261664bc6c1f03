package ec2

import (
	"fmt"
	"slices"
	"strings"

	"storefront/lab/region"
	"storefront/lab/state"
)

// record is what a table of resources holds.
type record interface{ id() string }

// kind describes one kind of resource: its table, its errors and its filters.
type kind[T record] struct {
	table   state.Table[T]
	prefix  string                      // of IDs: "vpc"
	tagType string                      // resource type in tag specifications: "vpc"
	absent  string                      // error code: "InvalidVpcID.NotFound"
	noun    string                      // in its message: "vpc ID"
	filters map[string]func(T) []string // values of a resource by filter name; tags are known to every kind that has a tagType
}

func (k kind[T]) newID(tx *state.Tx) (string, error) { return region.NewID(tx, k.prefix) }

func (k kind[T]) put(tx *state.Tx, v T) error { return k.table.Put(tx, v.id(), v) }

// remove deletes a resource and its tags.
func (k kind[T]) remove(tx *state.Tx, id string) error {
	if err := tagTable.Delete(tx, id); err != nil {
		return err
	}
	return k.table.Delete(tx, id)
}

// get returns a resource, or the error that AWS gives for an ID that is malformed or not there.
func (k kind[T]) get(tx *state.Tx, id string) (T, error) {
	v, ok, err := k.table.Get(tx, id)
	if err != nil || ok {
		return v, err
	}
	if !strings.HasPrefix(id, k.prefix+"-") {
		return v, fault(strings.TrimSuffix(k.absent, "NotFound")+"Malformed", "Invalid id: %q (expecting \"%s-...\")", id, k.prefix)
	}
	return v, fault(k.absent, "The %s '%s' does not exist", k.noun, id)
}

// where returns the resources that satisfy the condition, in the order of their IDs.
func (k kind[T]) where(tx *state.Tx, condition func(T) bool) []T {
	var found []T
	for _, v := range k.table.All(tx) {
		if condition(v) {
			found = append(found, v)
		}
	}
	return found
}

// any reports whether some resource satisfies the condition.
func (k kind[T]) any(tx *state.Tx, condition func(T) bool) bool {
	for _, v := range k.table.All(tx) {
		if condition(v) {
			return true
		}
	}
	return false
}

// list returns the resources with the IDs, or all of them, that match the filters.
func (k kind[T]) list(tx *state.Tx, ids []string, filters filters) ([]T, error) {
	match, err := k.matcher(tx, filters)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return k.where(tx, match), nil
	}
	var found []T
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		v, err := k.get(tx, id)
		if err != nil {
			return nil, err
		}
		if match(v) {
			found = append(found, v)
		}
	}
	return found, nil
}

// query is what the describe operations have in common.
type query struct {
	ids        []string
	filters    filters
	maxResults *int64
	nextToken  *string
}

// describe lists a page of resources as show presents them.
func describe[T record, A any](tx *state.Tx, k kind[T], q query, show func(*state.Tx, T) A) ([]A, *string, error) {
	found, err := k.list(tx, q.ids, q.filters)
	if err != nil {
		return nil, nil, err
	}
	return page(tx, found, q, T.id, show)
}

// violation is the error of deleting what others depend on.
func violation(kind, id string) error {
	return fault("DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", kind, id)
}

// quoted formats IDs as EC2 does in messages.
func quoted(ids []string) string { return "'" + strings.Join(ids, "', '") + "'" }

// arn names a resource of EC2 by its type and ID.
func (s *Service) arn(resourceType, id string) string {
	return s.Region.ARN("ec2", fmt.Sprintf("%s/%s", resourceType, id))
}
