package ssm

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeParameters implements the operation of that name with the filters Name, Type and Path.
func (s *Service) DescribeParameters(_ context.Context, in *api.DescribeParametersInput) (*api.DescribeParametersOutput, error) {
	if len(in.Filters) > 0 {
		return nil, wire.Errorf(400, "InvalidFilterKey", "The lab serves ParameterFilters, not the older Filters.")
	}
	for _, f := range in.ParameterFilters {
		served, ok := filterOptions()[*f.Key]
		if !ok {
			return nil, wire.Errorf(400, "InvalidFilterKey", "The lab does not serve the filter key %s.", *f.Key)
		}
		if !slices.Contains(served, wire.Value(f.Option)) {
			return nil, wire.Errorf(400, "InvalidFilterOption", "The lab does not serve the filter option %s for the key %s.", *f.Option, *f.Key)
		}
	}
	out := &api.DescribeParametersOutput{Parameters: []api.ParameterMetadata{}}
	return out, s.store.View(func(tx *state.Tx) error {
		matching := state.Where(parameters.All(tx), func(p parameter) bool { return p.matches(in.ParameterFilters) })
		limit := int64(50)
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		items, next := state.Page(matching, wire.Value(in.NextToken), limit)
		for _, p := range items {
			out.Parameters = append(out.Parameters, s.metadata(p))
		}
		out.NextToken = next
		return nil
	})
}

// filterOptions are the served filter keys with their options; the first of each stands for none.
func filterOptions() map[string][]string {
	return map[string][]string{"Name": {"", "Equals", "BeginsWith", "Contains"}, "Type": {"", "Equals"}, "Path": {"", "OneLevel", "Recursive"}}
}

func (p parameter) matches(filters []api.ParameterStringFilter) bool {
	return !slices.ContainsFunc(filters, func(f api.ParameterStringFilter) bool {
		return !slices.ContainsFunc(f.Values, func(v string) bool { return p.match(*f.Key, wire.Value(f.Option), v) })
	})
}

func (p parameter) match(key, option, value string) bool {
	below, isBelow := strings.CutPrefix(p.Name, strings.TrimSuffix(value, "/")+"/")
	switch {
	case key == "Type":
		return p.Type == value
	case key == "Path":
		return isBelow && (option == "Recursive" || !strings.Contains(below, "/"))
	case option == "BeginsWith":
		return strings.HasPrefix(p.Name, value)
	case option == "Contains":
		return strings.Contains(p.Name, value)
	}
	return p.Name == value
}

func (s *Service) metadata(p parameter) api.ParameterMetadata {
	v := p.latest()
	m := api.ParameterMetadata{ARN: new(s.arn(p.Name)), Name: new(p.Name), Type: new(p.Type), Tier: new(p.Tier), DataType: new(p.DataType), Version: new(v.Number), LastModifiedDate: new(v.Modified),
		LastModifiedUser: new(v.User), Policies: []api.ParameterInlinePolicy{},
		Description: wire.Optional(p.Description), AllowedPattern: wire.Optional(p.AllowedPattern)}
	if p.Type == secure {
		m.KeyId = new(p.KeyID)
	}
	return m
}
