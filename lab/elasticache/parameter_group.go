package elasticache

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// parameterGroup is a cache parameter group.
type parameterGroup struct {
	Name        string
	Family      string
	Description string
	Values      map[string]string // what the user has set
}

var parameterGroups = state.NewTable[parameterGroup]("elasticache.parameter-group")

// maxParameters is the number of parameters that one request can change.
const maxParameters = 20

// defaultGroup is a family's group that is always there and cannot be changed.
func defaultGroup(family string) parameterGroup {
	return parameterGroup{Name: "default." + family, Family: family, Description: "Default parameter group for " + family}
}

func findParameterGroup(tx *state.Tx, name string) (parameterGroup, error) {
	name = strings.ToLower(name)
	if family, ok := strings.CutPrefix(name, "default."); ok && slices.Contains(families(), family) {
		return defaultGroup(family), nil
	}
	g, ok, err := parameterGroups.Get(tx, name)
	if err == nil && !ok {
		err = missing("CacheParameterGroupNotFound", "CacheParameterGroup not found: %s", name)
	}
	return g, err
}

// ownParameterGroup is findParameterGroup for what changes a group: the default ones cannot be.
func ownParameterGroup(tx *state.Tx, name string) (parameterGroup, error) {
	g, err := findParameterGroup(tx, name)
	if err == nil && strings.HasPrefix(g.Name, "default.") {
		err = invalidValue("The parameter CacheParameterGroupName is not valid: the default group %s cannot be modified or deleted.", g.Name)
	}
	return g, err
}

// CreateCacheParameterGroup makes a group with the defaults of its family.
func (s *Service) CreateCacheParameterGroup(_ context.Context, in *api.CreateCacheParameterGroupInput) (*api.CreateCacheParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateCacheParameterGroupOutput) error {
		name, err := identifier("CacheParameterGroupName", in.CacheParameterGroupName, 255)
		if err != nil {
			return err
		}
		if _, ok, err := parameterGroups.Get(tx, name); err != nil || ok {
			return orExists(err, "CacheParameterGroupAlreadyExists", "Parameter group %s already exists", name)
		}
		g := parameterGroup{Name: name, Family: wire.Value(in.CacheParameterGroupFamily), Description: wire.Value(in.Description), Values: map[string]string{}}
		if !slices.Contains(families(), g.Family) {
			return invalidValue("CacheParameterGroupFamily %s is not a valid parameter group family: this region offers %s.", g.Family, strings.Join(families(), ", "))
		}
		if err := tag(tx, s.arn("parametergroup", name), in.Tags); err != nil {
			return err
		}
		out.CacheParameterGroup = s.showParameterGroup(g)
		return parameterGroups.Put(tx, name, g)
	})
}

// ModifyCacheParameterGroup sets up to 20 parameters.
func (s *Service) ModifyCacheParameterGroup(_ context.Context, in *api.ModifyCacheParameterGroupInput) (*api.ModifyCacheParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyCacheParameterGroupOutput) error {
		g, err := ownParameterGroup(tx, wire.Value(in.CacheParameterGroupName))
		if err != nil {
			return err
		}
		if n := len(in.ParameterNameValues); n == 0 || n > maxParameters {
			return invalidValue("From 1 to %d parameters can be modified in one request, not %d.", maxParameters, n)
		}
		for _, v := range in.ParameterNameValues {
			p, err := findParameter(g.Family, wire.Value(v.ParameterName))
			if err == nil {
				err = p.check(wire.Value(v.ParameterValue))
			}
			if err != nil {
				return err
			}
			g.Values[p.Name] = *v.ParameterValue
		}
		out.CacheParameterGroupName = &g.Name
		return parameterGroups.Put(tx, g.Name, g)
	})
}

// ResetCacheParameterGroup takes parameters back to their defaults.
func (s *Service) ResetCacheParameterGroup(_ context.Context, in *api.ResetCacheParameterGroupInput) (*api.ResetCacheParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ResetCacheParameterGroupOutput) error {
		g, err := ownParameterGroup(tx, wire.Value(in.CacheParameterGroupName))
		if err != nil {
			return err
		}
		all := wire.Value(in.ResetAllParameters)
		if all != (len(in.ParameterNameValues) == 0) {
			return invalidCombination("Either ResetAllParameters or parameters must be given.")
		}
		if all {
			clear(g.Values)
		}
		for _, v := range in.ParameterNameValues {
			p, err := findParameter(g.Family, wire.Value(v.ParameterName))
			if err != nil {
				return err
			}
			delete(g.Values, p.Name)
		}
		out.CacheParameterGroupName = &g.Name
		return parameterGroups.Put(tx, g.Name, g)
	})
}

