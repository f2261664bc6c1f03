package rds

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// group is a parameter group, of clusters or of instances: the two kinds differ in name only.
type group struct {
	Name        string
	Family      string
	Description string
	Values      map[string]setting // what the user has set
}

// setting is a value with its apply method. The servers take over dynamic parameters at once, whatever the method.
type setting struct{ Value, Method string }

type groupKind struct {
	table state.Table[group]
	arn   string // kind of resource in ARNs
	noun  string
}

var (
	clusterGroups  = groupKind{state.NewTable[group]("rds.cluster-parameter-group"), "cluster-pg", "DBClusterParameterGroup"}
	instanceGroups = groupKind{state.NewTable[group]("rds.parameter-group"), "pg", "DBParameterGroup"}
)

func (s *Service) groupARN(k groupKind, name string) string {
	return s.Region.ARN("rds", k.arn+":"+name)
}

// family is the only one that this machine's PostgreSQL can serve.
func (s *Service) family() string { return engineName + strconv.Itoa(s.Engine.Version().Major) }

func (s *Service) defaultGroup() string { return "default." + s.family() }

// findGroup finds a group; the default one is always there.
func (s *Service) findGroup(tx *state.Tx, k groupKind, name string) (group, error) {
	name = strings.ToLower(name)
	if name == s.defaultGroup() {
		noun := "parameter group"
		if k.arn == clusterGroups.arn {
			noun = "cluster parameter group"
		}
		return group{Name: name, Family: s.family(), Description: fmt.Sprintf("Default %s for %s", noun, s.family())}, nil
	}
	g, ok, err := k.table.Get(tx, name)
	if err == nil && !ok {
		err = missing("DBParameterGroupNotFound", "%s not found: %s", k.noun, name)
	}
	return g, err
}

// groupName checks the name of a group to be made or changed. The default group cannot be.
func groupName(k groupKind, given *string) (string, error) {
	if strings.HasPrefix(strings.ToLower(wire.Value(given)), "default") {
		return "", invalidValue("The parameter %sName is not a valid identifier: names that start with default are reserved.", k.noun)
	}
	return identifier(k.noun+"Name", given, 255)
}

func (s *Service) createGroup(tx *state.Tx, k groupKind, name, family, description *string, list []api.Tag) (group, error) {
	id, err := groupName(k, name)
	if err != nil {
		return group{}, err
	}
	if _, ok, err := k.table.Get(tx, id); err != nil || ok {
		return group{}, orExists(err, "DBParameterGroupAlreadyExists", "Parameter group %s already exists", id)
	}
	if wire.Value(family) != s.family() {
		return group{}, invalidValue("ParameterGroupFamily %s is not a valid parameter group family", wire.Value(family))
	}
	g := group{Name: id, Family: *family, Description: wire.Value(description), Values: map[string]setting{}}
	if err := tag(tx, s.groupARN(k, id), list); err != nil {
		return group{}, err
	}
	return g, k.table.Put(tx, id, g)
}

func (s *Service) copyGroup(tx *state.Tx, k groupKind, source, target, description *string, list []api.Tag) (group, error) {
	name := strings.TrimPrefix(wire.Value(source), s.groupARN(k, ""))
	from, err := s.findGroup(tx, k, name)
	if err != nil {
		return group{}, err
	}
	g, err := s.createGroup(tx, k, target, &from.Family, description, list)
	if err != nil {
		return group{}, err
	}
	maps.Copy(g.Values, from.Values)
	return g, k.table.Put(tx, g.Name, g)
}

// modifyGroup changes the values of a group that is not a default one.
func (s *Service) modifyGroup(tx *state.Tx, k groupKind, name *string, edit func(map[string]setting) error) (group, error) {
	id, err := groupName(k, name)
	if err != nil {
		return group{}, err
	}
	g, err := s.findGroup(tx, k, id)
	if err != nil {
		return group{}, err
	}
	if g.Values == nil {
		g.Values = map[string]setting{}
	}
	if err := edit(g.Values); err != nil {
		return group{}, err
	}
	return g, k.table.Put(tx, id, g)
}

// reset returns an edit that takes values back to the defaults.
func reset(all *bool, given []api.Parameter) func(map[string]setting) error {
	return func(values map[string]setting) error {
		if !wire.Value(all) && len(given) == 0 {
			return invalidCombination("Either ResetAllParameters or Parameters must be given.")
		}
		if wire.Value(all) {
			clear(values)
		}
		for _, p := range given {
			delete(values, wire.Value(p.ParameterName))
		}
		return nil
	}
}

func (s *Service) deleteGroup(tx *state.Tx, k groupKind, name *string, used bool) error {
	id, err := groupName(k, name)
	if err != nil {
		return err
	}
	if _, err := s.findGroup(tx, k, id); err != nil {
		return err
	}
	if used {
		return fault("InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group %s, so the group cannot be deleted", id)
	}
	if err := tags.Delete(tx, s.groupARN(k, id)); err != nil {
		return err
	}
	return k.table.Delete(tx, id)
}

func (s *Service) listGroups(tx *state.Tx, k groupKind, name, marker *string, maxRecords *int64) ([]group, *string, error) {
	if name != nil {
		g, err := s.findGroup(tx, k, *name)
		return []group{g}, nil, err
	}
	builtin, err := s.findGroup(tx, k, s.defaultGroup())
	if err != nil {
		return nil, nil, err
	}
	list := []group{builtin}
	for _, g := range k.table.All(tx) {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b group) int { return strings.Compare(a.Name, b.Name) })
	return page(list, func(g group) string { return g.Name }, marker, maxRecords)
}

// listParameters lists the parameters of one source: "user", "system", "engine-default", or all.
func (s *Service) listParameters(values map[string]setting, source, marker *string, maxRecords *int64) ([]api.Parameter, *string, error) {
	out := []api.Parameter{}
	for _, p := range s.parameters() {
		if shown := p.show(values); source == nil || *shown.Source == *source {
			out = append(out, shown)
		}
	}
	return page(out, func(p api.Parameter) string { return *p.ParameterName }, marker, maxRecords)
}
