package wafv2

import (
	"maps"
	"slices"
	"strings"

	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"

	api "storefront/lab/api/wafv2"
)

// entity is what the store keeps of a web ACL, set or rule group.
type entity[T any] struct {
	Value                      T
	ARN, ID, Name, Description string
	Token                      string // changes with every change: optimistic locking
	Tags                       map[string]string
}

// kind is a kind of entity: where it is kept by ARN, what ARNs call it, and how many an account may have.
type kind[T any] struct {
	table state.Table[entity[T]]
	path  string
	quota int
}

// create makes an entity with an identity, which the caller fills and puts.
func (k kind[T]) create(s *Service, tx *state.Tx, scope, name, description *string, tags []api.Tag) (e entity[T], err error) {
	if err := checkScope(scope); err != nil {
		return e, err
	}
	if !plainName(*name) {
		return e, invalid("ENTITY_NAME", *name, "The name has other characters than letters, digits, hyphens and underscores.")
	}
	number := 0
	for _, old := range k.table.All(tx) {
		if number++; old.Name == *name {
			return e, fault("WAFDuplicateItemException", "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an existing one.")
		}
	}
	if number >= k.quota {
		return e, errLimit()
	}
	if e.Tags, err = merge(nil, tags); err != nil {
		return e, err
	}
	if e.ID, err = region.NewUUID(tx, "wafv2."+k.path); err != nil {
		return e, err
	}
	e.Name, e.Description = *name, wire.Value(description)
	e.ARN = s.Region.ARN("wafv2", "regional/"+k.path+"/"+e.Name+"/"+e.ID)
	return e, nil
}

// put stores an entity under a new lock token.
func (k kind[T]) put(tx *state.Tx, e *entity[T]) (err error) {
	if e.Token, err = region.NewUUID(tx, "wafv2.lock"); err != nil {
		return err
	}
	return k.table.Put(tx, e.ARN, *e)
}

// find finds an entity by its scope, name and ID.
func (k kind[T]) find(s *Service, tx *state.Tx, scope, name, id *string) (entity[T], error) {
	if err := checkScope(scope); err != nil {
		return entity[T]{}, err
	}
	return k.byARN(tx, s.Region.ARN("wafv2", "regional/"+k.path+"/"+wire.Value(name)+"/"+wire.Value(id)))
}

func (k kind[T]) byARN(tx *state.Tx, arn string) (entity[T], error) {
	e, ok, err := k.table.Get(tx, arn)
	if err == nil && !ok {
		err = errMissing()
	}
	return e, err
}

// locked finds an entity that is to change, and checks that nobody changed it since the client read it.
func (k kind[T]) locked(s *Service, tx *state.Tx, scope, name, id, token *string) (entity[T], error) {
	e, err := k.find(s, tx, scope, name, id)
	if err == nil && e.Token != wire.Value(token) {
		err = fault("WAFOptimisticLockException", "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. Reapply your changes.")
	}
	return e, err
}

// list pages through the entities; each becomes the same five members of its summary.
func (k kind[T]) list(tx *state.Tx, scope, marker *string, limit *int64) (page []entity[T], next *string, err error) {
	if err := checkScope(scope); err != nil {
		return nil, nil, err
	}
	page, next = state.Page(k.table.All(tx), wire.Value(marker), wire.Or(limit, 100))
	return page, next, nil
}

// retag changes the tags of the entity of an ARN.
func (k kind[T]) retag(tx *state.Tx, arn string, edit func(map[string]string) (map[string]string, error)) error {
	e, err := k.byARN(tx, arn)
	if err != nil {
		return err
	}
	if e.Tags, err = edit(e.Tags); err != nil {
		return err
	}
	return k.table.Put(tx, arn, e)
}

func (k kind[T]) holds(arn string) bool { return strings.Contains(arn, "/"+k.path+"/") }

func errLimit() error {
	return fault("WAFLimitsExceededException", "AWS WAF couldn’t perform the operation because you exceeded your resource limit.")
}

func plainName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// merge adds tags to those that a resource has.
func merge(tags map[string]string, add []api.Tag) (map[string]string, error) {
	all := maps.Clone(tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range add {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return nil, invalid("TAG_KEYS", *t.Key, "Tag keys must not begin with aws:.")
		}
		all[*t.Key] = wire.Value(t.Value)
	}
	if len(all) > 50 {
		return nil, errLimit()
	}
	return all, nil
}

func tagList(tags map[string]string) (list []api.Tag) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, api.Tag{Key: &key, Value: new(tags[key])})
	}
	return list
}