// DeleteCacheParameterGroup deletes a group that no replication group uses.
func (s *Service) DeleteCacheParameterGroup(_ context.Context, in *api.DeleteCacheParameterGroupInput) (*api.DeleteCacheParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteCacheParameterGroupOutput) error {
		g, err := ownParameterGroup(tx, wire.Value(in.CacheParameterGroupName))
		if err != nil {
			return err
		}
		for _, user := range groups.All(tx) {
			if user.Parameters == g.Name {
				return fault("InvalidCacheParameterGroupState", "One or more cache clusters are still members of this parameter group %s, so the group cannot be deleted.", g.Name)
			}
		}
		if err := tags.Delete(tx, s.arn("parametergroup", g.Name)); err != nil {
			return err
		}
		return parameterGroups.Delete(tx, g.Name)
	})
}

// DescribeCacheParameterGroups lists the groups, or one by its name.
func (s *Service) DescribeCacheParameterGroups(_ context.Context, in *api.DescribeCacheParameterGroupsInput) (*api.DescribeCacheParameterGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCacheParameterGroupsOutput) (err error) {
		var list []parameterGroup
		if in.CacheParameterGroupName != nil {
			g, err := findParameterGroup(tx, *in.CacheParameterGroupName)
			if err != nil {
				return err
			}
			list = append(list, g)
		} else {
			for _, f := range families() {
				list = append(list, defaultGroup(f))
			}
			for _, g := range parameterGroups.All(tx) {
				list = append(list, g)
			}
			slices.SortFunc(list, func(a, b parameterGroup) int { return strings.Compare(a.Name, b.Name) })
		}
		if list, out.Marker, err = page(list, func(g parameterGroup) string { return g.Name }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		for _, g := range list {
			out.CacheParameterGroups = append(out.CacheParameterGroups, *s.showParameterGroup(g))
		}
		return nil
	})
}

func (s *Service) showParameterGroup(g parameterGroup) *api.CacheParameterGroup {
	return &api.CacheParameterGroup{
		ARN: new(s.arn("parametergroup", g.Name)), CacheParameterGroupName: &g.Name, CacheParameterGroupFamily: &g.Family, Description: &g.Description, IsGlobal: new(false),
	}
}

// DescribeCacheParameters lists the parameters of a group, or those of one source: "user" or "system".
func (s *Service) DescribeCacheParameters(_ context.Context, in *api.DescribeCacheParametersInput) (*api.DescribeCacheParametersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCacheParametersOutput) error {
		g, err := findParameterGroup(tx, wire.Value(in.CacheParameterGroupName))
		if err != nil {
			return err
		}
		out.Parameters, out.Marker, err = listParameters(g.Family, g.Values, in.Source, in.Marker, in.MaxRecords)
		if out.Marker == nil && wire.Or(in.Source, "system") == "system" {
			out.CacheNodeTypeSpecificParameters = nodeTypeParameters(g.Family)
		}
		return err
	})
}

// DescribeEngineDefaultParameters lists the defaults of a family.
func (s *Service) DescribeEngineDefaultParameters(_ context.Context, in *api.DescribeEngineDefaultParametersInput) (*api.DescribeEngineDefaultParametersOutput, error) {
	family := wire.Value(in.CacheParameterGroupFamily)
	if !slices.Contains(families(), family) {
		return nil, invalidValue("CacheParameterGroupFamily %s is not a valid parameter group family", family)
	}
	list, marker, err := listParameters(family, nil, nil, in.Marker, in.MaxRecords)
	defaults := &api.EngineDefaults{CacheParameterGroupFamily: &family, Parameters: list, Marker: marker}
	if marker == nil {
		defaults.CacheNodeTypeSpecificParameters = nodeTypeParameters(family)
	}
	return &api.DescribeEngineDefaultParametersOutput{EngineDefaults: defaults}, err
}

func listParameters(family string, values map[string]string, source, marker *string, maxRecords *int64) ([]api.Parameter, *string, error) {
	list := []api.Parameter{}
	for _, p := range parameters(family) {
		if shown := p.show(family, values); source == nil || *shown.Source == *source {
			list = append(list, shown)
		}
	}
	return page(list, func(p api.Parameter) string { return *p.ParameterName }, marker, maxRecords)
}

// nodeTypeParameters are those whose values depend on the node type.
func nodeTypeParameters(family string) []api.CacheNodeTypeSpecificParameter {
	out := api.CacheNodeTypeSpecificParameter{
		ParameterName: new("maxmemory"), Description: new("The maximum configurable amount of memory to use to store items, in bytes."), Source: new("system"), DataType: new("integer"),
		AllowedValues: new("1-"), IsModifiable: new(false), ChangeType: new(reboot), MinimumEngineVersion: new(oldest(family)),
	}
	for _, name := range slices.Sorted(maps.Keys(nodeTypes())) {
		out.CacheNodeTypeSpecificValues = append(out.CacheNodeTypeSpecificValues, api.CacheNodeTypeSpecificValue{CacheNodeType: &name, Value: new(strconv.FormatInt(maxMemory(name), 10))})
	}
	return []api.CacheNodeTypeSpecificParameter{out}
}
